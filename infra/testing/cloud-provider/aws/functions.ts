// What the provider's functions answer of the account.

import { textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudFunction, CloudView, Reservation } from "../cloud.ts";
import { accountId, arn, listOf, mapsOf, regionOf } from "./names.ts";

function reservationOf(id: string, cloud: CloudView): Reservation {
  const found = cloud.account.reservations?.find(({ name }) => name === id);
  if (found === undefined) {
    throw new Error(
      `InvalidCapacityReservationId.NotFound: The capacity reservation '${id}' does not exist.`,
    );
  }
  return found;
}

/** Zones of a region: AWS has three to six; which machine is sold where the account says by its reservations alone. */
const zonesOf = (region: string): readonly string[] => ["a", "b", "c", "d"].map((letter) => region + letter);

const getInstanceTypeOfferings: CloudFunction = (args, cloud) => {
  const filter = mapsOf(args["filters"]).find(({ name }) => name === "instance-type");
  const machines = listOf(filter?.["values"]).map(textOf);
  const locations = zonesOf(regionOf(cloud));
  return {
    id: regionOf(cloud),
    instanceTypes: locations.flatMap(() => machines),
    locations: machines.flatMap(() => [...locations]),
    locationTypes: locations.map(() => textOf(args["locationType"])),
    region: regionOf(cloud),
  };
};

/** By its name, as in `quotas: { "Running On-Demand P instances": 384 }`; more than anybody needs where none is said. */
const getServiceQuota: CloudFunction = (args, cloud) => {
  const quotaName = textOf(args["quotaName"]);
  const value = cloud.account.quotas?.[quotaName] ?? 100_000;
  return {
    id: quotaName,
    arn: arn("servicequotas", cloud, `ec2/${quotaName}`),
    adjustable: true,
    defaultValue: 0,
    globalQuota: false,
    quotaCode: "L-00000000",
    quotaName,
    serviceCode: textOf(args["serviceCode"]),
    serviceName: "Amazon Elastic Compute Cloud (Amazon EC2)",
    usageMetrics: [],
    value,
  };
};

const getCapacityBlockReservation: CloudFunction = (args, cloud) => {
  const block = reservationOf(textOf(args["id"]), cloud);
  return {
    id: block.name,
    arn: arn("ec2", cloud, `capacity-reservation/${block.name}`),
    availabilityZone: block.zone,
    availableInstanceCount: block.count,
    instanceCount: block.count,
    instanceType: block.machineType,
    reservationType: "capacity-block",
    ownerId: accountId,
    startDate: block.start ?? "",
    endDate: block.end ?? "",
    state: Date.now() < Date.parse(block.start ?? "1970-01-01") ? "scheduled" : "active",
    tenancy: "default",
    tags: {},
  };
};

/** Cloud Control knows on-demand capacity reservations by the schema of CloudFormation. */
const getResource: CloudFunction = (args, cloud) => {
  const [identifier, typeName] = [textOf(args["identifier"]), textOf(args["typeName"])];
  if (typeName !== "AWS::EC2::CapacityReservation") {
    throw new Error(`UnsupportedActionException: the double does not know ${typeName}`);
  }
  const { machineType, zone, count } = reservationOf(identifier, cloud);
  const properties = {
    Id: identifier,
    InstanceType: machineType,
    AvailabilityZone: zone,
    InstanceCount: count,
    TotalInstanceCount: count,
    InstanceMatchCriteria: "targeted",
    Tenancy: "default",
  };
  return { id: identifier, identifier, typeName, properties: JSON.stringify(properties) };
};

export const functions: Readonly<Record<string, CloudFunction>> = {
  "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": getInstanceTypeOfferings,
  "aws:ec2/getCapacityBlockReservation:getCapacityBlockReservation": getCapacityBlockReservation,
  "aws:servicequotas/getServiceQuota:getServiceQuota": getServiceQuota,
  "aws:cloudcontrol/getResource:getResource": getResource,
};
