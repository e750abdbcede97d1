// VPCs and what is in them. ForceNew after hashicorp/terraform-provider-aws internal/service/ec2/
// {vpc_,vpc_subnet,vpc_internet_gateway,ec2_eip,vpc_nat_gateway,vpc_route_table,vpc_route,vpc_route_table_association,
// vpc_endpoint,vpc_security_group,vpc_security_group_ingress_rule}.go; refusals after EC2's error codes.

import { textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudRecord, CloudResource, CloudView } from "../cloud.ts";
import { usersOf } from "../cloud.ts";
import { overlap } from "../ranges.ts";
import { accountId, arn, dependencyViolation, ec2Error, ec2Id, having, types } from "./names.ts";

const missing = (operation: string, kind: string, id: string): string =>
  ec2Error(operation, `Invalid${kind}ID.NotFound`, `The ID '${id}' does not exist`);

function missingVpc(operation: string, cloud: CloudView, id: CloudRecord["inputs"][string] | undefined) {
  return cloud.find(types.vpc, id) === undefined ? missing(operation, "Vpc", textOf(id)) : undefined;
}

export const vpc: CloudResource = {
  required: [],
  id: ec2Id("vpc"),
  replacing: ["cidrBlock", "instanceTenancy", "ipv4IpamPoolId"],
  refusesDeletion: (record, cloud) =>
    dependencyViolation(
      "DeleteVpc",
      record,
      [types.subnet, types.internetGateway, types.securityGroup, types.routeTable, types.vpcEndpoint].flatMap(
        (type) => having(cloud, type, "vpcId", record.id),
      ),
    ),
  outputs: ({ id }, cloud) => ({ arn: arn("ec2", cloud, `vpc/${id}`), ownerId: accountId }),
};

export const subnet: CloudResource = {
  required: ["vpcId"],
  id: ec2Id("subnet"),
  replacing: ["vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId"],
  refusal({ vpcId, cidrBlock }, cloud, before) {
    const absent = missingVpc("CreateSubnet", cloud, vpcId);
    if (absent !== undefined || before !== undefined) return absent;
    const others = having(cloud, types.subnet, "vpcId", vpcId).map(({ inputs }) =>
      textOf(inputs["cidrBlock"]),
    );
    const taken = others.find((other) => overlap(other, textOf(cidrBlock)));
    return taken === undefined
      ? undefined
      : ec2Error(
          "CreateSubnet",
          "InvalidSubnet.Conflict",
          `The CIDR '${textOf(cidrBlock)}' conflicts with another subnet`,
        );
  },
  refusesDeletion: (record, cloud) =>
    dependencyViolation(
      "DeleteSubnet",
      record,
      usersOf(record, cloud, [types.natGateway, types.cluster, types.nodeGroup]).flatMap((id) =>
        cloud.records().filter((each) => each.id === id),
      ),
    ),
  outputs: ({ id }, cloud) => ({ arn: arn("ec2", cloud, `subnet/${id}`), ownerId: accountId }),
};

export const internetGateway: CloudResource = {
  required: [],
  id: ec2Id("igw"),
  replacing: [],
  refusal: ({ vpcId }, cloud) => missingVpc("AttachInternetGateway", cloud, vpcId),
  // An internet gateway cannot be detached while public addresses are mapped.
  refusesDeletion: (record, cloud) =>
    dependencyViolation("DetachInternetGateway", record, cloud.records(types.natGateway)),
  outputs: ({ id }, cloud) => ({ arn: arn("ec2", cloud, `internet-gateway/${id}`), ownerId: accountId }),
};

export const eip: CloudResource = {
  required: [],
  id: ec2Id("eipalloc"),
  replacing: ["domain", "publicIpv4Pool"],
  refusesDeletion: (record, cloud) => {
    const [user] = having(cloud, types.natGateway, "allocationId", record.id);
    return user === undefined
      ? undefined
      : ec2Error("ReleaseAddress", "InvalidIPAddress.InUse", `Address ${record.id} is in use.`);
  },
  outputs: ({ id, serial }) => ({ allocationId: id, publicIp: `203.0.113.${serial % 256}` }),
};

