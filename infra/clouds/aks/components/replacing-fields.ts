// What of a GPU pool AKS changes only by making the agent pool anew. Of some of these Azure's API says "Changing property
// … is not allowed" instead of replacing anything; the pool is then replaced by Pulumi, once `allowReplace` names it.
import type { ReplacingField } from "../../../guards/replacing-field.ts";

/** What @pulumi/azure-native replaces by itself. */
const provider = "pulumi/pulumi-azure-native:provider/pkg/gen/replacement.go";
/** The documentation of the API's properties, as @pulumi/azure-native carries it. */
const api = "@pulumi/azure-native 3.28.0: containerservice/agentPool.d.ts";
const spot = "learn.microsoft.com/azure/aks/spot-node-pool, Limitations";

/** Of `azure-native.containerservice.AgentPool`. */
export const agentPoolReplacingFields: readonly ReplacingField[] = [
  { field: "agentPoolName", reason: "the name of an agent pool is its address", source: provider },
  { field: "resourceName", reason: "an agent pool stays in its cluster", source: provider },
  { field: "resourceGroupName", reason: "an agent pool stays in its resource group", source: provider },
  { field: "vmSize", reason: "the machines of an agent pool are fixed", source: provider },
  { field: "gpuInstanceProfile", reason: "how GPUs are divided is fixed", source: provider },
  {
    field: "gpuProfile.driver",
    reason: "nodes that are there keep the driver that they were made with",
    source: "learn.microsoft.com/azure/aks/use-nvidia-gpu, Skip GPU driver installation",
  },
  {
    field: "availabilityZones",
    reason: "the zones of a scale set are fixed",
    source: "learn.microsoft.com/azure/aks/reliability-availability-zones-configure",
  },
  { field: "osDiskType", reason: "the kind of disk may not be changed after creation", source: api },
  {
    field: "osDiskSizeGB",
    reason: "the size of the disk cannot be changed after creation",
    source: "learn.microsoft.com/azure/aks/concepts-storage, Default OS disk sizing",
  },
  { field: "scaleSetPriority", reason: "a pool stays spot or regular", source: spot },
  { field: "scaleSetEvictionPolicy", reason: "what happens to evicted nodes is fixed", source: spot },
  { field: "spotMaxPrice", reason: "the most that a spot node may cost is fixed", source: spot },
  {
    field: "capacityReservationGroupID",
    reason: "a pool is bound to its reservation when it is made; changing that later is a preview",
    source: "learn.microsoft.com/azure/aks/use-capacity-reservation-groups",
  },
];

const cluster = "the cluster is made anew for it, and every pool with it";

/** Of `azure-native.containerservice.ManagedCluster`: the pools' own state says "same" while Azure deletes them. */
export const managedClusterReplacingFields: readonly ReplacingField[] = [
  { field: "resourceGroupName", reason: cluster, source: provider },
  { field: "resourceName", reason: cluster, source: provider },
  { field: "location", reason: cluster, source: provider },
  { field: "dnsPrefix", reason: cluster, source: provider },
  { field: "networkProfile.serviceCidr", reason: cluster, source: provider },
  { field: "networkProfile.dnsServiceIP", reason: cluster, source: provider },
  { field: "networkProfile.networkPlugin", reason: cluster, source: provider },
  { field: "networkProfile.networkPluginMode", reason: cluster, source: provider },
  { field: "networkProfile.podCidr", reason: cluster, source: provider },
  { field: "networkProfile.outboundType", reason: cluster, source: provider },
];

/** Of the provider itself. */
export const subscriptionReplacingFields: readonly ReplacingField[] = [
  {
    field: "subscriptionId",
    reason: "in another subscription everything is made anew",
    source: "pulumi/pulumi-azure-native:provider/pkg/provider/provider.go, DiffConfig",
  },
];

/** What makes the nodes of an agent pool anew, in the pool. */
export const agentPoolRollingFields: readonly ReplacingField[] = [
  {
    field: "orchestratorVersion",
    reason: "nodes of another Kubernetes are other nodes",
    source: "learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling",
  },
  {
    field: "osSKU",
    reason: "each node gets another image",
    source: "learn.microsoft.com/azure/aks/upgrade-os-version",
  },
];
