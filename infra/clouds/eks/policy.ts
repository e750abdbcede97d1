// EKS's managed node groups: aws.eks.NodeGroup of @pulumi/aws 7.48.0, with the launch template that it may have.
import { findMachineShape } from "@llama-operator/llama/catalog";
import { Properties } from "../../policies/properties.ts";
import type {
  GpuNodePool,
  PoolCapacity,
  PoolReader,
  ArgumentNames,
  Related,
} from "../../policies/gpu-node-pool.ts";

const argumentNames: ArgumentNames = {
  taint: "taints: [{ key: nvidia.com/gpu, value: present, effect: NO_SCHEDULE }]",
  oneZone: "subnetIds: one subnet, of one zone",
  repair: "nodeRepairConfig: { enabled: true }",
  noSurge: "updateConfig: { updateStrategy: MINIMAL, maxUnavailable: 1 }",
  privateNodes:
    "mapPublicIpOnLaunch: false on its subnets, and no associatePublicIpAddress in its launch template",
};

export const eksPools: PoolReader = {
  isPool: (type) => type === "aws:eks/nodeGroup:NodeGroup",
  read: eksNodeGroup,
};

/** A group's template may hold machine and reservation, and is another resource. */
function eksNodeGroup(
  group: Properties,
  related: readonly Related[] | undefined,
): GpuNodePool | "later" | undefined {
  const hasTemplate = group.has("launchTemplate");
  if (hasTemplate && related === undefined) return "later";
  const template =
    (hasTemplate
      ? related?.find(({ type }) => type === "aws:ec2/launchTemplate:LaunchTemplate")?.properties
      : undefined) ?? new Properties({});
  const [machine] = [...group.texts("instanceTypes"), template.text("instanceType")];
  const shape = findMachineShape(machine ?? "");
  if (shape === undefined && !(group.text("amiType") ?? "").includes("NVIDIA")) return undefined;
  return {
    gpusPerNode: shape?.gpusPerNode,
    nodesAtMost: group.number("scalingConfig.maxSize"),
    hasFabric: shape !== undefined && shape.fabric.type !== "none",
    tainted: group
      .list("taints")
      .some((taint) => ["NO_SCHEDULE", "NO_EXECUTE"].includes(taint.text("effect") ?? "")),
    capacity: capacityOf(group, template),
    oneZone: group.count("subnetIds") === 1,
    repaired: group.isTrue("nodeRepairConfig.enabled"),
    surges: group.text("updateConfig.updateStrategy") !== "MINIMAL",
    privateNodes: privateNodes(template, related),
    argumentNames,
  };
}

function capacityOf(group: Properties, template: Properties): PoolCapacity {
  const preference = template.text("capacityReservationSpecification.capacityReservationPreference");
  if (
    group.text("capacityType") === "CAPACITY_BLOCK" ||
    template.has("capacityReservationSpecification.capacityReservationTarget") ||
    preference === "capacity-reservations-only"
  ) {
    return "bought";
  }
  return group.text("capacityType") === "SPOT" ? "spot" : "onDemand";
}

/** Of subnets that are not of the stack nothing is known. */
function privateNodes(template: Properties, related: readonly Related[] = []): boolean | undefined {
  const subnets = related.filter(({ type }) => type === "aws:ec2/subnet:Subnet");
  const isPublic =
    template.list("networkInterfaces").some((each) => each.isTrue("associatePublicIpAddress")) ||
    subnets.some(({ properties }) => properties.isTrue("mapPublicIpOnLaunch"));
  if (isPublic) return false;
  return subnets.length === 0 ? undefined : true;
}
