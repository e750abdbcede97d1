// What GKE is asked of a pool of GPU nodes, from the stack's configuration and the catalog. Pure.
import type { NodePoolArgs } from "@pulumi/gcp/container/nodePool.js";
import type { container } from "@pulumi/gcp/types/input.js";
import type { Input } from "@pulumi/pulumi";
import type { MachineShape } from "@llama-operator/llama/catalog";
import type { GkeCluster } from "../config/cluster.ts";
import { findGkeShape, localSsdCount } from "../config/machines.ts";
import type { GkePool } from "../config/pool.ts";
import { noPluginLabel } from "./driver-installer.ts";
import { commonNodeConfig } from "./node-config.ts";

/** A network that the nodes have a further interface in. */
export interface NodeNetwork {
  readonly network: Input<string>;
  readonly subnetwork: Input<string>;
}

export interface GpuNodePoolPlace {
  readonly cluster: Pick<GkeCluster, "project" | "region">;
  readonly clusterId: Input<string>;
  /** Email of the nodes' service account. */
  readonly serviceAccount: Input<string>;
  /** The further networks, where the pool has such a fabric. */
  readonly networks: readonly NodeNetwork[];
}

export function gpuNodePoolArgs(pool: GkePool, place: GpuNodePoolPlace): NodePoolArgs {
  const shape = findGkeShape(pool.machineShape);
  if (shape === undefined) throw new Error(`the catalog has no machine ${pool.machineShape}`);
  const { cluster, clusterId } = place;
  const { name, zones, placement, capacity } = pool;
  return {
    project: cluster.project,
    location: cluster.region,
    cluster: clusterId,
    name,
    nodeLocations: [...zones],
    ...sizeOf(pool),
    management: { autoRepair: pool.repair ?? capacity.kind !== "flexStart", autoUpgrade: true },
    upgradeSettings: upgradeOf(pool),
    // Google chooses when it upgrades the nodes of a channel; those of bought capacity only when their version's support
    // ends, so that a person does it before, when there is time.
    ...(capacity.kind === "reserved"
      ? { maintenancePolicies: [{ exclusionUntilEndOfSupports: [{ enabled: true }] }] }
      : {}),
    ...placementOf(placement),
    ...(capacity.kind === "queued" ? { queuedProvisioning: { enabled: true } } : {}),
    networkConfig: networkOf(pool, place),
    nodeConfig: nodeConfigOf(pool, shape, place),
  };
}

function placementOf(placement: GkePool["placement"]): Pick<NodePoolArgs, "placementPolicy"> {
  if (placement === undefined) return {};
  const policy = placement === "compact" ? {} : { policyName: placement.policy };
  return { placementPolicy: { type: "COMPACT", ...policy } };
}

/** Of a fixed pool the nodes of each zone; of another one the limits of its autoscaler, over all zones. */
function sizeOf({ nodes: { min, max }, zones, locationPolicy }: GkePool): Partial<NodePoolArgs> {
  if (min === max) return { nodeCount: max / zones.length };
  return {
    // A change of it would replace the pool; after the creation the autoscaler owns the size.
    initialNodeCount: min / zones.length,
    autoscaling: { totalMinNodeCount: min, totalMaxNodeCount: max, locationPolicy },
  };
}

function upgradeOf({ upgrade }: GkePool): container.NodePoolUpgradeSettings {
  const { strategy, maxSurge, maxUnavailable } = upgrade;
  return strategy === "blueGreen"
    ? { strategy: "BLUE_GREEN" }
    : { strategy: "SURGE", maxSurge, maxUnavailable };
}

function networkOf({ fabric }: GkePool, { networks }: GpuNodePoolPlace): container.NodePoolNetworkConfig {
  return {
    enablePrivateNodes: true,
    ...(fabric?.kind === "dranet" ? { acceleratorNetworkProfile: "auto" } : {}),
    ...(fabric?.kind === "multiNetwork" ? { additionalNodeNetworkConfigs: [...networks] } : {}),
  };
}

/** As GKE's enum has them. With the GPU Operator GKE cannot install its driver: see driver-installer.ts, which does. */
const driverVersions = {
  default: "DEFAULT",
  latest: "LATEST",
  gpuOperator: "INSTALLATION_DISABLED",
} as const;

function nodeConfigOf(
  pool: GkePool,
  shape: MachineShape,
  { serviceAccount, cluster }: GpuNodePoolPlace,
): container.NodePoolNodeConfig {
  const ssds = localSsdCount(shape);
  const labels = nodeLabelsOf(pool);
  return {
    ...commonNodeConfig(serviceAccount),
    machineType: shape.name,
    diskSizeGb: pool.bootDiskGib,
    guestAccelerators: [
      {
        type: shape.gpu,
        count: shape.gpusPerNode,
        gpuDriverInstallationConfig: { gpuDriverVersion: driverVersions[pool.driver] },
      },
    ],
    ...(ssds === 0 ? {} : { ephemeralStorageLocalSsdConfig: { localSsdCount: ssds } }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    // GKE sets it only where the cluster has other pools, and a later one would replace this pool.
    taints: shape.nodeTaints.map(({ key, value = "" }) => ({ key, value, effect: "NO_SCHEDULE" })),
    ...capacityOf(pool, cluster.project),
  };
}

function nodeLabelsOf({ fabric, driver }: GkePool): Readonly<Record<string, string>> {
  return {
    ...(fabric?.kind === "dranet" ? { "cloud.google.com/gke-networking-dra-driver": "true" } : {}),
    // Of two device plugins on one node each would announce the GPUs.
    ...(driver === "gpuOperator" ? { [noPluginLabel]: "true" } : {}),
  };
}

const reservationKey = "compute.googleapis.com/reservation-name";

/** Nodes that are not of the reservation must not take it from those that are. */
const noReservation = { reservationAffinity: { consumeReservationType: "NO_RESERVATION" } };

function capacityOf({ capacity }: GkePool, project: string): container.NodePoolNodeConfig {
  switch (capacity.kind) {
    case "onDemand":
    case "queued":
      return noReservation;
    case "spot":
      return { ...noReservation, spot: true };
    case "flexStart":
      return { ...noReservation, flexStart: true, maxRunDuration: `${capacity.maxRunSeconds}s` };
    case "reserved":
      return {
        reservationAffinity: {
          consumeReservationType: "SPECIFIC_RESERVATION",
          key: reservationKey,
          values: [reservationValue(capacity, project)],
        },
      };
    default:
      return capacity satisfies never;
  }
}

/** A reservation, or one of its blocks. Source: cluster-toolkit, modules/compute/gke-node-pool/main.tf. */
function reservationValue(
  { reservation, project, block }: Extract<GkePool["capacity"], { kind: "reserved" }>,
  own: string,
): string {
  const whole = `projects/${project ?? own}/reservations/${reservation}`;
  return block === undefined ? whole : `${whole}/reservationBlocks/${block}`;
}
