import { expect, test } from "vitest";
import type { GpuNodePool } from "./pools/gpu-node-pool.ts";
import * as rules from "./rules.ts";

const good: GpuNodePool = {
  gpusPerNode: 8,
  nodesAtMost: 2,
  hasFabric: true,
  tainted: true,
  capacity: "bought",
  oneZone: true,
  repaired: true,
  surges: false,
  privateNodes: true,
  words: { taint: "TAINT", oneZone: "ZONE", repair: "REPAIR", noSurge: "SURGE", privateNodes: "PRIVATE" },
};
const options = { name: "h100", protect: true, spotPools: [] };

test("a pool that keeps all rules is wrong in nothing", () => {
  for (const rule of Object.values(rules)) expect(rule(good, options)).toBeUndefined();
});

test.each([
  ["protectBought", {}, { protect: false }, "protect: true"],
  ["noSurgeOfBought", { surges: true }, {}, "write SURGE"],
  ["taintGpus", { tainted: false }, {}, "write TAINT"],
  ["fabricInOneZone", { oneZone: false }, {}, "write ZONE"],
  ["noSpot", { capacity: "spot" }, {}, "name h100 in this policy's pools"],
  ["repairNodes", { repaired: false }, {}, "write REPAIR"],
] as const)("%s says what to write", (name, broken, further, words) => {
  expect(rules[name]({ ...good, ...broken }, { ...options, ...further })).toContain(words);
});

test("what was not bought need not be protected, and may surge", () => {
  const pool = { ...good, capacity: "onDemand", surges: true } as const;
  expect(rules.protectBought(pool, { ...options, protect: false })).toBeUndefined();
  expect(rules.noSurgeOfBought(pool, options)).toBeUndefined();
});

test("spot is allowed by name, and several zones where there is no fabric", () => {
  expect(rules.noSpot({ ...good, capacity: "spot" }, { ...options, spotPools: ["h100"] })).toBeUndefined();
  expect(rules.fabricInOneZone({ ...good, hasFabric: false, oneZone: false }, options)).toBeUndefined();
});
