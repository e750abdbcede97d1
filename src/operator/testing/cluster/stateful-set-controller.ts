// StatefulSets with parallel pod management, the ones that LeaderWorkerSet makes: pods by ordinal, replaced when they
// have failed, after pkg/controller/statefulset (Kubernetes 1.35).
//
// Differs from the real one: no claims, no rolling update (a group's template never changes: a new revision is another
// LeaderWorkerSet), one ControllerRevision for each set, whose labels are those of the pod template, as in the real one.
import { createHash } from "node:crypto";
import type { ObjectRef } from "@llama-operator/kube-runtime/client";
import { ControlLoop, refusalOf, watched, type ClusterParts } from "./control-loop.ts";
import { isActive, isReady, timestamp, types, type Pod, type Workload } from "./objects.ts";
import { controllerReference, ownerOfKind, podsOf } from "./ownership.ts";

const manager = "kube-controller-manager";

export function statefulSetController(parts: ClusterParts): ControlLoop {
  const loop: ControlLoop = new ControlLoop(
    parts,
    [watched(types.statefulSets), watched(types.pods, (pod) => [ownerOfKind(pod, "StatefulSet")])],
    (ref) => {
      try {
        reconcile(parts, ref);
      } catch (error) {
        tellFailure(parts, ref, refusalOf(error));
        loop.retry(ref);
      }
    },
  );
  return loop;
}

/** Nothing but an event says that a pod is refused (stateful_pod_control.go). */
function tellFailure(
  { server, clock }: ClusterParts,
  { namespace = "", name }: ObjectRef,
  refusal: string,
): void {
  const at = timestamp(clock.now());
  const ref = { namespace, name: `${name}.failed-create` };
  const note = `create Pod in StatefulSet ${name} failed error: ${refusal}`;
  const event = {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: ref,
    type: "Warning",
    reason: "FailedCreate",
    note,
    regarding: { kind: "StatefulSet", namespace, name },
    deprecatedLastTimestamp: at,
  };
  if (server.get(types.events, ref) === undefined) server.create(types.events, event, manager);
  else server.patch(types.events, ref, { note, deprecatedLastTimestamp: at }, { manager });
}

function reconcile(parts: ClusterParts, ref: ObjectRef): void {
  const { server } = parts;
  const set = server.get(types.statefulSets, ref);
  if (set === undefined) return;
  const revision = revisionOf(set);
  if (set.metadata.deletionTimestamp === undefined) {
    keepRevision(parts, set, revision);
    const first = set.spec.ordinals?.start ?? 0;
    const end = first + (set.spec.replicas ?? 1);
    const pods = new Map(podsOf(server, set).map((pod) => [ordinalOf(pod), pod]));
    for (let ordinal = first; ordinal < end; ordinal += 1)
      keepPod(parts, set, revision, ordinal, pods.get(ordinal));
    const condemned = [...pods].filter(([ordinal]) => ordinal < first || ordinal >= end);
    for (const [, pod] of condemned.toSorted(([one], [other]) => other - one)) remove(parts, pod);
  }
  const pods = podsOf(server, set);
  const ready = pods.filter((pod) => isActive(pod) && isReady(pod)).length;
  server.setStatus(types.statefulSets, ref, {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: pods.length,
    readyReplicas: ready,
    availableReplicas: ready,
    currentRevision: revision,
    updateRevision: revision,
  });
}

function keepPod(
  parts: ClusterParts,
  set: Workload,
  revision: string,
  ordinal: number,
  pod: Pod | undefined,
): void {
  if (pod !== undefined) {
    const phase = pod.status?.phase;
    if (phase === "Failed" || phase === "Succeeded") remove(parts, pod);
    return;
  }
  const { name, namespace = "" } = set.metadata;
  const podName = `${name}-${ordinal}`;
  const { metadata, spec } = set.spec.template;
  // The name may still be another set's, whose pods are on their way out.
  if (parts.server.get(types.pods, { namespace, name: podName }) !== undefined) return;
  parts.server.create(
    types.pods,
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: podName,
        namespace,
        labels: {
          ...metadata?.labels,
          "statefulset.kubernetes.io/pod-name": podName,
          "apps.kubernetes.io/pod-index": String(ordinal),
          "controller-revision-hash": revision,
        },
        annotations: { ...metadata?.annotations },
        ownerReferences: [controllerReference(set)],
      },
      spec,
    },
    manager,
  );
}

function remove({ server }: ClusterParts, { metadata }: Pod): void {
  if (metadata.deletionTimestamp !== undefined) return;
  server.delete(types.pods, { namespace: metadata.namespace, name: metadata.name });
}

function keepRevision({ server }: ClusterParts, set: Workload, revision: string): void {
  const { namespace = "" } = set.metadata;
  if (server.get(types.controllerRevisions, { namespace, name: revision }) !== undefined) return;
  server.create(
    types.controllerRevisions,
    {
      apiVersion: "apps/v1",
      kind: "ControllerRevision",
      metadata: {
        name: revision,
        namespace,
        labels: {
          ...set.spec.template.metadata?.labels,
          "controller.kubernetes.io/hash": revision.split("-").at(-1) ?? "",
        },
        ownerReferences: [controllerReference(set)],
      },
    },
    manager,
  );
}

function revisionOf({ metadata, spec, status }: Workload): string {
  // The template never changes, and a set that was made elsewhere has the name that was given there.
  if (status?.updateRevision !== undefined) return status.updateRevision;
  const hash = createHash("sha256").update(JSON.stringify(spec.template)).digest("hex").slice(0, 10);
  return `${metadata.name}-${hash}`;
}

function ordinalOf({ metadata }: Pod): number {
  return Number(metadata.name.slice(metadata.name.lastIndexOf("-") + 1));
}
