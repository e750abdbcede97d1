// Deployments: a ReplicaSet for each template, after pkg/controller/deployment (Kubernetes 1.35, recreate.go, rolling.go).
//
// Differs from the real one: bounds of a rolling update are whole numbers; one that is scaled in the middle of it is not
// scaled in proportion; the pod-template-hash is another hash; no pausing, no progress deadline, no events.
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { InMemoryApiServer } from "@llama-operator/kube-runtime/testing";
import { controllerOf, type ObjectRef } from "@llama-operator/kube-runtime/client";
import { ControlLoop, watched, type ClusterParts } from "./control-loop.ts";
import {
  isActive,
  isReady,
  timestamp,
  types,
  withCondition,
  type Condition,
  type Pod,
  type Workload,
} from "./objects.ts";
import { controllerReference, ownerOfKind, podsOf } from "./ownership.ts";

const hashLabel = "pod-template-hash";
const revisionAnnotation = "deployment.kubernetes.io/revision";

export function deploymentController(parts: ClusterParts): ControlLoop {
  const { server } = parts;
  const loop = new ControlLoop(
    parts,
    [
      watched(types.deployments),
      watched(types.replicaSets, (set) => [ownerOfKind(set, "Deployment")]),
      // Recreate waits for the pods of old ReplicaSets to be gone.
      watched(types.pods, (pod) => {
        const owner = ownerOfKind(pod, "ReplicaSet");
        const set = owner && server.get(types.replicaSets, owner);
        return [set && ownerOfKind(set, "Deployment")];
      }),
    ],
    (ref) => reconcile(parts, ref),
  );
  return loop;
}

function reconcile(parts: ClusterParts, ref: ObjectRef): void {
  const { server } = parts;
  const deployment = server.get(types.deployments, ref);
  if (deployment === undefined) return;
  const sets = server
    .list(types.replicaSets, ref.namespace)
    .filter((set) => controllerOf(set)?.uid === deployment.metadata.uid);
  const current = sets.find((set) => sameTemplate(set, deployment));
  const old = sets.filter((set) => set !== current);
  if (deployment.metadata.deletionTimestamp === undefined) rollOut(parts, deployment, current, old);
  writeStatus(parts, deployment);
}

function rollOut(
  parts: ClusterParts,
  deployment: Workload,
  current: Workload | undefined,
  old: readonly Workload[],
): void {
  const { server } = parts;
  const replicas = deployment.spec.replicas ?? 1;
  const { strategy } = deployment.spec;
  if (strategy?.type === "Recreate") recreate(parts, deployment, current, old);
  else roll(parts, deployment, current, old);
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  if (current === undefined || readyOf(server, current) < replicas) return;
  const idle = old.filter((set) => (set.spec.replicas ?? 0) === 0 && podsOf(server, set).length === 0);
  for (const set of idle.slice(0, Math.max(0, idle.length - limit))) {
    server.delete(types.replicaSets, { namespace: set.metadata.namespace, name: set.metadata.name });
  }
}

function recreate(
  parts: ClusterParts,
  deployment: Workload,
  current: Workload | undefined,
  old: readonly Workload[],
): void {
  const { server } = parts;
  const replicas = deployment.spec.replicas ?? 1;
  const running = old.filter((set) => (set.spec.replicas ?? 0) > 0);
  for (const set of running) server.update(types.replicaSets, withReplicas(set, 0), manager);
  const oldPods = old.flatMap((set) => podsOf(server, set)).filter(({ status }) => !isOver(status?.phase));
  if (running.length > 0 || oldPods.length > 0) return;
  if (current === undefined) createReplicaSet(parts, deployment, replicas, old);
  else if (current.spec.replicas !== replicas) {
    server.update(types.replicaSets, withReplicas(current, replicas), manager);
  }
}

/** reconcileNewReplicaSet, then reconcileOldReplicaSets: those that serve nothing go first. */
function roll(
  parts: ClusterParts,
  deployment: Workload,
  current: Workload | undefined,
  old: readonly Workload[],
): void {
  const { server } = parts;
  const replicas = deployment.spec.replicas ?? 1;
  const { maxSurge = 1, maxUnavailable = 0 } = deployment.spec.strategy?.rollingUpdate ?? {};
  const oldCount = old.reduce((sum, set) => sum + (set.spec.replicas ?? 0), 0);
  const count = current?.spec.replicas ?? 0;
  const room = replicas + maxSurge - oldCount - count;
  const next = count > replicas ? replicas : Math.min(replicas, count + Math.max(0, room));
  if (current === undefined) createReplicaSet(parts, deployment, next, old);
  else if (next !== count) server.update(types.replicaSets, withReplicas(current, next), manager);
  if (current === undefined || next !== count) return;
  const ready = readyOf(server, current);
  const minAvailable = replicas - maxUnavailable;
  let mayGo = oldCount + count - minAvailable - (count - ready);
  let mayGoReady = old.reduce((sum, set) => sum + readyOf(server, set), 0) + ready - minAvailable;
  for (const set of old) {
    const has = set.spec.replicas ?? 0;
    const answering = Math.min(has, readyOf(server, set));
    const broken = Math.min(Math.max(0, mayGo), has - answering);
    mayGo -= broken;
    const serving = Math.min(Math.max(0, mayGoReady), Math.max(0, mayGo), answering);
    mayGo -= serving;
    mayGoReady -= serving;
    const left = has - broken - serving;
    if (left < has) server.update(types.replicaSets, withReplicas(set, left), manager);
  }
}

