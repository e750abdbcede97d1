// What the provider's functions answer of the account.

import { textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudFunction, CloudView, Reservation } from "../cloud.ts";
import { accountId, arn, callerOf, listOf, mapsOf, regionOf, soldVersions, types } from "./names.ts";

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
  const locations = cloud.account.gpuZones ?? zonesOf(regionOf(cloud));
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

/** Regions of the partition `aws`, as far as tests use them: the provider knows all of them without asking. */
const regions: readonly string[] = ["us-east-1", "us-east-2", "us-west-2", "eu-west-1"];

const getRegion: CloudFunction = (args, cloud) => {
  const region = textOf(args["region"]) || regionOf(cloud);
  if (!regions.includes(region)) {
    throw new Error(`finding Region using name "${region}": region not found for name "${region}"`);
  }
  return {
    id: region,
    region,
    name: region,
    description: region,
    endpoint: `ec2.${region}.amazonaws.com`,
  };
};

/** Ids as if letters and numbers were alike in every account; those of us-east-1e are so in most. */
const zoneId = (zone: string): string =>
  zone === "us-east-1e"
    ? "use1-az3"
    : `${zone.replace(/^(\w)\w*-(\w)\w*-(\d)\w$/, "$1$2$3")}-az${1 + "abcdef".indexOf(zone.at(-1) ?? "")}`;

const getAvailabilityZones: CloudFunction = (_, cloud) => {
  const region = regionOf(cloud);
  const names = [...zonesOf(region), ...(region === "us-east-1" ? ["us-east-1e", "us-east-1f"] : [])];
  return { id: region, names, zoneIds: names.map(zoneId), groupNames: [region], region };
};

const getClusterVersions: CloudFunction = (_, cloud) => ({
  id: regionOf(cloud),
  region: regionOf(cloud),
  clusterVersions: soldVersions(cloud.account).map((clusterVersion) => ({
    clusterVersion,
    clusterType: "eks",
    versionStatus: "STANDARD_SUPPORT",
  })),
});

const getCluster: CloudFunction = (args, cloud) => {
  const name = textOf(args["name"]);
  const found = cloud.find(types.cluster, name);
  if (found === undefined) throw new Error(`reading EKS Cluster (${name}): couldn't find resource`);
  return { tags: {}, ...found.outputs, id: name };
};

const getCallerIdentity: CloudFunction = (_, cloud) => ({
  id: accountId,
  accountId,
  arn: callerOf(cloud),
  userId: "AROAEXAMPLE:me",
});

/** Every role and user that somebody names is there, since no test makes people. */
const getRole: CloudFunction = ({ name }) => ({
  id: textOf(name),
  name: textOf(name),
  arn: `arn:aws:iam::${accountId}:role/${textOf(name)}`,
});

const getUser: CloudFunction = ({ userName }) => ({
  id: textOf(userName),
  userName: textOf(userName),
  arn: `arn:aws:iam::${accountId}:user/${textOf(userName)}`,
});

/** There is an image of every name that is asked for, unless its date is to come. */
const getAmiIds: CloudFunction = (args) => {
  const filter = mapsOf(args["filters"]).find(({ name }) => name === "name");
  const names = listOf(filter?.["values"]).map(textOf);
  return {
    id: names.join(),
    owners: listOf(args["owners"]),
    ids: names.flatMap((name) => (/-v20[0-2]\d{5}$/.test(name) ? ["ami-0123456789abcdef0"] : [])),
  };
};

export const functions: Readonly<Record<string, CloudFunction>> = {
  "aws:index/getRegion:getRegion": getRegion,
  "aws:index/getAvailabilityZones:getAvailabilityZones": getAvailabilityZones,
  "aws:index/getCallerIdentity:getCallerIdentity": getCallerIdentity,
  "aws:eks/getClusterVersions:getClusterVersions": getClusterVersions,
  "aws:eks/getCluster:getCluster": getCluster,
  "aws:ec2/getAmiIds:getAmiIds": getAmiIds,
  "aws:iam/getRole:getRole": getRole,
  "aws:iam/getUser:getUser": getUser,
  "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": getInstanceTypeOfferings,
  "aws:ec2/getCapacityBlockReservation:getCapacityBlockReservation": getCapacityBlockReservation,
  "aws:servicequotas/getServiceQuota:getServiceQuota": getServiceQuota,
  "aws:cloudcontrol/getResource:getResource": getResource,
};
