// How Azure names things: every resource by its place in a subscription and a resource group.

import {
  isPropertyMap,
  type PropertyMap,
  type PropertyValue,
  textOf,
} from "../../../local-engine/protocol/properties.ts";
import type { CloudView } from "../cloud.ts";

export const types = {
  resourceGroup: "azure-native:resources:ResourceGroup",
  virtualNetwork: "azure-native:network:VirtualNetwork",
  subnet: "azure-native:network:Subnet",
  identity: "azure-native:managedidentity:UserAssignedIdentity",
  roleAssignment: "azure-native:authorization:RoleAssignment",
  cluster: "azure-native:containerservice:ManagedCluster",
  agentPool: "azure-native:containerservice:AgentPool",
} as const;

/** @throws Error in the provider's words */
export function subscriptionOf({ provider }: CloudView): string {
  const subscription = textOf(provider["subscriptionId"]);
  if (subscription === "") throw new Error("A Subscription ID must be configured for the provider");
  return subscription;
}

export function groupId(name: PropertyValue | undefined, cloud: CloudView): string {
  return `/subscriptions/${subscriptionOf(cloud)}/resourceGroups/${textOf(name)}`;
}

/** Id of a resource in the group that its inputs name: `Microsoft.Network`, then kinds and names in turn. */
export function resourceId(inputs: PropertyMap, cloud: CloudView, ...path: readonly string[]): string {
  return [groupId(inputs["resourceGroupName"], cloud), "providers", ...path].join("/");
}

export function clusterId(inputs: PropertyMap, cloud: CloudView): string {
  const name = textOf(inputs["resourceName"]);
  return resourceId(inputs, cloud, "Microsoft.ContainerService", "managedClusters", name);
}

/** What the provider finds before it creates: provider/pkg/azure/client_impl.go (CanCreate). */
export const alreadyThere = (id: string): string => `cannot create already existing resource '${id}'`;

/** As azure-native writes errors of the API. */
export const refusal = (status: number, code: string, message: string): string =>
  `Status=${status} Code="${code}" Message="${message}"`;

/** The refusal where a resource's group is not there. */
export function missingGroup({ resourceGroupName }: PropertyMap, cloud: CloudView): string | undefined {
  const name = textOf(resourceGroupName);
  if (cloud.find(types.resourceGroup, groupId(name, cloud)) !== undefined) return undefined;
  return refusal(404, "ResourceGroupNotFound", `Resource group '${name}' could not be found.`);
}

/** The last part of an id. */
export const lastPart = (id: PropertyValue | undefined): string => textOf(id).split("/").at(-1) ?? "";

/** An object among the inputs; an empty one where there is none. */
export function part(inputs: PropertyMap, name: string): PropertyMap {
  const value = inputs[name];
  return isPropertyMap(value) ? value : {};
}

/** A stable id of the form that Entra gives its objects. */
export const objectId = (serial: number): string =>
  `00000000-0000-4000-8000-${String(serial).padStart(12, "0")}`;
