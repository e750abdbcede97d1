// AWS as its double knows it: @pulumi/aws 7.48, which bridges hashicorp/terraform-provider-aws v6.

import { accessEntry, accessPolicyAssociation, addon, cluster } from "./aws/cluster.ts";
import { functions } from "./aws/functions.ts";
import { role, rolePolicyAttachment } from "./aws/identity.ts";
import { launchTemplate, placementGroup, schedule } from "./aws/launch.ts";
import { types } from "./aws/names.ts";
import * as network from "./aws/network.ts";
import { nodeGroup } from "./aws/node-group.ts";
import type { CloudTable } from "./cloud.ts";

export const aws: CloudTable = {
  name: "aws",
  version: "7.48.0",
  replacingArguments: ["region"],
  resources: {
    [types.vpc]: network.vpc,
    [types.subnet]: network.subnet,
    [types.internetGateway]: network.internetGateway,
    [types.eip]: network.eip,
    [types.natGateway]: network.natGateway,
    [types.routeTable]: network.routeTable,
    [types.route]: network.route,
    [types.routeTableAssociation]: network.routeTableAssociation,
    [types.vpcEndpoint]: network.vpcEndpoint,
    [types.securityGroup]: network.securityGroup,
    [types.ingressRule]: network.ingressRule,
    [types.egressRule]: network.egressRule,
    [types.launchTemplate]: launchTemplate,
    [types.placementGroup]: placementGroup,
    [types.schedule]: schedule,
    [types.role]: role,
    [types.rolePolicyAttachment]: rolePolicyAttachment,
    [types.cluster]: cluster,
    [types.addon]: addon,
    [types.accessEntry]: accessEntry,
    [types.accessPolicyAssociation]: accessPolicyAssociation,
    [types.nodeGroup]: nodeGroup,
  },
  functions,
};
