// AKS's agent pools: azure-native.containerservice.AgentPool of @pulumi/azure-native 3.28.0.
import { findMachineShape } from "@llama-operator/llama/catalog";
import type { Properties } from "../../policies/properties.ts";
import type { GpuNodePool, PoolCapacity, PoolReader, ArgumentNames } from "../../policies/gpu-node-pool.ts";

const argumentNames: ArgumentNames = {
  taint: "nodeTaints: [sku=gpu:NoSchedule]",
  oneZone: "availabilityZones: one zone",
  repair: "nothing: AKS repairs every node",
  noSurge: 'upgradeSettings: { maxSurge: "0", maxUnavailable: "1" }',
  privateNodes: "enableNodePublicIP: false",
};

export const aksPools: PoolReader = {
  // azure-native has the API's version in some of its types.
  isPool: (type) => /^azure-native:containerservice(?:\/v\w+)?:AgentPool$/.test(type),
  read: aksAgentPool,
};

/** Azure's families with GPUs begin so: MicrosoftDocs/azure-compute-docs, sizes/gpu-accelerated. */
const gpuFamily = /^Standard_N[CDGV]/i;

function aksAgentPool(pool: Properties): GpuNodePool | undefined {
  const size = pool.text("vmSize") ?? "";
  const shape = findMachineShape(size);
  if (shape === undefined && !gpuFamily.test(size)) return undefined;
  return {
    gpusPerNode: shape?.gpusPerNode,
    nodesAtMost: pool.number(pool.isTrue("enableAutoScaling") ? "maxCount" : "count"),
    hasFabric: shape !== undefined && shape.fabric.type !== "none",
    tainted: pool.texts("nodeTaints").some((taint) => /:(?:NoSchedule|NoExecute)$/.test(taint)),
    capacity: capacityOf(pool),
    // Without zones a scale set is regional, and its InfiniBand is within it.
    oneZone: pool.count("availabilityZones") <= 1,
    // https://learn.microsoft.com/azure/aks/node-auto-repair: always on.
    repaired: true,
    surges: !/^0%?$/.test(pool.text("upgradeSettings.maxSurge") ?? ""),
    privateNodes: !pool.isTrue("enableNodePublicIP"),
    argumentNames,
  };
}

function capacityOf(pool: Properties): PoolCapacity {
  if (pool.has("capacityReservationGroupID")) return "bought";
  return pool.text("scaleSetPriority") === "Spot" ? "spot" : "onDemand";
}
