// A GPU pool of GKE as the guard sees it, with the cluster and the network that it stands in.
import { findMachineShape } from "@llama-operator/llama/catalog";
import type { GuardedPool } from "../../guards/guard-pools.ts";
import { fieldsOf } from "../../guards/replacing-field.ts";
import { clusterArgs } from "./components/cluster-args.ts";
import { fabricName } from "./components/fabric-networks.ts";
import { gpuNodePoolArgs } from "./components/gpu-node-pool-args.ts";
import type { NodeNetwork } from "./components/gpu-node-pool-args.ts";
import {
  clusterReplacingFields,
  nodePoolReplacingFields,
  nodePoolRollingFields,
  subnetworkReplacingFields,
} from "./components/replacing-fields.ts";
import type { GkeCluster } from "./config/cluster.ts";
import type { GkePool } from "./config/pool.ts";
import { interfacesOf, networksOf } from "./pool-networks.ts";

/**
 * What other resources will be called is known by the names that they are given. How many nodes an autoscaler's pool
 * begins with does not matter afterwards: a change of it is ignored.
 */
export function guardedPool(cluster: GkeCluster, pool: GkePool): GuardedPool {
  const { initialNodeCount: _, ...args } = gpuNodePoolArgs(pool, {
    cluster,
    clusterId: cluster.name,
    serviceAccount: "",
    networks: networksOf(pool, namesOfFabric(cluster, interfacesOf(pool))),
  });
  return {
    name: pool.name,
    nodes: pool.nodes.max,
    gpusPerNode: findMachineShape(pool.machineShape)?.gpusPerNode ?? 0,
    args: { ...args, ...placeOf(cluster) },
    fields: [
      ...nodePoolReplacingFields,
      ...fieldsOf("controlPlane", clusterReplacingFields),
      ...fieldsOf("subnetwork", subnetworkReplacingFields),
    ],
    rollout: { fields: nodePoolRollingFields, pace: paceOf(pool) },
  };
}

/** The cluster's own arguments; `cluster` is the pool's, and only its name. */
const placeOf = (cluster: GkeCluster) => ({
  subnetwork: { ipCidrRange: cluster.network.nodes },
  controlPlane: clusterArgs(cluster, {
    networkId: cluster.name,
    subnetworkId: cluster.name,
    multiNetwork: false,
    serviceAccount: "",
  }),
});

const namesOfFabric = (cluster: GkeCluster, count: number): readonly NodeNetwork[] =>
  Array.from({ length: count }, (_, index) => {
    const name = fabricName(cluster, index);
    return { network: name, subnetwork: name };
  });

/** Source: cloud.google.com/kubernetes-engine/docs/concepts/node-pool-upgrade-strategies. */
function paceOf({ upgrade: { strategy, maxSurge, maxUnavailable } }: GkePool): string {
  return strategy === "blueGreen"
    ? "onto as many new ones beside the old ones"
    : `${maxSurge + maxUnavailable} at a time, of which ${maxUnavailable} are gone before the next ones come`;
}
