// The arguments of a GPU pool's AgentPool as far as they follow from the configuration alone: plain values, so that the
// guard against replacing a pool can read them before anything is registered.
import type { AgentPoolArgs } from "@pulumi/azure-native/containerservice/agentPool.js";
import type { AksCluster } from "../config/cluster.ts";
import { aksTaints, spotTaint } from "../config/facts.ts";
import type { AksPool } from "../config/pool.ts";

/** Arguments without the subnet, which is made by the same program. */
export function agentPoolFacts(pool: AksPool, cluster: AksCluster): AgentPoolArgs {
  const { capacity, osDisk } = pool;
  const zones = zonesOf(pool);
  return {
    resourceGroupName: cluster.resourceGroup,
    resourceName: cluster.name,
    agentPoolName: pool.name,
    mode: "User",
    type: "VirtualMachineScaleSets",
    vmSize: pool.machineShape,
    osType: "Linux",
    // AKS has no Azure Linux for machines with A100 and H100, and InfiniBand's driver is for Ubuntu.
    // Source: learn.microsoft.com/azure/aks/use-nvidia-gpu.
    osSKU: "Ubuntu",
    osDiskType: osDisk.kind === "ephemeral" ? "Ephemeral" : "Managed",
    ...(osDisk.kind === "managed" ? { osDiskSizeGB: osDisk.sizeGib } : {}),
    ...(zones === undefined ? {} : { availabilityZones: zones }),
    orchestratorVersion: pool.kubernetesVersion ?? cluster.kubernetesVersion,
    ...sizeOf(pool),
    gpuProfile: { driver: pool.driver === "install" ? "Install" : "None" },
    nodeTaints: aksTaints(pool).map(({ key, value, effect }) => `${key}=${value}:${effect}`),
    // AKS would add label and taint of spot itself, and every later preview would find them changed.
    ...(capacity.kind === "spot" ? { nodeLabels: { [spotTaint.key]: spotTaint.value } } : {}),
    ...capacityOf(pool),
    tags: cluster.tags,
  };
}

function zonesOf({ zones, capacity }: AksPool): string[] | undefined {
  if (zones !== undefined) return [...zones];
  return capacity.kind === "reserved" && capacity.zone !== undefined ? [capacity.zone] : undefined;
}

/** Whether the cluster autoscaler owns the size. */
export const isAutoscaled = ({ nodes }: AksPool): boolean => nodes.max > nodes.min;

function sizeOf(pool: AksPool): Pick<AgentPoolArgs, "count" | "enableAutoScaling" | "minCount" | "maxCount"> {
  const { min, max } = pool.nodes;
  if (!isAutoscaled(pool)) return { count: min, enableAutoScaling: false };
  return { count: min, enableAutoScaling: true, minCount: min, maxCount: max };
}

/**
 * Where nodes come from, and how they are upgraded: no spare GPU is asked for, one node at a time is emptied. AKS has no
 * surge on spot nodes. Sources: learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling, …/spot-node-pool.
 */
function capacityOf({ capacity }: AksPool): Partial<AgentPoolArgs> {
  const inPlace = { upgradeSettings: { maxSurge: "0", maxUnavailable: "1" } };
  switch (capacity.kind) {
    case "onDemand":
      return { scaleSetPriority: "Regular", ...inPlace };
    case "reserved":
      return {
        scaleSetPriority: "Regular",
        capacityReservationGroupID: capacity.reservation,
        ...inPlace,
      };
    case "spot":
      return {
        scaleSetPriority: "Spot",
        scaleSetEvictionPolicy: "Delete",
        // -1: never evicted for the price.
        spotMaxPrice: capacity.maxDollarsPerHour ?? -1,
      };
    default:
      return capacity satisfies never;
  }
}
