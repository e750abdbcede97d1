// Deletes what has lost its last owner, and lets an owner that is deleted in the foreground go once its dependents have
// gone, after pkg/controller/garbagecollector (Kubernetes 1.35).
//
// Differs from the real one: it sees owners and dependents at once, so that it need not look twice at an owner that
// seems absent; no orphaning; an object with owners left keeps its references to those that are gone.
import type { KubeObject, Live, ResourceType } from "@llama-operator/kube-runtime/client";
import { refOf } from "@llama-operator/kube-runtime/client";
import { foregroundFinalizer } from "@llama-operator/kube-runtime/testing";
import { ControlLoop, watched, type ClusterParts } from "./control-loop.ts";
import { types } from "./objects.ts";

const collected: readonly ResourceType[] = Object.values(types).filter(({ plural }) => plural !== "events");

export function garbageCollector(parts: ClusterParts): ControlLoop {
  const { server } = parts;
  return new ControlLoop(
    parts,
    collected.map((type) =>
      watched(type, (object) => [
        // Itself where it is gone, or waits for its dependents; its owners, which may wait for it or be gone.
        ...(isForeground(object) || server.get(type, refOf(object))?.metadata.uid !== object.metadata.uid
          ? [{ name: object.metadata.uid }]
          : []),
        ...(object.metadata.ownerReferences ?? []).map(({ uid }) => ({ name: uid })),
      ]),
    ),
    ({ name: uid }) => collect(parts, uid),
  );
}

function collect({ server }: ClusterParts, uid: string): void {
  const everything = collected.flatMap((type) => server.list(type).map((object) => ({ type, object })));
  const owner = everything.find(({ object }) => object.metadata.uid === uid);
  if (owner !== undefined && !isForeground(owner.object)) return;
  const uids = new Set(everything.map(({ object }) => object.metadata.uid));
  const dependents = everything.filter(({ object }) => ownsOneOf(object, uid));
  for (const { type, object } of dependents) {
    const hasOtherOwner = (object.metadata.ownerReferences ?? []).some(
      (each) => each.uid !== uid && uids.has(each.uid),
    );
    const inForeground = owner !== undefined && hasDependents(everything, object);
    const isUnderWay =
      object.metadata.deletionTimestamp !== undefined && (!inForeground || isForeground(object));
    if (hasOtherOwner || isUnderWay) continue;
    server.delete(type, refOf(object), {
      preconditions: { uid: object.metadata.uid },
      propagationPolicy: inForeground ? "Foreground" : "Background",
    });
  }
  if (owner === undefined || dependents.length > 0) return;
  const finalizers = (owner.object.metadata.finalizers ?? []).filter((each) => each !== foregroundFinalizer);
  server.update(owner.type, { ...owner.object, metadata: { ...owner.object.metadata, finalizers } });
}

function ownsOneOf({ metadata }: Live<KubeObject>, uid: string): boolean {
  return metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
}

function hasDependents(
  everything: readonly { readonly object: Live<KubeObject> }[],
  { metadata: { uid } }: Live<KubeObject>,
): boolean {
  return everything.some(({ object }) => ownsOneOf(object, uid));
}

function isForeground({ metadata }: Pick<Live<KubeObject>, "metadata">): boolean {
  return (
    metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(foregroundFinalizer)
  );
}
