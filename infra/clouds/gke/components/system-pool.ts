// The nodes that run everything but models. They come before any pool of GPUs: GKE taints the GPU nodes of a cluster only
// where it has others, and what it runs itself needs a place.
// See https://github.com/terraform-google-modules/terraform-google-kubernetes-engine/issues/703.
import { ComponentResource } from "@pulumi/pulumi";
import type { Input } from "@pulumi/pulumi";
import { NodePool } from "@pulumi/gcp/container/nodePool.js";
import type { NodePoolArgs } from "@pulumi/gcp/container/nodePool.js";
import type { GkeCluster } from "../config/cluster.ts";
import { ownOptions, transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";
import { commonNodeConfig } from "./node-config.ts";

export interface GkeSystemPoolArgs {
  readonly cluster: Pick<GkeCluster, "project" | "region" | "systemPool">;
  readonly clusterId: Input<string>;
  /** Email of the nodes' service account. */
  readonly serviceAccount: Input<string>;
  readonly transform?: { readonly nodePool?: Transform<NodePoolArgs> };
}

export class GkeSystemPool extends ComponentResource {
  readonly nodePool: NodePool;

  constructor(name: string, args: GkeSystemPoolArgs, options: ComponentOptions) {
    super("llama-operator:gke:SystemPool", name, {}, options);
    const registration = transformed<NodePoolArgs>(args.transform?.nodePool, {
      args: systemPoolArgs(name, args),
      options: {
        ...ownOptions(this, options),
        deleteBeforeReplace: true,
        // The autoscaler's.
        ignoreChanges: ["initialNodeCount", "nodeCount"],
        customTimeouts: { create: "45m", update: "2h", delete: "45m" },
      },
    });
    this.nodePool = new NodePool(name, registration.args, registration.options);
    this.registerOutputs({ poolName: this.nodePool.name });
  }
}

/** What GKE is asked of the system pool. */
export function systemPoolArgs(
  name: string,
  { cluster, clusterId, serviceAccount }: GkeSystemPoolArgs,
): NodePoolArgs {
  const { project, region, systemPool } = cluster;
  const { zones, nodes } = systemPool;
  return {
    project,
    location: region,
    cluster: clusterId,
    name,
    ...(zones === undefined ? {} : { nodeLocations: [...zones] }),
    autoscaling: { totalMinNodeCount: nodes.min, totalMaxNodeCount: nodes.max, locationPolicy: "BALANCED" },
    // In each zone.
    initialNodeCount: 1,
    management: { autoRepair: true, autoUpgrade: true },
    nodeConfig: { ...commonNodeConfig(serviceAccount), machineType: systemPool.machineType },
  };
}
