// A pool of GPU nodes on AKS: one agent pool. AKS repairs unhealthy nodes by itself, and has no switch for it.
import { ComponentResource } from "@pulumi/pulumi";
import type { Input, Output } from "@pulumi/pulumi";
import { AgentPool } from "@pulumi/azure-native/containerservice/agentPool.js";
import type { AgentPoolArgs } from "@pulumi/azure-native/containerservice/agentPool.js";
import type { ManagedCluster } from "@pulumi/azure-native/containerservice/managedCluster.js";
import { isProtected } from "../../../config/capacity.ts";
import type { AksCluster } from "../config/cluster.ts";
import type { AksPool } from "../config/pool.ts";
import { transformed } from "../../../components/transform.ts";
import type { ComponentOptions, Transform } from "../../../components/transform.ts";
import { agentPoolFacts, isAutoscaled } from "./agent-pool.ts";
import { agentPoolReplacingFields } from "./replacing-fields.ts";

export interface AksGpuNodePoolArgs {
  /** The pool, as the stack's configuration has it. */
  readonly pool: AksPool;
  /** The cluster that it belongs to, as the stack's configuration has it. */
  readonly cluster: AksCluster;
  /** The cluster itself: the pool goes and is made anew with it. */
  readonly clusterResource: ManagedCluster;
  /** Subnet of the nodes. */
  readonly subnetId: Input<string>;
  readonly transform?: {
    readonly agentPool?: Transform<AgentPoolArgs>;
  };
}

/** Azure says at once that it has no machine; nodes that it has are ready within minutes, with their driver. */
const createMinutes = 60;
/**
 * What a rolling upgrade takes for each node, which go one by one: 30 minutes to drain it, AKS' default limit
 * (learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling), and as long again to make it anew, a guess.
 */
const upgradeMinutesPerNode = 60;

/** An agent pool of GPU machines; protected where its capacity is reserved or the pool says so. */
export class AksGpuNodePool extends ComponentResource {
  readonly agentPool: AgentPool;
  /** Name of the agent pool, which is also that of its GpuPool. */
  readonly poolName: Output<string>;

  constructor(
    name: string,
    { pool, cluster, clusterResource, subnetId, transform }: AksGpuNodePoolArgs,
    options: ComponentOptions,
  ) {
    super("llama-operator:aks:GpuNodePool", name, {}, options);
    const updateMinutes = Math.max(createMinutes, upgradeMinutesPerNode * pool.nodes.max);
    const { args, options: own } = transformed<AgentPoolArgs>(transform?.agentPool, {
      args: {
        ...agentPoolFacts(pool, cluster),
        // The provider keeps the name in every preview (pulumi/pulumi-azure-native pull request 282).
        resourceName: clusterResource.name,
        vnetSubnetID: subnetId,
      },
      options: {
        parent: this,
        provider: options.provider,
        protect: isProtected(pool),
        // Azure deletes a cluster with all of its pools.
        deletedWith: clusterResource,
        replaceWith: [clusterResource],
        // No capacity holds old nodes and new ones, and the name is taken until the old pool is gone.
        deleteBeforeReplace: true,
        replaceOnChanges: agentPoolReplacingFields.map(({ field }) => field),
        ...(isAutoscaled(pool) ? { ignoreChanges: ["count"] } : {}),
        customTimeouts: {
          create: `${createMinutes}m`,
          update: `${updateMinutes}m`,
          delete: `${createMinutes}m`,
        },
      },
    });
    this.agentPool = new AgentPool(name, args, own);
    this.poolName = this.agentPool.name.apply((known) => known ?? pool.name);
    this.registerOutputs({ poolName: this.poolName });
  }
}
