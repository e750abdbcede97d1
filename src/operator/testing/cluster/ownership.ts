// Owners and dependents, as the simulated cluster's controllers and its garbage collector look for them.
import type { InMemoryApiServer } from "@llama-operator/kube-runtime/testing";
import {
  controllerOf,
  type KubeObject,
  type Live,
  type ObjectRef,
} from "@llama-operator/kube-runtime/client";
import { types, type Pod } from "./objects.ts";

/** The owner that controls an object, where it is of this kind. */
export function ownerOfKind(object: Live<KubeObject>, kind: string): ObjectRef | undefined {
  const owner = controllerOf(object);
  return owner?.kind === kind ? { namespace: object.metadata.namespace, name: owner.name } : undefined;
}

export function controllerReference({ apiVersion, kind, metadata }: Live<KubeObject>) {
  const { name, uid } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** The pods that an object controls. */
export function podsOf(server: InMemoryApiServer, { metadata }: Live<KubeObject>): readonly Pod[] {
  return server.list(types.pods, metadata.namespace).filter((pod) => controllerOf(pod)?.uid === metadata.uid);
}
