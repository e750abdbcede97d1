// What a GPU pool asks EKS and EC2 for, as far as its configuration says it: plain values, which the guard against
// replacements compares from run to run.
import type { NodeGroupArgs } from "@pulumi/aws/eks/nodeGroup.js";
import type { LaunchTemplateArgs } from "@pulumi/aws/ec2/launchTemplate.js";
import { findMachineShape, type NodeTaint } from "@llama-operator/llama/catalog";
import type { Output } from "@pulumi/pulumi";
import type { EksCapacity } from "../config/capacity.ts";
import type { EksCluster } from "../config/cluster.ts";
import { efaDevices, placementOf } from "../config/pool.ts";
import type { EksPool } from "../config/pool.ts";
import { nodesOfBlock } from "./block-times.ts";
import { networkInterfaces } from "./network-interfaces.ts";
import { userData } from "./user-data.ts";

const capacityTypes = {
  onDemand: "ON_DEMAND",
  spot: "SPOT",
  // EC2 takes the instances from the reservation that the launch template names; to EKS they are on demand.
  reserved: "ON_DEMAND",
  capacityBlock: "CAPACITY_BLOCK",
} as const satisfies Readonly<Record<EksCapacity["kind"], string>>;

const taintEffects = {
  NoSchedule: "NO_SCHEDULE",
  NoExecute: "NO_EXECUTE",
  PreferNoSchedule: "PREFER_NO_SCHEDULE",
} as const satisfies Readonly<Record<NodeTaint["effect"], string>>;

/** The part of a node group's arguments that depends on no other resource. */
export function nodeGroupFacts(
  cluster: EksCluster,
  pool: EksPool,
  now: Date,
): Omit<NodeGroupArgs, "nodeRoleArn" | "subnetIds"> {
  const { nodes, capacity, amiType, amiReleaseVersion, version } = pool;
  const taints = findMachineShape(pool.machineShape)?.nodeTaints ?? [];
  const block = capacity.kind === "capacityBlock";
  return {
    clusterName: cluster.name,
    nodeGroupName: pool.name,
    amiType,
    ...(version === undefined ? {} : { version }),
    ...(amiReleaseVersion === undefined ? {} : { releaseVersion: amiReleaseVersion }),
    capacityType: capacityTypes[capacity.kind],
    labels: nodeLabels(pool),
    taints: taints.map(({ key, value, effect }) => ({
      key,
      ...(value === undefined ? {} : { value }),
      effect: taintEffects[effect],
    })),
    scalingConfig: {
      minSize: block ? 0 : nodes.min,
      maxSize: nodes.max,
      desiredSize: block ? nodesOfBlock(capacity, nodes.max, now) : nodes.min,
    },
    // Old nodes go first, one by one: there are no spare GPUs to roll onto.
    updateConfig: { updateStrategy: "MINIMAL", maxUnavailable: 1 },
    nodeRepairConfig: { enabled: true, maxParallelNodesRepairedCount: 1 },
    tags: cluster.tags,
  };
}

/** What the device plugins look for: both run on labelled nodes alone. */
function nodeLabels(pool: EksPool): Readonly<Record<string, string>> {
  return {
    "nvidia.com/gpu.present": "true",
    ...(efaDevices(pool) === 0 ? {} : { "vpc.amazonaws.com/efa.present": "true" }),
  };
}

/** The root volume of Amazon Linux 2023. */
const rootDevice = "/dev/xvda";

/** Name of the placement group that is made for a pool. */
export const placementGroupName = (cluster: EksCluster, pool: EksPool): string =>
  `${cluster.name}-${pool.name}`;

/**
 * What a pool's launch template says of its nodes: each change makes a version of it, and the node group follows the
 * newest, so that every node goes. Tags of instances are apart for that reason.
 */
export function launchTemplateFacts(
  cluster: EksCluster,
  pool: EksPool,
  securityGroups?: Output<string>[],
): LaunchTemplateArgs {
  const data = userData(pool.localStorage);
  const placement = placementOf(pool);
  const groupName = placement === "create" ? placementGroupName(cluster, pool) : placement;
  return {
    // In the template and not in the node group: EKS refuses a machine in both, and one of a block elsewhere.
    instanceType: pool.machineShape,
    ...capacityFacts(pool.capacity),
    ...(groupName === "none"
      ? {}
      : { placement: { groupName: typeof groupName === "string" ? groupName : groupName.name } }),
    networkInterfaces: networkInterfaces(efaDevices(pool)).map((each) => ({
      ...each,
      deleteOnTermination: "true",
      ...(securityGroups === undefined ? {} : { securityGroups }),
    })),
    blockDeviceMappings: [
      {
        deviceName: rootDevice,
        ebs: { volumeSize: pool.rootVolumeGib, volumeType: "gp3", deleteOnTermination: "true" },
      },
    ],
    // Pods do not reach the node's credentials: the answer does not survive the hop into a pod.
    metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
    ...(data === undefined ? {} : { userData: data }),
  };
}

/** How the launch template draws on capacity that was bought. */
export function capacityFacts(
  capacity: EksCapacity,
): Pick<LaunchTemplateArgs, "instanceMarketOptions" | "capacityReservationSpecification"> {
  switch (capacity.kind) {
    case "onDemand":
    case "spot":
      return {};
    case "reserved": {
      const { reservation } = capacity;
      return {
        capacityReservationSpecification: {
          // Rather none than one that is paid beside a reservation that stands empty.
          capacityReservationPreference: "capacity-reservations-only",
          capacityReservationTarget: reservation.startsWith("arn:")
            ? { capacityReservationResourceGroupArn: reservation }
            : { capacityReservationId: reservation },
        },
      };
    }
    case "capacityBlock":
      return {
        instanceMarketOptions: { marketType: "capacity-block" },
        capacityReservationSpecification: {
          capacityReservationTarget: { capacityReservationId: capacity.reservation },
        },
      };
    default:
      return capacity satisfies never;
  }
}
