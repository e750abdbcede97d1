// The contract of a cloud's platform program: what it is given, and what it gives back.
import type { Output } from "@pulumi/pulumi";
import type { GuardOptions } from "../guards/guard-pools.ts";
import type { ClusterAccess } from "../platform/kubeconfig.ts";
import type { CloudKind, CloudPlatform } from "./clouds.ts";

export interface PlatformContext extends Required<GuardOptions> {
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How to reach a cluster that is being made; its kubeconfig is the text of one, and holds no token. */
export type MadeClusterAccess = { readonly [K in keyof ClusterAccess]: Output<string> };

/** Registers a cluster with its pools. @throws RunError before the first resource where something is missing */
export type CloudProgram<K extends CloudKind> = (
  platform: CloudPlatform<K>,
  context: PlatformContext,
) => Promise<MadeClusterAccess>;
