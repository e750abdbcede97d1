// ReplicaSets: as many pods as are wanted, after pkg/controller/replicaset (Kubernetes 1.35); which pods go is in
// victims.ts.
//
// Differs from the real one: no adoption of pods by labels, no slow start, no burst limit, no minReadySeconds; names of
// pods end in five random characters of a seeded sequence.
import { controllerOf, type ObjectRef } from "@llama-operator/kube-runtime/client";
import { ControlLoop, refusalOf, watched, type ClusterParts } from "./control-loop.ts";
import { isActive, isReady, matches, types, type Condition, type Workload } from "./objects.ts";
import { controllerReference, ownerOfKind, podsOf } from "./ownership.ts";
import { inOrderOfDeletion } from "./victims.ts";

export function replicaSetController(parts: ClusterParts): ControlLoop {
  const loop: ControlLoop = new ControlLoop(
    parts,
    [watched(types.replicaSets), watched(types.pods, (pod) => [ownerOfKind(pod, "ReplicaSet")])],
    (ref) => {
      if (reconcile(parts, ref)) loop.retry(ref);
    },
  );
  return loop;
}

/** @returns whether pods were refused */
function reconcile(parts: ClusterParts, ref: ObjectRef): boolean {
  const { server, clock } = parts;
  const set = server.get(types.replicaSets, ref);
  if (set === undefined) return false;
  releaseOthers(parts, set);
  const active = podsOf(server, set).filter(isActive);
  const wanted = set.spec.replicas ?? 1;
  let refusal: string | undefined;
  if (set.metadata.deletionTimestamp === undefined) {
    for (let count = active.length; count < wanted && refusal === undefined; count += 1) {
      refusal = tryToCreatePod(parts, set);
    }
    const surplus = Math.max(0, active.length - wanted);
    if (surplus > 0) {
      const related = siblings(parts, set)
        .flatMap((each) => podsOf(server, each))
        .filter(isActive);
      for (const pod of inOrderOfDeletion(active, related, clock.now()).slice(0, surplus)) {
        server.delete(types.pods, { namespace: pod.metadata.namespace, name: pod.metadata.name });
      }
    }
  }
  const left = podsOf(server, set).filter(isActive);
  const ready = left.filter(isReady).length;
  server.setStatus(types.replicaSets, ref, {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: left.length,
    readyReplicas: ready,
    availableReplicas: ready,
    // The first failure's words stay (calculateStatus in replica_set_utils.go).
    ...(refusal === undefined ? {} : { conditions: set.status?.conditions ?? [replicaFailure(refusal)] }),
  });
  return refusal !== undefined;
}

function replicaFailure(message: string): Condition {
  return { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message };
}

function tryToCreatePod(parts: ClusterParts, set: Workload): string | undefined {
  try {
    createPod(parts, set);
    return undefined;
  } catch (error) {
    return refusalOf(error);
  }
}

/** Pods whose labels were changed so that the set selects them no more are let go (PodControllerRefManager.ReleasePod). */
function releaseOthers({ server }: ClusterParts, set: Workload): void {
  for (const pod of podsOf(server, set)) {
    if (matches(pod.metadata.labels, set.spec.selector.matchLabels)) continue;
    const { ownerReferences: _, ...metadata } = pod.metadata;
    server.update(types.pods, { ...pod, metadata }, "kube-controller-manager");
  }
}

function siblings({ server }: ClusterParts, set: Workload): readonly Workload[] {
  const owner = controllerOf(set)?.uid;
  return server
    .list(types.replicaSets, set.metadata.namespace)
    .filter((each) => controllerOf(each)?.uid === owner);
}

/** What Kubernetes takes for generated names: no vowels and nothing that looks like another character. */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";

function createPod({ server, random }: ClusterParts, set: Workload): void {
  const suffix = Array.from({ length: 5 }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
  const { name, namespace = "" } = set.metadata;
  const { metadata, spec } = set.spec.template;
  server.create(
    types.pods,
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: `${name}-${suffix}`,
        namespace,
        labels: { ...metadata?.labels },
        ...(metadata?.annotations === undefined ? {} : { annotations: { ...metadata.annotations } }),
        ownerReferences: [controllerReference(set)],
      },
      spec,
    },
    "kube-controller-manager",
  );
}
