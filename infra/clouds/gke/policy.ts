// GKE's node pools: gcp.container.NodePool of @pulumi/gcp 9.37.0.
import { findMachineShape } from "@llama-operator/llama/catalog";
import type { Properties } from "../../policies/properties.ts";
import type {
  GpuNodePool,
  PoolCapacity,
  PoolReader,
  ArgumentNames,
  Related,
} from "../../policies/gpu-node-pool.ts";

const argumentNames: ArgumentNames = {
  taint: "nodeConfig.taints: [{ key: nvidia.com/gpu, value: present, effect: NO_SCHEDULE }]",
  oneZone: "nodeLocations: one zone",
  repair: "management.autoRepair: true",
  noSurge: "upgradeSettings: { maxSurge: 0, maxUnavailable: 1 }",
  privateNodes: "networkConfig.enablePrivateNodes: true",
};

export const gkePools: PoolReader = {
  isPool: (type) => type === "gcp:container/nodePool:NodePool",
  read: gkeNodePool,
};

/** Zones that a regional cluster's pool has unless it says: https://cloud.google.com/kubernetes-engine/docs/concepts/regional-clusters */
const zonesOfRegion = 3;

function gkeNodePool(pool: Properties, related: readonly Related[] = []): GpuNodePool | undefined {
  const shape = findMachineShape(pool.text("nodeConfig.machineType") ?? "");
  const [accelerator] = pool.list("nodeConfig.guestAccelerators");
  if (shape === undefined && accelerator === undefined) return undefined;
  const zones = zonesOf(pool);
  const capacity = capacityOf(pool);
  return {
    gpusPerNode: shape?.gpusPerNode ?? accelerator?.number("count"),
    nodesAtMost: nodesAtMost(pool, zones ?? zonesOfRegion),
    hasFabric: shape !== undefined && shape.fabric.type !== "none",
    tainted: pool
      .list("nodeConfig.taints")
      .some((taint) => ["NO_SCHEDULE", "NO_EXECUTE"].includes(taint.text("effect") ?? "")),
    capacity,
    oneZone: zones === 1,
    // Flex-start refuses it: cluster-toolkit's preconditions of modules/compute/gke-node-pool.
    repaired: capacity === "flexStart" || pool.isTrue("management.autoRepair"),
    surges: pool.number("upgradeSettings.maxSurge") !== 0,
    privateNodes: privateNodes(pool, related),
    argumentNames,
  };
}

/** How many zones it says that it has. A location without a zone's letter is a region. */
function zonesOf(pool: Properties): number | undefined {
  const listed = pool.count("nodeLocations");
  if (listed > 0) return listed;
  return /-[a-z]$/.test(pool.text("location") ?? "") ? 1 : undefined;
}

/** `nodeCount`, `initialNodeCount` and `autoscaling.maxNodeCount` are for each zone; the total is not. */
function nodesAtMost(pool: Properties, zones: number): number | undefined {
  const inAll = pool.number("autoscaling.totalMaxNodeCount");
  if (inAll !== undefined) return inAll;
  const inEach =
    pool.number("autoscaling.maxNodeCount") ?? pool.number("nodeCount") ?? pool.number("initialNodeCount");
  return inEach === undefined ? undefined : inEach * zones;
}

function capacityOf(pool: Properties): PoolCapacity {
  const reservation = pool.text("nodeConfig.reservationAffinity.consumeReservationType");
  if (reservation === "SPECIFIC_RESERVATION" || reservation === "ANY_RESERVATION_THEN_FAIL") return "bought";
  if (pool.isTrue("nodeConfig.spot") || pool.isTrue("nodeConfig.preemptible")) return "spot";
  return pool.isTrue("nodeConfig.flexStart") ? "flexStart" : "onDemand";
}

/** A pool has what its cluster has, unless it says. */
function privateNodes(pool: Properties, related: readonly Related[]): boolean {
  if (pool.isTrue("networkConfig.enablePrivateNodes")) return true;
  if (pool.isFalse("networkConfig.enablePrivateNodes")) return false;
  return related.some(
    ({ type, properties }) =>
      type === "gcp:container/cluster:Cluster" &&
      properties.isTrue("privateClusterConfig.enablePrivateNodes"),
  );
}
