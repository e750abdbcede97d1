// What the platform project tells the serving project through a StackReference.
import { isDeepStrictEqual } from "node:util";
import type { StackConfiguration } from "../config/stack-configuration.ts";
import type { Written } from "../config/pool.ts";
import type { ClusterAccess } from "./kubeconfig.ts";

export interface PlatformOutputs<Access = ClusterAccess> {
  readonly cluster: Access;
  /** The pools that the cluster has: name, and the spec of the GpuPool. */
  readonly pools: readonly { readonly name: string; readonly spec: Written }[];
}

export function platformOutputs<Access>(
  { pools }: Pick<StackConfiguration, "pools">,
  cluster: Access,
): PlatformOutputs<Access> {
  return { cluster, pools: recordedPools(pools) };
}

/** Pools as the outputs have them. */
export const recordedPools = (pools: StackConfiguration["pools"]): PlatformOutputs["pools"] =>
  pools.map(({ name, written }) => ({ name, spec: written }));

/** Whether the platform that is there has the pools that the configuration wants. Key order does not count. */
export function samePools(one: PlatformOutputs["pools"], other: PlatformOutputs["pools"]): boolean {
  return isDeepStrictEqual(asStored(one), asStored(other));
}

/** As a state keeps it: without members that are undefined. */
const asStored = (pools: PlatformOutputs["pools"]): unknown => JSON.parse(JSON.stringify(pools));
