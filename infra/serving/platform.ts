// The cluster as the platform stack of the same name left it.
import { RunError, StackReference, getOrganization, getStack, log, runtime, unknown } from "@pulumi/pulumi";
import type { Output } from "@pulumi/pulumi";
import type { StackConfiguration } from "../config/stack-configuration.ts";
import type { ClusterAccess } from "../platform/kubeconfig.ts";
import { clusterAccess } from "../platform/kubeconfig.ts";
import { isMade } from "../platform/cloud-platform.ts";
import { coversPools, recordedPools } from "../platform/outputs.ts";
import type { PlatformOutputs } from "../platform/outputs.ts";

/** A cluster that a preview cannot know: Pulumi asks nothing of it. */
const notMadeYet = unknown as unknown as ClusterAccess;

/**
 * The cluster that the platform stack recorded. A preview before that stack's first `up` goes by the configuration.
 * An `up` fails where the platform is not there, or lacks what the configured pools ask for: more than that may be there.
 */
export function platformOf(configuration: StackConfiguration): {
  readonly [K in keyof ClusterAccess]: Output<string>;
} {
  const stack = getStack();
  const reference = new StackReference("platform", {
    name: `${getOrganization()}/llama-platform/${stack}`,
  });
  const cluster = reference.outputs.apply(async (outputs): Promise<ClusterAccess> => {
    const recorded = outputs as Partial<PlatformOutputs>;
    const { platform, pools } = configuration;
    const given = isMade(platform) ? undefined : await clusterAccess(platform, process.env);
    if (recorded.cluster === undefined || recorded.pools === undefined) {
      if (!runtime.isDryRun()) throw new RunError(`the platform stack ${stack} is not up: bring it up first`);
      return given ?? notMadeYet;
    }
    if (!coversPools(recorded.pools, recordedPools(pools))) {
      const message = `the platform stack ${stack} has other pools than the configuration`;
      if (!runtime.isDryRun()) throw new RunError(`${message}: bring it up first`);
      await log.warn(`${message}; the preview goes by the configuration`);
    }
    return recorded.cluster;
  });
  return {
    kubeconfig: cluster.apply(({ kubeconfig }) => kubeconfig),
    context: cluster.apply(({ context }) => context),
    server: cluster.apply(({ server }) => server),
  };
}
