// What a cloud's platform program is given and gives back, and the table of those that there are: a line each. A program
// is imported only for its own stacks, because each brings the SDK of its cloud.
import type { Output } from "@pulumi/pulumi";
import { isCloud } from "../config/clouds/clouds.ts";
import type { CloudKind, CloudPlatform } from "../config/clouds/clouds.ts";
import type { PlatformConfiguration } from "../config/platform.ts";
import type { PoolRecords } from "../guards/pool-record.ts";
import type { ClusterAccess } from "./kubeconfig.ts";

export interface PlatformContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Pools that a change may replace. */
  readonly allowReplace: readonly string[];
}

/** How to reach a cluster that is being made; its kubeconfig is the text of one, and holds no token. */
export type MadeClusterAccess = { readonly [K in keyof ClusterAccess]: Output<string> };

export interface MadePlatform extends MadeClusterAccess {
  /** What `guardPools` said of the pools: kept as an output for the next run. */
  readonly poolRecords?: PoolRecords;
}

/** Registers a cluster with its pools. @throws RunError before the first resource where something is missing */
export type CloudProgram<K extends CloudKind> = (
  platform: CloudPlatform<K>,
  context: PlatformContext,
) => Promise<MadePlatform>;

const programs: { readonly [K in CloudKind]: () => Promise<CloudProgram<K>> } = {
  eks: async () => (await import("./eks.ts")).eksPlatform,
  gke: async () => (await import("./gke.ts")).gkePlatform,
  aks: async () => (await import("./aks.ts")).aksPlatform,
};

/** Whether a cloud makes the cluster of a platform. */
export function isMade(platform: PlatformConfiguration): platform is CloudPlatform {
  return isCloud(platform.kind);
}

/** Registers what a cloud is to make. */
export async function makePlatform<K extends CloudKind>(
  platform: CloudPlatform<K>,
  context: PlatformContext,
): Promise<MadePlatform> {
  const kind: K = platform.kind;
  return (await programs[kind]())(platform, context);
}
