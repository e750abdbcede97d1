// Google Cloud as its double knows it: @pulumi/gcp 9.37, which bridges hashicorp/terraform-provider-google v7.

import type { CloudTable } from "./cloud.ts";
import { cluster } from "./gcp/cluster.ts";
import { functions } from "./gcp/functions.ts";
import { iamMember, serviceAccount } from "./gcp/identity.ts";
import { types } from "./gcp/names.ts";
import { firewall, network, resourcePolicy, router, routerNat, subnetwork } from "./gcp/network.ts";
import { nodePool } from "./gcp/node-pool.ts";

export const gcp: CloudTable = {
  name: "gcp",
  version: "9.37.0",
  // Resources keep the project and the place that they were made in: ForceNew is each resource's own matter.
  replacingArguments: [],
  resources: {
    [types.network]: network,
    [types.subnetwork]: subnetwork,
    [types.firewall]: firewall,
    [types.router]: router,
    [types.routerNat]: routerNat,
    [types.resourcePolicy]: resourcePolicy,
    [types.cluster]: cluster,
    [types.nodePool]: nodePool,
    [types.serviceAccount]: serviceAccount,
    [types.iamMember]: iamMember,
  },
  functions,
};