export const natGateway: CloudResource = {
  required: [],
  id: ec2Id("nat"),
  replacing: ["subnetId", "allocationId", "connectivityType"],
  refusal({ subnetId }, cloud) {
    const where = cloud.find(types.subnet, subnetId);
    if (where === undefined) return missing("CreateNatGateway", "Subnet", textOf(subnetId));
    const [gateway] = having(cloud, types.internetGateway, "vpcId", where.inputs["vpcId"]);
    return gateway === undefined
      ? ec2Error(
          "CreateNatGateway",
          "Gateway.NotAttached",
          `Network ${textOf(where.inputs["vpcId"])} has no Internet gateway attached`,
        )
      : undefined;
  },
  outputs: ({ serial }) => ({ publicIp: `203.0.113.${serial % 256}`, connectivityType: "public" }),
};

export const routeTable: CloudResource = {
  required: ["vpcId"],
  id: ec2Id("rtb"),
  replacing: ["vpcId"],
  refusal: ({ vpcId }, cloud) => missingVpc("CreateRouteTable", cloud, vpcId),
  refusesDeletion: (record, cloud) =>
    dependencyViolation(
      "DeleteRouteTable",
      record,
      having(cloud, types.routeTableAssociation, "routeTableId", record.id),
    ),
  outputs: ({ id }, cloud) => ({ arn: arn("ec2", cloud, `route-table/${id}`), ownerId: accountId }),
};

export const route: CloudResource = {
  required: ["routeTableId"],
  id: ({ routeTableId, destinationCidrBlock }) => `r-${textOf(routeTableId)}${textOf(destinationCidrBlock)}`,
  conflict: (id) => ec2Error("CreateRoute", "RouteAlreadyExists", `The route ${id} already exists.`),
  replacing: ["routeTableId", "destinationCidrBlock"],
  refusal: ({ routeTableId }, cloud) =>
    cloud.find(types.routeTable, routeTableId) === undefined
      ? missing("CreateRoute", "RouteTable", textOf(routeTableId))
      : undefined,
  outputs: () => ({ origin: "CreateRoute", state: "active" }),
};

export const routeTableAssociation: CloudResource = {
  required: ["routeTableId"],
  id: ec2Id("rtbassoc"),
  replacing: ["subnetId", "gatewayId"],
  refusal({ subnetId }, cloud, before) {
    const taken = having(cloud, types.routeTableAssociation, "subnetId", subnetId);
    return before === undefined && taken.length > 0
      ? ec2Error(
          "AssociateRouteTable",
          "Resource.AlreadyAssociated",
          `the specified association for subnet ${textOf(subnetId)} conflicts with an existing association`,
        )
      : undefined;
  },
};

export const vpcEndpoint: CloudResource = {
  required: ["vpcId"],
  id: ec2Id("vpce"),
  replacing: ["vpcId", "serviceName", "vpcEndpointType"],
  refusal: ({ vpcId }, cloud) => missingVpc("CreateVpcEndpoint", cloud, vpcId),
  outputs: ({ id }, cloud) => ({ arn: arn("ec2", cloud, `vpc-endpoint/${id}`), state: "available" }),
};

export const securityGroup: CloudResource = {
  required: [],
  nameInput: "name",
  id: ec2Id("sg"),
  replacing: ["name", "namePrefix", "description", "vpcId"],
  refusal({ name, vpcId }, cloud, before) {
    const same = having(cloud, types.securityGroup, "vpcId", vpcId).filter(
      ({ inputs }) => inputs["name"] === name,
    );
    if (before === undefined && same.length > 0) {
      return ec2Error(
        "CreateSecurityGroup",
        "InvalidGroup.Duplicate",
        `The security group '${textOf(name)}' already exists for VPC '${textOf(vpcId)}'`,
      );
    }
    return missingVpc("CreateSecurityGroup", cloud, vpcId);
  },
  outputs: ({ id }, cloud) => ({ arn: arn("ec2", cloud, `security-group/${id}`), ownerId: accountId }),
};

const rule: CloudResource = {
  required: ["securityGroupId", "ipProtocol"],
  id: ec2Id("sgr"),
  replacing: ["securityGroupId"],
  refusal: ({ securityGroupId }, cloud) =>
    cloud.find(types.securityGroup, securityGroupId) === undefined
      ? ec2Error(
          "AuthorizeSecurityGroup",
          "InvalidGroup.NotFound",
          `The security group '${textOf(securityGroupId)}' does not exist`,
        )
      : undefined,
  outputs: ({ id }, cloud) => ({
    arn: arn("ec2", cloud, `security-group-rule/${id}`),
    securityGroupRuleId: id,
  }),
};

export const ingressRule = rule;
export const egressRule = rule;
