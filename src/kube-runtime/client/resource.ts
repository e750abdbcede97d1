// How the API server serves one kind: the group, version and plural that make its URL, and the TypeScript type
// of its objects. A ResourceType is a value, so that adding a kind is one declaration and no generated code.
import type { KubeObject } from "./object.ts";

declare const objectType: unique symbol;

export interface ResourceType<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set: carries the type of the objects. */
  readonly [objectType]?: T;
}

/**
 * Declares a kind: `resourceType<Deployment>({group: "apps", version: "v1", kind: "Deployment", plural:
 * "deployments", namespaced: true})`.
 */
export function resourceType<T extends KubeObject>(
  type: Pick<ResourceType, "group" | "version" | "kind" | "plural" | "namespaced">,
): ResourceType<T> {
  return Object.freeze({ ...type });
}

/** `v1` for the core group, else `group/version`: the `apiVersion` of the kind's objects. */
export function apiVersionOf(type: ResourceType): string {
  return type.group === "" ? type.version : `${type.group}/${type.version}`;
}

/** `deployments.apps`, as kubectl and RBAC write it; the core group has no suffix. */
export function resourceName(type: ResourceType): string {
  return type.group === "" ? type.plural : `${type.plural}.${type.group}`;
}

export interface ResourcePath {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** `status`, `scale`, `eviction`, … */
  readonly subresource?: string | undefined;
}

/** The path of the kind's API group and version: where discovery says what is served. */
export function groupVersionPath(type: ResourceType): string {
  return type.group === "" ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
}

/**
 * The path of a collection, an object or a subresource.
 * @throws TypeError for a namespace on a cluster-scoped kind, a name without its namespace, or a segment that
 * would leave its place in the path: the path decides what RBAC is asked, so nothing is guessed.
 */
export function resourcePath(type: ResourceType, at: ResourcePath): string {
  const namespace = at.namespace === "" ? undefined : at.namespace;
  if (!type.namespaced && namespace !== undefined) {
    throw new TypeError(`${type.kind} is cluster-scoped, yet namespace ${namespace} was given`);
  }
  if (type.namespaced && namespace === undefined && at.name !== undefined) {
    throw new TypeError(`${type.kind} ${at.name} needs a namespace`);
  }
  let path = groupVersionPath(type);
  if (namespace !== undefined) path += `/namespaces/${segment(namespace)}`;
  path += `/${type.plural}`;
  if (at.name !== undefined) path += `/${segment(at.name)}`;
  if (at.subresource !== undefined) path += `/${segment(at.subresource)}`;
  return path;
}

const plainSegment = /^[a-z0-9][-a-z0-9.]*$/;

function segment(text: string): string {
  if (plainSegment.test(text)) return text;
  if (text === "" || text === "." || text === "..") throw new TypeError(`not a path segment: "${text}"`);
  return encodeURIComponent(text);
}
