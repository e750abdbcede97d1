// What EKS refuses of a node group, and what EC2 refuses of its instances, for which the group ends as CREATE_FAILED.
// Sources: docs.aws.amazon.com/eks/latest/userguide/{launch-templates,capacity-blocks-mng,create-node-role,cni-iam-role}.html,
// AWSEC2/latest/UserGuide/{efa-acc-inst-types,capacity-reservations-using}.html. What a person may write stands once, in
// infra/clouds/eks/config/checks.ts; these judge what the components make of it, and what the account holds.

import { textOf } from "../../../local-engine/protocol/properties.ts";
import type { PropertyMap } from "../../../local-engine/protocol/properties.ts";
import { findMachineShape } from "@llama-operator/llama/catalog";
import type { CloudRecord, CloudView, Reservation } from "../cloud.ts";
import { policiesOf } from "./identity.ts";
import { eksError, having, listOf, mapsOf, part, types } from "./names.ts";

/** What a group is about to be made or changed of. */
interface Asked {
  readonly inputs: PropertyMap;
  readonly template: PropertyMap;
  readonly hasTemplate: boolean;
  readonly zones: readonly string[];
  readonly desired: number;
  readonly id: string;
  readonly cloud: CloudView;
}

const invalid = (message: string) => eksError("CreateNodegroup", "InvalidParameterException", message);
const failed = (code: string, message: string) =>
  `unexpected state 'CREATE_FAILED', wanted target 'ACTIVE'. last error: ${code}: ${message}`;

const rules: readonly ((asked: Asked) => string | undefined)[] = [
  references,
  sizes,
  machine,
  joining,
  interfaces,
  capacityBlock,
  reserved,
];

export function nodeGroupRefusal(inputs: PropertyMap, cloud: CloudView): string | undefined {
  const reference = part(inputs, "launchTemplate");
  const template = cloud.find(types.launchTemplate, reference["id"]);
  if (Object.keys(reference).length > 0 && template === undefined) {
    return invalid(`The launch template ${textOf(reference["id"])} does not exist.`);
  }
  const asked: Asked = {
    inputs,
    cloud,
    template: template?.inputs ?? {},
    hasTemplate: template !== undefined,
    zones: listOf(inputs["subnetIds"]).map((id) =>
      textOf(cloud.find(types.subnet, id)?.inputs["availabilityZone"]),
    ),
    desired: Number(part(inputs, "scalingConfig")["desiredSize"]),
    id: `${textOf(inputs["clusterName"])}:${textOf(inputs["nodeGroupName"])}`,
  };
  return rules.map((rule) => rule(asked)).find((message) => message !== undefined);
}

function references({ inputs, zones, cloud }: Asked): string | undefined {
  const { clusterName } = inputs;
  if (cloud.find(types.cluster, clusterName) === undefined) {
    return eksError(
      "CreateNodegroup",
      "ResourceNotFoundException",
      `No cluster found for name: ${textOf(clusterName)}.`,
    );
  }
  return zones.includes("") ? invalid("The subnet ID does not exist") : undefined;
}

function sizes({ inputs, desired }: Asked): string | undefined {
  const { minSize, maxSize } = part(inputs, "scalingConfig");
  if (Number(minSize) > desired) {
    return invalid(`Minimum capacity ${Number(minSize)} can't be greater than desired size ${desired}`);
  }
  return desired > Number(maxSize)
    ? invalid(`desired capacity ${desired} can't be greater than max size ${Number(maxSize)}`)
    : undefined;
}

function machine({ inputs, template, hasTemplate }: Asked): string | undefined {
  if (!hasTemplate) return undefined;
  if (template["instanceType"] !== undefined && inputs["instanceTypes"] !== undefined) {
    return invalid("You cannot specify instance types in launch template and API request");
  }
  if (inputs["diskSize"] !== undefined) {
    return invalid("Disk size must be specified within the launch template.");
  }
  if (template["imageId"] !== undefined && inputs["amiType"] !== undefined) {
    return invalid("You cannot specify an image Id within the launch template.");
  }
  return mapsOf(template["networkInterfaces"]).some(({ subnetId }) => subnetId !== undefined)
    ? invalid("Launch template should not specify a subnet.")
    : undefined;
}

/** Nodes that have no network, no role for their work, or no way out never become Ready. */
function joining({ inputs, desired, cloud }: Asked): string | undefined {
  if (desired === 0) return undefined;
  const cannotJoin = (why: string) =>
    failed("NodeCreationFailure", `Instances failed to join the kubernetes cluster: ${why}`);
  const policies = policiesOf(textOf(inputs["nodeRoleArn"]), cloud);
  if (!policies.includes("AmazonEKSWorkerNodePolicy"))
    return cannotJoin("the role may not describe the cluster");
  if (!policies.some((policy) => policy.startsWith("AmazonEC2ContainerRegistry"))) {
    return cannotJoin("the role may not pull images");
  }
  const cluster = textOf(inputs["clusterName"]);
  const network = cloud.find(types.addon, `${cluster}:vpc-cni`);
  if (network === undefined) return cannotJoin("container runtime network not ready");
  const [association] = mapsOf(network.inputs["podIdentityAssociations"]);
  const may = [...policiesOf(textOf(association?.["roleArn"]), cloud), ...policies];
  if (!may.includes("AmazonEKS_CNI_Policy")) return cannotJoin("aws-node may not attach network interfaces");
  if (
    association !== undefined &&
    cloud.find(types.addon, `${cluster}:eks-pod-identity-agent`) === undefined
  ) {
    return cannotJoin("aws-node has no credentials: the Pod Identity agent is missing");
  }
  return listOf(inputs["subnetIds"]).every((id) => hasWayOut(textOf(id), cloud))
    ? undefined
    : cannotJoin("the subnet has no route to the internet");
}

