// Networks, what is in them, and placement policies. ForceNew after hashicorp/terraform-provider-google
// google/services/compute/resource_compute_{network,subnetwork,firewall,router,router_nat,resource_policy}.go.

import { textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudRecord, CloudResource, CloudView } from "../cloud.ts";
import { usersOf } from "../cloud.ts";
import { isInside } from "../ranges.ts";
import { alreadyExists, lastPart, projectOf, referred, regionOf, selfLink, types } from "./names.ts";

/** Every project is born with it. */
const defaultNetwork = "default";

export const network: CloudResource = {
  required: [],
  defaults: { autoCreateSubnetworks: true },
  nameInput: "name",
  id: (inputs, cloud) => `projects/${projectOf(inputs, cloud)}/global/networks/${textOf(inputs["name"])}`,
  conflict: alreadyExists("Network"),
  replacing: [
    "name",
    "project",
    "autoCreateSubnetworks",
    "description",
    "mtu",
    "enableUlaInternalIpv6",
    "networkProfile",
  ],
  refusesDeletion: (record, cloud) =>
    inUse("network", record, cloud, [types.subnetwork, types.firewall, types.router, types.cluster]),
  outputs: ({ id, inputs, serial }, cloud) => ({
    project: projectOf(inputs, cloud),
    selfLink: selfLink(id),
    networkId: String(serial),
    mtu: inputs["mtu"] ?? 1460,
    routingMode: inputs["routingMode"] ?? "REGIONAL",
  }),
};

export const subnetwork: CloudResource = {
  required: ["network"],
  nameInput: "name",
  id: (inputs, cloud) =>
    `projects/${projectOf(inputs, cloud)}/regions/${regionOf(inputs, cloud)}/subnetworks/${textOf(inputs["name"])}`,
  conflict: alreadyExists("Subnetwork"),
  replacing: ["name", "project", "region", "network", "description", "purpose", "externalIpv6Prefix"],
  // CustomizeDiff, isShrinkageIpCidr: a range grows in place; for any other it is another subnetwork.
  replacingFor({ ipCidrRange: before }, { ipCidrRange: after }) {
    return isInside(textOf(before), textOf(after)) ? [] : ["ipCidrRange"];
  },
  refusal: ({ network: of }, cloud) => missingNetwork(of, cloud),
  refusesDeletion: (record, cloud) => inUse("subnetwork", record, cloud, [types.cluster, types.nodePool]),
  outputs: ({ id, inputs, serial }, cloud) => ({
    project: projectOf(inputs, cloud),
    region: regionOf(inputs, cloud),
    selfLink: selfLink(id),
    subnetworkId: serial,
    gatewayAddress: textOf(inputs["ipCidrRange"]).replace(/\d+\/\d+$/, "1"),
  }),
};

export const firewall: CloudResource = {
  required: ["network"],
  nameInput: "name",
  id: (inputs, cloud) => `projects/${projectOf(inputs, cloud)}/global/firewalls/${textOf(inputs["name"])}`,
  conflict: alreadyExists("Firewall"),
  replacing: ["name", "project", "network", "direction"],
  refusal: ({ network: of }, cloud) => missingNetwork(of, cloud),
  outputs: ({ id, inputs }, cloud) => ({ project: projectOf(inputs, cloud), selfLink: selfLink(id) }),
};

export const router: CloudResource = {
  required: ["network"],
  nameInput: "name",
  id: (inputs, cloud) =>
    `projects/${projectOf(inputs, cloud)}/regions/${regionOf(inputs, cloud)}/routers/${textOf(inputs["name"])}`,
  conflict: alreadyExists("Router"),
  replacing: ["name", "project", "region", "network"],
  refusal: ({ network: of }, cloud) => missingNetwork(of, cloud),
  outputs: ({ id, inputs }, cloud) => ({
    project: projectOf(inputs, cloud),
    region: regionOf(inputs, cloud),
    selfLink: selfLink(id),
  }),
};

export const routerNat: CloudResource = {
  required: ["router", "sourceSubnetworkIpRangesToNat"],
  nameInput: "name",
  id: (inputs, cloud) =>
    [
      projectOf(inputs, cloud),
      regionOf(inputs, cloud),
      lastPart(inputs["router"]),
      textOf(inputs["name"]),
    ].join("/"),
  conflict: (id) => `Error creating RouterNat: RouterNat already exists: ${id}`,
  replacing: ["name", "project", "region", "router"],
  refusal: ({ router: of }, cloud) =>
    referred(types.router, of, cloud) === undefined ? notFound("routers", lastPart(of)) : undefined,
};

export const resourcePolicy: CloudResource = {
  required: [],
  nameInput: "name",
  id: (inputs, cloud) =>
    `projects/${projectOf(inputs, cloud)}/regions/${regionOf(inputs, cloud)}/resourcePolicies/${textOf(inputs["name"])}`,
  conflict: alreadyExists("ResourcePolicy"),
  // Only the disk consistency group and snapshot schedules can be changed; a placement policy never.
  replacing: ["name", "project", "region", "description", "groupPlacementPolicy", "workloadPolicy"],
  refusal: (inputs) =>
    inputs["groupPlacementPolicy"] !== undefined && inputs["workloadPolicy"] !== undefined
      ? "Error creating ResourcePolicy: googleapi: Error 400: exactly one of groupPlacementPolicy and workloadPolicy may be set, invalid"
      : undefined,
  refusesDeletion: ({ id, inputs }, cloud) => {
    const [user] = cloud
      .records(types.nodePool)
      .filter((pool) => JSON.stringify(pool.inputs).includes(JSON.stringify(inputs["name"])));
    return user === undefined ? undefined : inUseMessage("resource policy", id, user.id);
  },
  outputs: ({ id, inputs }, cloud) => ({
    project: projectOf(inputs, cloud),
    region: regionOf(inputs, cloud),
    selfLink: selfLink(id),
  }),
};

function missingNetwork(
  value: CloudRecord["inputs"][string] | undefined,
  cloud: CloudView,
): string | undefined {
  const name = lastPart(value);
  const isThere = name === defaultNetwork || referred(types.network, value, cloud) !== undefined;
  return isThere ? undefined : notFound("networks", name);
}

const notFound = (collection: string, name: string): string =>
  `googleapi: Error 404: The resource '${collection}/${name}' was not found, notFound`;

function inUse(
  kind: string,
  record: CloudRecord,
  cloud: CloudView,
  users: readonly string[],
): string | undefined {
  const [user] = usersOf(record, cloud, users);
  return user === undefined ? undefined : inUseMessage(kind, record.id, user);
}

const inUseMessage = (kind: string, id: string, user: string): string =>
  `googleapi: Error 400: The ${kind} resource '${id}' is already being used by '${user}', resourceInUseByAnotherResource`;
