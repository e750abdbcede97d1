// Azure as the double knows it: @pulumi/azure-native 3.28, default API versions.

import { agentPool } from "./azure-native/agent-pool.ts";
import { identity, resourceGroup, roleAssignment, subnet, virtualNetwork } from "./azure-native/basics.ts";
import { cluster } from "./azure-native/cluster.ts";
import { functions } from "./azure-native/functions.ts";
import { types } from "./azure-native/names.ts";
import type { CloudTable } from "./cloud.ts";

export const azureNative: CloudTable = {
  name: "azure-native",
  version: "3.28.0",
  replacingArguments: ["subscriptionId"],
  resources: {
    [types.resourceGroup]: resourceGroup,
    [types.virtualNetwork]: virtualNetwork,
    [types.subnet]: subnet,
    [types.identity]: identity,
    [types.roleAssignment]: roleAssignment,
    [types.cluster]: cluster,
    [types.agentPool]: agentPool,
  },
  functions,
};
