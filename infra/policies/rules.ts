// The rules for one pool of GPUs, each a pure function that says what is wrong and what to write instead.
import type { GpuNodePool } from "./gpu-node-pool.ts";

/** What a rule sees beside the pool. */
export interface PoolOptions {
  readonly name: string;
  readonly protect: boolean;
  /** Pools that may be of spot capacity. */
  readonly spotPools: readonly string[];
}

/** What is wrong; undefined where nothing is. */
export type PoolRule = (pool: GpuNodePool, options: PoolOptions) => string | undefined;

export const protectBought: PoolRule = ({ capacity }, { protect }) =>
  capacity === "bought" && !protect
    ? "its capacity was bought, and what is destroyed by mistake may not be had again: write protect: true in its options"
    : undefined;

export const noSurgeOfBought: PoolRule = ({ capacity, surges, argumentNames }) =>
  capacity === "bought" && surges
    ? `an upgrade makes new nodes beside the old, and bought capacity has room for the old ones alone: write ${argumentNames.noSurge}`
    : undefined;

export const taintGpus: PoolRule = ({ tainted, argumentNames }) =>
  tainted ? undefined : `pods that need no GPU may fill its nodes: write ${argumentNames.taint}`;

export const fabricInOneZone: PoolRule = ({ hasFabric, oneZone, argumentNames }) =>
  hasFabric && !oneZone
    ? `the fast network between its nodes ends at the zone, and a model across zones is slow without an error: write ${argumentNames.oneZone}`
    : undefined;

export const noSpot: PoolRule = ({ capacity }, { name, spotPools }) =>
  capacity === "spot" && !spotPools.includes(name)
    ? `spot nodes are taken back at short notice, with every request on them: use other capacity, or name ${name} in this policy's pools`
    : undefined;

export const repairNodes: PoolRule = ({ repaired, argumentNames }) =>
  repaired ? undefined : `a node whose GPU has failed stays: write ${argumentNames.repair}`;