function hasWayOut(subnetId: string, cloud: CloudView): boolean {
  return having(cloud, types.routeTableAssociation, "subnetId", subnetId).some(({ inputs }) =>
    having(cloud, types.route, "routeTableId", inputs["routeTableId"]).some(
      ({ inputs: route }) => route["natGatewayId"] !== undefined || route["gatewayId"] !== undefined,
    ),
  );
}

function interfaces({ template, desired }: Asked): string | undefined {
  const cards = mapsOf(template["networkInterfaces"]);
  if (desired === 0 || cards.length === 0) return undefined;
  const refused = (message: string) =>
    failed("Ec2LaunchTemplateInvalidConfiguration", `InvalidParameterCombination: ${message}`);
  const primary = cards.find((card) => card["networkCardIndex"] === 0 && card["deviceIndex"] === 0);
  if (primary === undefined) return refused("there is no primary network interface");
  if (primary["interfaceType"] === "efa-only") {
    return refused("an EFA-only network interface cannot be the primary network interface");
  }
  const places = cards.map((card) => [card["networkCardIndex"], card["deviceIndex"]].map(Number).join("/"));
  if (new Set(places).size < places.length) return refused("two network interfaces have one place");
  if (cards.length > 1 && cards.some((card) => card["associatePublicIpAddress"] === "true")) {
    return refused("the associatePublicIPAddress parameter cannot be specified with multiple interfaces");
  }
  const most = Number(
    findMachineShape(textOf(template["instanceType"]))?.fabric.resources["vpc.amazonaws.com/efa"] ?? 0,
  );
  const efa = cards.filter((card) => textOf(card["interfaceType"]).startsWith("efa")).length;
  return efa > most
    ? refused(`${textOf(template["instanceType"])} supports ${most} EFA interfaces`)
    : undefined;
}

function capacityBlock({ inputs, template, zones, desired, cloud }: Asked): string | undefined {
  const market = part(template, "instanceMarketOptions")["marketType"];
  if (inputs["capacityType"] !== "CAPACITY_BLOCK") {
    return market === "capacity-block"
      ? invalid("The launch template's market type capacity-block needs the capacity type CAPACITY_BLOCK.")
      : undefined;
  }
  if (market !== "capacity-block") {
    return invalid("Capacity blocks need a launch template with the market type capacity-block.");
  }
  if (template["instanceType"] === undefined) {
    return invalid("For capacity blocks the instance type must be in the launch template.");
  }
  const block = reservationOf(template, cloud);
  if (block === undefined) return invalid("The capacity reservation of the launch template does not exist.");
  if (zones.some((zone) => zone !== block.zone)) {
    return invalid(`All subnets must be in the Availability Zone of the capacity block, ${block.zone}.`);
  }
  const now = Date.now();
  const open = now >= Date.parse(block.start ?? "1970-01-01") && now < Date.parse(block.end ?? "9999-12-31");
  return desired > 0 && !open
    ? failed("AsgInstanceLaunchFailures", "the capacity block is not active: the desired size must be 0")
    : undefined;
}

/** Instances that name a reservation find room in it, or none at all. */
function reserved({ template, zones, desired, id, cloud }: Asked): string | undefined {
  const target = reservationTarget(template);
  if (target === undefined || desired === 0) return undefined;
  const reservation = reservationOf(template, cloud);
  const refused = (message: string) => failed("AsgInstanceLaunchFailures", message);
  if (reservation === undefined) return refused(`InvalidCapacityReservationId.NotFound: ${target}`);
  if (reservation.machineType !== template["instanceType"]) {
    return refused(`the reservation ${target} is of ${reservation.machineType}`);
  }
  if (zones.some((zone) => zone !== reservation.zone)) {
    return refused(`the reservation ${target} is in ${reservation.zone}`);
  }
  const used = cloud
    .records(types.nodeGroup)
    .filter((other) => other.id !== id && reservationTarget(templateOf(other, cloud)) === target)
    .reduce((sum, other) => sum + Number(part(other.inputs, "scalingConfig")["desiredSize"]), 0);
  return used + desired > reservation.count
    ? refused(
        `ReservationCapacityExceeded: ${target} has room for ${reservation.count - used} more instances`,
      )
    : undefined;
}

const templateOf = ({ inputs }: CloudRecord, cloud: CloudView): PropertyMap =>
  cloud.find(types.launchTemplate, part(inputs, "launchTemplate")["id"])?.inputs ?? {};

function reservationTarget(template: PropertyMap): string | undefined {
  const { capacityReservationId } = part(
    part(template, "capacityReservationSpecification"),
    "capacityReservationTarget",
  );
  return capacityReservationId === undefined ? undefined : textOf(capacityReservationId);
}

function reservationOf(template: PropertyMap, { account }: CloudView): Reservation | undefined {
  const target = reservationTarget(template);
  return account.reservations?.find(({ name }) => name === target);
}