function readyOf(server: InMemoryApiServer, set: Workload): number {
  return podsOf(server, set).filter((pod) => isActive(pod) && isReady(pod)).length;
}

function createReplicaSet(
  { server }: ClusterParts,
  deployment: Workload,
  replicas: number,
  old: readonly Workload[],
): void {
  const set = newReplicaSet(deployment, replicas, old);
  const { namespace, name } = set.metadata;
  // The name is that of the template: another Deployment's, of the same name before, may still be there.
  if (server.get(types.replicaSets, { namespace, name }) !== undefined) countCollision(server, deployment);
  else server.create(types.replicaSets, set, manager);
}

/** The next try takes another hash. */
function countCollision(server: InMemoryApiServer, { metadata, status }: Workload): void {
  const { namespace, name } = metadata;
  const collisionCount = (status?.collisionCount ?? 0) + 1;
  server.setStatus(types.deployments, { namespace, name }, { ...status, collisionCount });
}

const manager = "kube-controller-manager";

function isOver(phase: string | undefined): boolean {
  return phase === "Succeeded" || phase === "Failed";
}

function newReplicaSet(deployment: Workload, replicas: number, old: readonly Workload[]) {
  const { template, selector } = deployment.spec;
  const collisions = deployment.status?.collisionCount ?? 0;
  const hash = createHash("sha256")
    .update(JSON.stringify([template, ...(collisions === 0 ? [] : [collisions])]))
    .digest("hex")
    .slice(0, 10);
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  const revision =
    1 + Math.max(0, ...old.map(({ metadata }) => Number(metadata.annotations?.[revisionAnnotation])));
  const { name, namespace = "" } = deployment.metadata;
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: { [revisionAnnotation]: String(revision) },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas,
      selector: { matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** But for the label that tells ReplicaSets apart. */
function sameTemplate(set: Workload, { spec }: Workload): boolean {
  const { metadata, spec: pod } = set.spec.template;
  const { [hashLabel]: _, ...labels } = metadata?.labels ?? {};
  return (
    isDeepStrictEqual(pod, spec.template.spec) &&
    isDeepStrictEqual(labels, spec.template.metadata?.labels ?? {}) &&
    isDeepStrictEqual(metadata?.annotations, spec.template.metadata?.annotations)
  );
}

function withReplicas(set: Workload, replicas: number): Workload {
  return { ...set, spec: { ...set.spec, replicas } };
}

function writeStatus({ server, clock }: ClusterParts, { metadata, spec }: Workload): void {
  const { namespace, name } = metadata;
  const status = server.get(types.deployments, { namespace, name })?.status;
  const collisionCount = status?.collisionCount;
  const sets = server
    .list(types.replicaSets, namespace)
    .filter((set) => controllerOf(set)?.uid === metadata.uid);
  const pods: readonly Pod[] = sets.flatMap((set) => podsOf(server, set)).filter(isActive);
  const ready = pods.filter(isReady).length;
  const wanted = spec.replicas ?? 1;
  const available: Condition = {
    type: "Available",
    status: ready >= wanted ? "True" : "False",
    reason: ready >= wanted ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
  };
  server.setStatus(
    types.deployments,
    { namespace, name },
    {
      ...(collisionCount === undefined ? {} : { collisionCount }),
      observedGeneration: metadata.generation ?? 0,
      replicas: pods.length,
      updatedReplicas: pods.length,
      readyReplicas: ready,
      availableReplicas: ready,
      unavailableReplicas: Math.max(0, wanted - ready),
      conditions: [
        ...withCondition(
          status?.conditions?.filter(({ type }) => type !== "ReplicaFailure"),
          available,
          timestamp(clock.now()),
        ),
        // That of the new ReplicaSet, or else of an old one (getReplicaFailures).
        ...sets.flatMap((set) => set.status?.conditions ?? []).slice(0, 1),
      ],
    },
  );
}
