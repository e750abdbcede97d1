// What the platform project tells the serving project through a StackReference.
import { isDeepStrictEqual } from "node:util";
import type { StackConfiguration } from "../config/stack-configuration.ts";
import type { Written } from "../config/pool.ts";
import type { ClusterAccess } from "./kubeconfig.ts";

/** A pool that the cluster has. */
interface RecordedPool {
  readonly name: string;
  /** Nodes that it may have. What earlier versions recorded does not say it. */
  readonly nodes?: number;
  /** The spec of its GpuPool. */
  readonly spec: Written;
}

export type RecordedPools = readonly RecordedPool[];

export interface PlatformOutputs<Access = ClusterAccess> {
  readonly cluster: Access;
  readonly pools: RecordedPools;
}

export function platformOutputs<Access>(
  { pools }: Pick<StackConfiguration, "pools">,
  cluster: Access,
): PlatformOutputs<Access> {
  return { cluster, pools: recordedPools(pools) };
}

/** Pools as the outputs have them. */
export const recordedPools = (pools: StackConfiguration["pools"]): RecordedPools =>
  pools.map(({ name, nodes, written }) => ({ name, nodes: nodes.max, spec: written }));

/**
 * Whether a platform has all that the wanted pools ask for, and perhaps more of it: further pools, further nodes. Then
 * what serves may come first, and leave what is going to go.
 */
export function coversPools(there: RecordedPools, wanted: RecordedPools): boolean {
  return wanted.every((pool) => {
    const made = there.find(({ name }) => name === pool.name);
    if (made === undefined) return false;
    if (made.nodes === undefined || pool.nodes === undefined) return isSame(made.spec, pool.spec);
    return made.nodes >= pool.nodes && isSame(withoutNodes(made.spec), withoutNodes(pool.spec));
  });
}

/** Whether a platform has something that is wanted no more: a pool, or nodes of one. */
export function hasMorePools(there: RecordedPools, wanted: RecordedPools): boolean {
  return there.some(({ name, nodes = 0 }) => {
    const pool = wanted.find((each) => each.name === name);
    return pool === undefined || nodes > (pool.nodes ?? nodes);
  });
}

/** The most nodes of an autoscaled pool stand in the spec of its GpuPool too. */
const withoutNodes = (written: Written): Written => ({ ...written, nodes: undefined });

/** As a state keeps it: without members that are undefined, in any order of keys. */
const isSame = (one: Written, other: Written): boolean => isDeepStrictEqual(asStored(one), asStored(other));

const asStored = (written: Written): unknown => JSON.parse(JSON.stringify(written));
