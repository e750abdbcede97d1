import { expect, test } from "vitest";
import { coversPools, hasMorePools } from "./outputs.ts";

const spec = { gpu: { product: "nvidia-h100-80gb", perNode: 8 } };
const pool = (name: string, nodes: number, more: object = {}) => ({
  name,
  nodes,
  spec: { ...spec, ...more },
});

test("a platform covers the pools that it has, with as many nodes or more", () => {
  const there = [pool("h100", 3), pool("h200", 1)];
  expect(coversPools(there, there)).toBe(true);
  expect(coversPools(there, [pool("h100", 2)])).toBe(true);
  expect(coversPools(there, [pool("h100", 4)])).toBe(false);
  expect(coversPools(there, [pool("other", 1)])).toBe(false);
  expect(coversPools(there, [])).toBe(true);
});

test("a pool with other facts is another one, and the bound of an autoscaler is none of them", () => {
  const there = [pool("h100", 6, { nodes: { max: 6 } })];
  expect(coversPools(there, [pool("h100", 4, { nodes: { max: 4 } })])).toBe(true);
  expect(coversPools(there, [pool("h100", 4)])).toBe(true);
  expect(coversPools(there, [pool("h100", 6, { machineShape: "p5.48xlarge" })])).toBe(false);
});

test("of what an earlier version recorded, only the same spec is known to be enough", () => {
  const there = [{ name: "h100", spec }];
  expect(coversPools(there, [pool("h100", 2)])).toBe(true);
  expect(coversPools(there, [pool("h100", 2, { nodes: { max: 2 } })])).toBe(false);
});

test("a pool or a node less is more than is wanted", () => {
  const there = [pool("h100", 3)];
  expect(
    [[], [pool("h100", 2)], [pool("h100", 3)], [pool("h100", 4)]].map((wanted) =>
      hasMorePools(there, wanted),
    ),
  ).toEqual([true, true, false, false]);
});
