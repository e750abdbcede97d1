import { expect, test } from "vitest";
import type { RecordedPools } from "../platform/outputs.ts";
import { orderOf } from "./order.ts";

const pool = (name: string, nodes: number) => ({ name, nodes, spec: { gpu: { perNode: 8 } } });
const there = [pool("h100", 3), pool("old", 1)];
const [platformFirst, servingFirst] = [
  ["platform", "serving"],
  ["serving", "platform"],
];

async function order(
  wanted: RecordedPools | undefined,
  outputs: object = { pools: there, cluster: {} },
  exitCode = 0,
): Promise<readonly string[]> {
  const standardOutput = JSON.stringify(outputs);
  const read = async () => ({ exitCode, standardOutput, output: `warning: something\n${standardOutput}` });
  return orderOf({ read, show: async () => 0 }, "s", wanted);
}

test("the platform comes first where it grows, changes, or is not there yet", async () => {
  expect(await order(there)).toEqual(platformFirst);
  expect(await order([...there, pool("new", 1)])).toEqual(platformFirst);
  expect(await order([pool("h100", 4), pool("old", 1)])).toEqual(platformFirst);
  expect(await order([pool("h100", 3)], {})).toEqual(platformFirst);
  expect(await order([pool("h100", 3)], {}, 1)).toEqual(platformFirst);
  expect(await order(undefined)).toEqual(platformFirst);
});

test("what serves leaves first where the platform only loses pools or nodes", async () => {
  expect(await order([pool("h100", 3)])).toEqual(servingFirst);
  expect(await order([pool("h100", 2), pool("old", 1)])).toEqual(servingFirst);
  expect(await order([])).toEqual(servingFirst);
});

test("a pool that is renamed is the platform's to refuse: both at once have no order", async () => {
  expect(await order([pool("renamed", 3), pool("old", 1)])).toEqual(platformFirst);
});
