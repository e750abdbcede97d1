// How Google's APIs name things, and where the provider takes project and place from when a resource says none.

import {
  isPropertyMap,
  type PropertyMap,
  type PropertyValue,
  textOf,
} from "../../../local-engine/protocol/properties.ts";
import type { CloudRecord, CloudView } from "../cloud.ts";

export const types = {
  network: "gcp:compute/network:Network",
  subnetwork: "gcp:compute/subnetwork:Subnetwork",
  firewall: "gcp:compute/firewall:Firewall",
  router: "gcp:compute/router:Router",
  routerNat: "gcp:compute/routerNat:RouterNat",
  resourcePolicy: "gcp:compute/resourcePolicy:ResourcePolicy",
  cluster: "gcp:container/cluster:Cluster",
  nodePool: "gcp:container/nodePool:NodePool",
  serviceAccount: "gcp:serviceaccount/account:Account",
  iamMember: "gcp:projects/iAMMember:IAMMember",
} as const;

/** @throws Error in the provider's words */
export function projectOf(inputs: PropertyMap, { provider }: CloudView): string {
  return required("project", textOf(inputs["project"] ?? provider["project"]));
}

export function regionOf(inputs: PropertyMap, { provider }: CloudView): string {
  return required("region", lastPart(inputs["region"] ?? provider["region"]));
}

/** Zone or region of a cluster. */
export function locationOf(inputs: PropertyMap, { provider }: CloudView): string {
  return required("location", textOf(inputs["location"] ?? provider["zone"] ?? provider["region"]));
}

function required(field: string, value: string): string {
  if (value === "") throw new Error(`${field}: required field is not set`);
  return value;
}

/** `us-central1` of `us-central1-a`; a region is its own. */
export function regionOfPlace(place: string): string {
  return place.replace(/-[a-z]$/, "");
}

export const isZone = (place: string): boolean => /-[a-z]$/.test(place);

/** `us-central1-a` of a self link that ends with it. */
export function lastPart(value: PropertyValue | undefined): string {
  const text = textOf(value);
  return text.slice(text.lastIndexOf("/") + 1);
}

export const selfLink = (id: string): string => `https://www.googleapis.com/compute/v1/${id}`;

export const alreadyExists = (kind: string) => (id: string) =>
  `Error creating ${kind}: googleapi: Error 409: The resource '${id}' already exists, alreadyExists`;

/** The record that an input means by id, self link or name. */
export function referred(
  type: string,
  value: PropertyValue | undefined,
  cloud: CloudView,
): CloudRecord | undefined {
  const text = textOf(value);
  return cloud
    .records(type)
    .find(({ id, inputs }) => text === id || text === selfLink(id) || text === inputs["name"]);
}

/** A nested object of the inputs; empty where there is none. */
export function part(inputs: PropertyMap, ...path: readonly string[]): PropertyMap {
  let value: PropertyValue | undefined = inputs;
  for (const name of path) value = isPropertyMap(value) ? value[name] : undefined;
  return isPropertyMap(value) ? value : {};
}
