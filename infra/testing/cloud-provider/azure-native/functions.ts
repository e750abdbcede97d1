// Functions of azure-native: what is reserved, which features are registered, and how to reach a cluster.

import { stringify } from "yaml";

import { textOf } from "../../../local-engine/protocol/properties.ts";
import type { CloudFunction, CloudView, Reservation } from "../cloud.ts";
import { identity } from "./basics.ts";
import { locationOf } from "./cluster.ts";
import { clusterId, objectId, refusal, resourceId, types } from "./names.ts";

const notFound = (kind: string, name: string): Error =>
  new Error(refusal(404, "ResourceNotFound", `The Resource '${kind}/${name}' was not found.`));

/** A group of the account has the name that its reservations give. A reservation without a zone is the region's. */
function reservationsOf(group: string, { account }: CloudView): readonly Reservation[] {
  const held = (account.reservations ?? []).filter(({ name }) => name === group);
  if (held.length === 0) throw notFound("Microsoft.Compute/capacityReservationGroups", group);
  return held;
}

const zonesOf = (held: readonly Reservation[]): readonly string[] => [
  ...new Set(held.map(({ zone }) => zone).filter((zone) => zone !== "")),
];

const getCapacityReservationGroup: CloudFunction = (args, cloud) => {
  const name = textOf(args["capacityReservationGroupName"]);
  const held = reservationsOf(name, cloud);
  const id = resourceId(args, cloud, "Microsoft.Compute", "capacityReservationGroups", name);
  return {
    id,
    name,
    location: locationOf({}, cloud),
    type: "Microsoft.Compute/capacityReservationGroups",
    zones: zonesOf(held),
    capacityReservations: held.map((_, index) => ({ id: `${id}/capacityReservations/r${index}` })),
    virtualMachinesAssociated: [],
  };
};

const getCapacityReservation: CloudFunction = (args, cloud) => {
  const name = textOf(args["capacityReservationName"]);
  const group = textOf(args["capacityReservationGroupName"]);
  const held = reservationsOf(group, cloud)[Number(name.slice(1))];
  if (held === undefined) throw notFound("Microsoft.Compute/capacityReservations", name);
  return {
    id: resourceId(
      args,
      cloud,
      "Microsoft.Compute",
      "capacityReservationGroups",
      group,
      "capacityReservations",
      name,
    ),
    name,
    location: locationOf({}, cloud),
    sku: { name: held.machineType, capacity: held.count },
    zones: zonesOf([held]),
    provisioningState: "Succeeded",
  };
};

const getFeature: CloudFunction = (args, { account }) => {
  const featureName = textOf(args["featureName"]);
  return {
    id: featureName,
    name: featureName,
    properties: {
      featureName,
      providerNamespace: textOf(args["providerNamespace"]),
      state: account.features?.includes(featureName) === true ? "Registered" : "NotRegistered",
    },
  };
};

const getIdentity: CloudFunction = (args, cloud) => {
  const id = identity.id(args, cloud, 0);
  const made = cloud.find(types.identity, id);
  // An identity that this stack did not create is assumed to exist.
  return { id, name: textOf(args["resourceName"]), principalId: made?.outputs["principalId"] ?? objectId(1) };
};

/** The double gives no token, so that no program goes to Azure itself with one. */
const getClientToken: CloudFunction = () => {
  throw new Error("the double of Azure gives no token");
};

const getManagedCluster: CloudFunction = (args, cloud) => {
  const id = clusterId(args, cloud);
  const found = cloud.find(types.cluster, id);
  if (found === undefined) {
    throw notFound("Microsoft.ContainerService/managedClusters", textOf(args["resourceName"]));
  }
  return { ...found.outputs, id };
};

/** With Entra, users get a kubeconfig that holds no token: format exec calls kubelogin, with a person before it. */
const listUserCredentials: CloudFunction = (args, cloud) => {
  const made = cloud.find(types.cluster, clusterId(args, cloud));
  if (made === undefined)
    throw notFound("Microsoft.ContainerService/managedClusters", textOf(args["resourceName"]));
  const name = textOf(args["resourceName"]);
  const user = `clusterUser_${textOf(args["resourceGroupName"])}_${name}`;
  const { host, certificateAuthority } = cloud.apiServer;
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name, cluster: { "certificate-authority-data": certificateAuthority, server: `https://${host}` } },
    ],
    contexts: [{ name, context: { cluster: name, user } }],
    "current-context": name,
    users: [
      {
        name: user,
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "kubelogin",
            args: ["get-token", "--environment", "AzurePublicCloud", "--login", "devicecode"],
          },
        },
      },
    ],
  };
  return {
    kubeconfigs: [{ name: "clusterUser", value: Buffer.from(stringify(kubeconfig)).toString("base64") }],
  };
};

export const functions: Readonly<Record<string, CloudFunction>> = {
  "azure-native:authorization:getClientToken": getClientToken,
  "azure-native:compute:getCapacityReservationGroup": getCapacityReservationGroup,
  "azure-native:compute:getCapacityReservation": getCapacityReservation,
  "azure-native:features:getSubscriptionFeatureRegistration": getFeature,
  "azure-native:managedidentity:getUserAssignedIdentity": getIdentity,
  "azure-native:containerservice:getManagedCluster": getManagedCluster,
  "azure-native:containerservice:listManagedClusterUserCredentials": listUserCredentials,
};
