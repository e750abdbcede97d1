// The platform programs of the clouds, a line each. A program is imported only for its own stacks, because each brings
// the SDK of its cloud.
import type { CloudProgram, MadeClusterAccess, PlatformContext } from "../clouds/cloud-program.ts";
import { isCloud } from "../clouds/clouds.ts";
import type { CloudKind, CloudPlatform } from "../clouds/clouds.ts";
import type { PlatformConfiguration } from "../config/platform.ts";

const programs: { readonly [K in CloudKind]: () => Promise<CloudProgram<K>> } = {
  eks: async () => (await import("../clouds/eks/platform.ts")).eksPlatform,
  gke: async () => (await import("../clouds/gke/platform.ts")).gkePlatform,
  aks: async () => (await import("../clouds/aks/platform.ts")).aksPlatform,
};

/** Whether a cloud makes the cluster of a platform. */
export function isMade(platform: PlatformConfiguration): platform is CloudPlatform {
  return isCloud(platform.kind);
}

/** Registers what a cloud is to make. */
export async function makePlatform<K extends CloudKind>(
  platform: CloudPlatform<K>,
  context: PlatformContext,
): Promise<MadeClusterAccess> {
  const kind: K = platform.kind;
  return (await programs[kind]())(platform, context);
}
