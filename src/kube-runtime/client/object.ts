// The shape every Kubernetes object shares, as plain JSON: timestamps stay strings, unknown fields stay where
// they are, so that reading an object and writing it back never loses what a newer API server put there.

/** What identifies an object within its kind. Cluster-scoped objects have no namespace. */
export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  /** RFC 3339. */
  creationTimestamp?: string;
  /** RFC 3339; set while the object waits for its finalizers or its grace period. */
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata?: ObjectMeta;
}

/** Metadata of an object that the API server has stored. */
export interface LiveMeta extends ObjectMeta {
  name: string;
  uid: string;
  resourceVersion: string;
}

/** An object as the API server returned it. Caches share live objects: never change one. */
export type Live<T extends KubeObject> = T & { readonly metadata: LiveMeta };

/** `namespace/name`, or `name` for a cluster-scoped object: the key of caches and queues. */
export function objectKey(ref: ObjectRef): string {
  return ref.namespace === undefined || ref.namespace === "" ? ref.name : `${ref.namespace}/${ref.name}`;
}

/** The inverse of {@link objectKey}. */
export function parseObjectKey(key: string): ObjectRef {
  const slash = key.indexOf("/");
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The reference of an object that has been stored. */
export function refOf(object: Live<KubeObject>): ObjectRef {
  const { name, namespace } = object.metadata;
  return namespace === undefined ? { name } : { namespace, name };
}

/** Whether the object is being deleted and waits for its finalizers, its dependents or its grace period. */
export function isTerminating({ metadata }: { readonly metadata?: ObjectMeta | undefined }): boolean {
  return metadata?.deletionTimestamp !== undefined;
}

/** The owner that controls the object, if there is one (at most one has `controller: true`). */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((owner) => owner.controller === true);
}
