import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { countedCalls, faultOf, planFault } from "./faults.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "faults-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const create = (type: string, name = "a") => ({ operation: "create", type, name }) as const;

test("the n-th matching call fails, and as many after it as planned", async () => {
  await planFault(folder, { operation: "create", type: "T", nth: 2, times: 2, effect: "refuse" });
  const struck: boolean[] = [];
  for (let call = 1; call <= 4; call += 1) {
    await faultOf(folder, create("other"));
    struck.push((await faultOf(folder, create("T"))) !== undefined);
  }
  expect(struck).toEqual([false, true, true, false]);
  expect(await countedCalls(folder)).toBe(4);
});

test("calls of several processes at once are counted once each", async () => {
  await planFault(folder, { operation: "create", nth: 3, effect: "hang" });
  const found = await Promise.all(Array.from({ length: 8 }, async () => faultOf(folder, create("T"))));
  expect(found.filter((fault) => fault !== undefined)).toHaveLength(1);
});

test("a fault may be one resource's, and without a plan nothing fails", async () => {
  await planFault(folder, { operation: "create", name: "b", effect: "die" });
  expect(await faultOf(folder, create("T"))).toBeUndefined();
  expect(await faultOf(folder, create("T", "b"))).toMatchObject({ effect: "die" });
  expect(await faultOf(undefined, create("T", "b"))).toBeUndefined();
});
