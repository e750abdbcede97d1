// A pool of GPU nodes of GKE: one node pool, and the options by which a mistake does not cost its GPUs.
import { ComponentResource } from "@pulumi/pulumi";
import type { CustomResourceOptions, Output } from "@pulumi/pulumi";
import type { Cluster } from "@pulumi/gcp/container/cluster.js";
import { NodePool } from "@pulumi/gcp/container/nodePool.js";
import type { NodePoolArgs } from "@pulumi/gcp/container/nodePool.js";
import { isProtected } from "../../../config/capacity.ts";
import type { GkePool } from "../config/pool.ts";
import { transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";
import { gpuNodePoolArgs } from "./gpu-node-pool-args.ts";
import type { GpuNodePoolPlace } from "./gpu-node-pool-args.ts";

export interface GkeGpuNodePoolArgs extends GpuNodePoolPlace {
  /** The pool, as the stack's configuration has it. */
  readonly pool: GkePool;
  /** The cluster itself: the pool goes and is made anew with it. */
  readonly clusterResource: Cluster;
  readonly transform?: { readonly nodePool?: Transform<NodePoolArgs> };
}

/** GKE tries for 40 minutes and more where a machine is out of stock. */
const createMinutes = 90;
/** GKE waits an hour for a node's pods to leave; the rest is a new machine and its driver. */
const minutesPerNode = 75;
const longestMinutes = 24 * 60;

export class GkeGpuNodePool extends ComponentResource {
  readonly nodePool: NodePool;
  readonly poolName: Output<string>;

  constructor(name: string, args: GkeGpuNodePoolArgs, options: ComponentOptions) {
    super("llama-operator:gke:GpuNodePool", name, {}, options);
    const { pool, clusterResource, transform } = args;
    const registration = transformed<NodePoolArgs>(transform?.nodePool, {
      args: gpuNodePoolArgs(pool, args),
      options: {
        parent: this,
        provider: options.provider,
        // GKE deletes a cluster with all of its pools.
        deletedWith: clusterResource,
        replaceWith: [clusterResource],
        ...gpuNodePoolOptions(pool),
      },
    });
    this.nodePool = new NodePool(name, registration.args, registration.options);
    this.poolName = this.nodePool.name;
    this.registerOutputs({ poolName: this.poolName });
  }
}

/** Protection and time-outs of a pool. */
export function gpuNodePoolOptions(pool: GkePool): CustomResourceOptions {
  const { nodes } = pool;
  const update = Math.min(nodes.max * minutesPerNode, longestMinutes);
  return {
    // Capacity that was bought is not given back by mistake.
    protect: isProtected(pool),
    // A reservation cannot hold old and new nodes, and both would have the same name.
    deleteBeforeReplace: true,
    ...(nodes.max > nodes.min ? { ignoreChanges: ["initialNodeCount", "nodeCount"] } : {}),
    customTimeouts: { create: `${createMinutes}m`, update: `${update}m`, delete: `${update}m` },
  };
}
