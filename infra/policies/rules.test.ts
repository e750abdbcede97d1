import { expect, test } from "vitest";
import type { GpuNodePool } from "./gpu-node-pool.ts";
import { fabricInOneZone, noSpot, noSurgeOfBought, protectBought, repairNodes, taintGpus } from "./rules.ts";

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
  argumentNames: {
    taint: "TAINT",
    oneZone: "ZONE",
    repair: "REPAIR",
    noSurge: "SURGE",
    privateNodes: "PRIVATE",
  },
};
const options = { name: "h100", protect: true, spotPools: [] };

test("a pool that keeps all rules is wrong in nothing", () => {
  const rules = [fabricInOneZone, noSpot, noSurgeOfBought, protectBought, repairNodes, taintGpus];
  expect(rules.map((rule) => rule(good, options))).toEqual(rules.map(() => undefined));
});

test.each([
  ["bought and not protected", protectBought, {}, { protect: false }, "protect: true"],
  ["bought and with a surge", noSurgeOfBought, { surges: true }, {}, "write SURGE"],
  ["without a taint", taintGpus, { tainted: false }, {}, "write TAINT"],
  ["with a fabric, in several zones", fabricInOneZone, { oneZone: false }, {}, "write ZONE"],
  ["of spot capacity", noSpot, { capacity: "spot" }, {}, "name h100 in this policy's pools"],
  ["not repaired", repairNodes, { repaired: false }, {}, "write REPAIR"],
] as const)("a pool that is %s is told what to write", (_, rule, broken, further, advice) => {
  expect(rule({ ...good, ...broken }, { ...options, ...further })).toContain(advice);
});

test("what was not bought need not be protected, and may surge", () => {
  const pool = { ...good, capacity: "onDemand", surges: true } as const;
  expect(protectBought(pool, { ...options, protect: false })).toBeUndefined();
  expect(noSurgeOfBought(pool, options)).toBeUndefined();
});

test("spot is allowed by name, and several zones where there is no fabric", () => {
  expect(noSpot({ ...good, capacity: "spot" }, { ...options, spotPools: ["h100"] })).toBeUndefined();
  expect(fabricInOneZone({ ...good, hasFabric: false, oneZone: false }, options)).toBeUndefined();
});
