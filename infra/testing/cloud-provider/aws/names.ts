// Types, ids and messages of AWS as its double needs them.

import { createHash } from "node:crypto";

import {
  isPropertyList,
  isPropertyMap,
  type PropertyMap,
  type PropertyValue,
  textOf,
} from "../../../local-engine/protocol/properties.ts";
import type { CloudAccount, CloudRecord, CloudView } from "../cloud.ts";

export const types = {
  vpc: "aws:ec2/vpc:Vpc",
  subnet: "aws:ec2/subnet:Subnet",
  internetGateway: "aws:ec2/internetGateway:InternetGateway",
  eip: "aws:ec2/eip:Eip",
  natGateway: "aws:ec2/natGateway:NatGateway",
  routeTable: "aws:ec2/routeTable:RouteTable",
  route: "aws:ec2/route:Route",
  routeTableAssociation: "aws:ec2/routeTableAssociation:RouteTableAssociation",
  vpcEndpoint: "aws:ec2/vpcEndpoint:VpcEndpoint",
  securityGroup: "aws:ec2/securityGroup:SecurityGroup",
  ingressRule: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  egressRule: "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
  launchTemplate: "aws:ec2/launchTemplate:LaunchTemplate",
  placementGroup: "aws:ec2/placementGroup:PlacementGroup",
  schedule: "aws:autoscaling/schedule:Schedule",
  role: "aws:iam/role:Role",
  rolePolicyAttachment: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  cluster: "aws:eks/cluster:Cluster",
  addon: "aws:eks/addon:Addon",
  accessEntry: "aws:eks/accessEntry:AccessEntry",
  accessPolicyAssociation: "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
  nodeGroup: "aws:eks/nodeGroup:NodeGroup",
} as const;

/** The account of AWS' own examples. */
export const accountId = "123456789012";

/** Who asks: as an engineer does who has taken a role. */
export const callerOf = ({ account }: CloudView): string =>
  account.caller ?? `arn:aws:sts::${accountId}:assumed-role/platform-engineers/me`;

/** docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html: what EKS supports, in November 2026. */
export const soldVersions = ({ versions }: CloudAccount): readonly string[] =>
  versions ?? ["1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"];

export const regionOf = (cloud: CloudView): string => textOf(cloud.provider["region"]);

export const arn = (service: string, cloud: CloudView, resource: string): string =>
  `arn:aws:${service}:${regionOf(cloud)}:${accountId}:${resource}`;

/** Ids that EC2 makes: `vpc-0a1b…`, 17 hex digits. */
export function ec2Id(prefix: string): (inputs: PropertyMap, cloud: CloudView, serial: number) => string {
  return (_, cloud, serial) => {
    const digest = createHash("sha256")
      .update(`${prefix} ${regionOf(cloud)} ${serial}`)
      .digest("hex");
    return `${prefix}-0${digest.slice(0, 16)}`;
  };
}

export function part(inputs: PropertyMap, name: string): PropertyMap {
  const value = inputs[name];
  return isPropertyMap(value) ? value : {};
}

export const listOf = (value: PropertyValue | undefined): readonly PropertyValue[] =>
  isPropertyList(value) ? value : [];

export const mapsOf = (value: PropertyValue | undefined): readonly PropertyMap[] =>
  listOf(value).filter(isPropertyMap);

/** The resources of a type whose input is this. */
export function having(
  cloud: CloudView,
  type: string,
  input: string,
  value: PropertyValue | undefined,
): readonly CloudRecord[] {
  return cloud.records(type).filter(({ inputs }) => inputs[input] === value);
}

/** As EC2 refuses: the provider adds the operation and a request's id. */
export const ec2Error = (operation: string, code: string, message: string): string =>
  `operation error EC2: ${operation}, https response error StatusCode: 400, api error ${code}: ${message}`;

export const eksError = (operation: string, code: string, message: string): string =>
  `operation error EKS: ${operation}, https response error StatusCode: 400, ${code}: ${message}`;

/** As EC2 refuses to delete what others need, or undefined. */
export function dependencyViolation(
  operation: string,
  record: CloudRecord,
  users: readonly CloudRecord[],
): string | undefined {
  const [user] = users;
  return user === undefined
    ? undefined
    : ec2Error(
        operation,
        "DependencyViolation",
        `resource ${record.id} has a dependent object (${user.id}) and cannot be deleted.`,
      );
}
