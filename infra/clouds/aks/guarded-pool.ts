// A GPU pool of AKS as the guard sees it: with the cluster that it stands in, whose replacement takes it along.
import { findMachineShape } from "@llama-operator/llama/catalog";
import type { GuardedPool } from "../../guards/guard-pools.ts";
import { fieldsOf } from "../../guards/replacing-field.ts";
import { agentPoolFacts } from "./components/agent-pool.ts";
import { managedClusterFacts } from "./components/managed-cluster.ts";
import {
  agentPoolReplacingFields,
  agentPoolRollingFields,
  managedClusterReplacingFields,
  subscriptionReplacingFields,
} from "./components/replacing-fields.ts";
import type { AksCluster } from "./config/cluster.ts";
import type { AksPool } from "./config/pool.ts";

export const guardedPool = (cluster: AksCluster, pool: AksPool): GuardedPool => ({
  name: pool.name,
  nodes: pool.nodes.max,
  gpusPerNode: findMachineShape(pool.machineShape)?.gpusPerNode ?? 0,
  args: {
    ...agentPoolFacts(pool, cluster),
    cluster: clusterFacts(cluster),
    provider: { subscriptionId: cluster.subscription },
  },
  fields: [
    ...agentPoolReplacingFields,
    ...fieldsOf("cluster", managedClusterReplacingFields),
    ...fieldsOf("provider", subscriptionReplacingFields),
  ],
  rollout: {
    fields: agentPoolRollingFields,
    pace:
      pool.capacity.kind === "spot"
        ? "some at a time, as AKS upgrades spot nodes"
        : "one at a time, the old one first",
  },
});

/** The cluster's arguments; what the same program makes for it is called as the configuration says. */
const clusterFacts = (cluster: AksCluster) =>
  managedClusterFacts(cluster, {
    resourceGroupName: cluster.resourceGroup,
    identityId: cluster.identity ?? "",
    subnetId: "",
  });
