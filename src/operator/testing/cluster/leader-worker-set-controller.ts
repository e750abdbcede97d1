// LeaderWorkerSets: a StatefulSet of leaders, and for each leader one of its workers, after sigs.k8s.io/lws 0.9
// (pkg/controllers; what its webhook adds to pods is in admission.ts).
//
// Differs from the real one: no rolling update, surge or partition (the operator writes sets of one replica whose template
// never changes); a StatefulSet that somebody changes stays so; no subgroups, exclusive placement or gang scheduling; the
// restart policies are RecreateGroupOnPodRestart and None.
import { createHash } from "node:crypto";
import { controllerOf, type ObjectRef } from "@llama-operator/kube-runtime/client";
import { ControlLoop, watched, type ClusterParts } from "./control-loop.ts";
import {
  isActive,
  isReady,
  timestamp,
  types,
  withCondition,
  type Condition,
  type LeaderWorkerSet,
  type Pod,
  type PodTemplate,
} from "./objects.ts";
import { controllerReference, ownerOfKind } from "./ownership.ts";

export const groupLabels = {
  set: "leaderworkerset.sigs.k8s.io/name",
  group: "leaderworkerset.sigs.k8s.io/group-index",
  worker: "leaderworkerset.sigs.k8s.io/worker-index",
  key: "leaderworkerset.sigs.k8s.io/group-key",
  revision: "leaderworkerset.sigs.k8s.io/template-revision-hash",
} as const;
export const groupAnnotations = {
  size: "leaderworkerset.sigs.k8s.io/size",
  leader: "leaderworkerset.sigs.k8s.io/leader-name",
} as const;

const manager = "lws";

export function leaderWorkerSetController(parts: ClusterParts): readonly ControlLoop[] {
  const toSet = ({ metadata }: Pod): ObjectRef | undefined => {
    const name = metadata.labels?.[groupLabels.set];
    return name === undefined ? undefined : { namespace: metadata.namespace, name };
  };
  const sets = new ControlLoop(
    parts,
    [
      watched(types.leaderWorkerSets),
      watched(types.statefulSets, ({ metadata }) => {
        const name = metadata.labels?.[groupLabels.set];
        return [name === undefined ? undefined : { namespace: metadata.namespace, name }];
      }),
    ],
    (ref) => reconcileSet(parts, ref),
  );
  const pods = new ControlLoop(
    parts,
    [
      watched(types.pods, (pod) =>
        toSet(pod) === undefined ? [] : [{ namespace: pod.metadata.namespace, name: pod.metadata.name }],
      ),
    ],
    (ref) => reconcilePod(parts, ref),
  );
  return [sets, pods];
}

function reconcileSet(parts: ClusterParts, ref: ObjectRef): void {
  const { server } = parts;
  if (!server.serves(types.leaderWorkerSets)) return;
  const set = server.get(types.leaderWorkerSets, ref);
  if (set === undefined || set.metadata.deletionTimestamp !== undefined) return;
  const leaders = server.get(types.statefulSets, ref);
  if (leaders?.metadata.deletionTimestamp !== undefined) return;
  // The name is that of the set, so that an older one of this name may still be there.
  if (leaders !== undefined && controllerOf(leaders)?.uid !== set.metadata.uid) return;
  const revision = leaders?.metadata.labels?.[groupLabels.revision] ?? revisionOf(set);
  if (leaders === undefined || set.status?.observedGeneration !== set.metadata.generation) {
    server.apply(types.statefulSets, leaderStatefulSet(set, revision), { manager, force: true });
  }
  keepRevision(parts, set, revision);
  keepService(parts, set);
  writeStatus(parts, set);
}

function templateOf({ spec }: LeaderWorkerSet): PodTemplate {
  return spec.leaderWorkerTemplate.leaderTemplate ?? spec.leaderWorkerTemplate.workerTemplate;
}

function sizeOf({ spec }: LeaderWorkerSet): number {
  return spec.leaderWorkerTemplate.size ?? 1;
}

function withMetadata(
  template: PodTemplate,
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
): PodTemplate {
  const { metadata } = template;
  return {
    ...template,
    metadata: {
      ...metadata,
      labels: { ...metadata?.labels, ...labels },
      annotations: { ...metadata?.annotations, ...annotations },
    },
  };
}

function leaderStatefulSet(set: LeaderWorkerSet, revision: string) {
  const { name, namespace = "" } = set.metadata;
  const its = { [groupLabels.set]: name, [groupLabels.worker]: "0" };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: {
      name,
      namespace,
      labels: { [groupLabels.set]: name, [groupLabels.revision]: revision },
      annotations: { "leaderworkerset.sigs.k8s.io/replicas": String(set.spec.replicas ?? 1) },
      ownerReferences: [controllerReference(set)],
    },
    spec: {
      serviceName: name,
      replicas: set.spec.replicas ?? 1,
      podManagementPolicy: "Parallel",
      selector: { matchLabels: its },
      template: withMetadata(
        templateOf(set),
        { ...its, [groupLabels.revision]: revision },
        { [groupAnnotations.size]: String(sizeOf(set)) },
      ),
    },
  };
}

function keepRevision({ server }: ClusterParts, set: LeaderWorkerSet, revision: string): void {
  const { name, namespace = "" } = set.metadata;
  const ref = { namespace, name: `${name}-${revision}-1` };
  if (server.get(types.controllerRevisions, ref) !== undefined) return;
  const labels = { [groupLabels.set]: name, [groupLabels.revision]: revision };
  const metadata = { ...ref, labels, ownerReferences: [controllerReference(set)] };
  server.create(
    types.controllerRevisions,
    { apiVersion: "apps/v1", kind: "ControllerRevision", metadata },
    manager,
  );
}

/** The headless Service by which the ranks of all groups find their leaders. */
function keepService({ server }: ClusterParts, set: LeaderWorkerSet): void {
  const { name, namespace = "" } = set.metadata;
  if (server.get(types.services, { namespace, name }) !== undefined) return;
  const selector = { [groupLabels.set]: name };
  server.create(
    types.services,
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace, ownerReferences: [controllerReference(set)] },
      spec: { clusterIP: "None", selector },
    },
    manager,
  );
}

function writeStatus({ server, clock }: ClusterParts, set: LeaderWorkerSet): void {
  const { name, namespace, generation = 0 } = set.metadata;
  const leaders = server
    .list(types.pods, namespace)
    .filter(
      ({ metadata }) =>
        metadata.labels?.[groupLabels.set] === name && metadata.labels[groupLabels.worker] === "0",
    );
  const ready = leaders.filter((leader) => {
    const workers = server.get(types.statefulSets, { namespace, name: leader.metadata.name });
    const wanted = sizeOf(set) - 1;
    return (
      isActive(leader) && isReady(leader) && (wanted === 0 || (workers?.status?.readyReplicas ?? 0) >= wanted)
    );
  }).length;
  const isDone = ready >= (set.spec.replicas ?? 1);
  const before = set.status?.conditions;
  const now = timestamp(clock.now());
  const available: Condition = {
    type: "Available",
    status: isDone ? "True" : "False",
    reason: "AllGroupsReady",
  };
  const progressing: Condition = {
    type: "Progressing",
    status: isDone ? "False" : "True",
    reason: "GroupsProgressing",
  };
  // The real one adds this condition once it is True, and sets it to False later.
  const hasAnswered = isDone || before?.some(({ type }) => type === "Available") === true;
  const known = hasAnswered ? withCondition(before, available, now) : before;
  server.setStatus(
    types.leaderWorkerSets,
    { namespace, name },
    {
      observedGeneration: generation,
      replicas: leaders.length,
      readyReplicas: ready,
      updatedReplicas: leaders.length,
      conditions: withCondition(known, progressing, now),
    },
  );
}

function reconcilePod(parts: ClusterParts, ref: ObjectRef): void {
  const { server } = parts;
  const pod = server.get(types.pods, ref);
  const name = pod?.metadata.labels?.[groupLabels.set];
  if (pod === undefined || name === undefined || !server.serves(types.leaderWorkerSets)) return;
  const set = server.get(types.leaderWorkerSets, { namespace: ref.namespace, name });
  if (set === undefined) return;
  if (recreateGroup(parts, pod, set)) return;
  const isLeader = pod.metadata.labels?.[groupLabels.worker] === "0";
  if (!isLeader || pod.metadata.deletionTimestamp !== undefined || sizeOf(set) === 1) return;
  if (set.spec.startupPolicy === "LeaderReady" && !isReady(pod)) return;
  if (server.get(types.statefulSets, { namespace: ref.namespace, name: pod.metadata.name }) !== undefined)
    return;
  server.create(types.statefulSets, workerStatefulSet(pod, set), manager);
}

/** A rank that has restarted or goes takes the whole group with it: its leader is deleted in the foreground. */
function recreateGroup({ server }: ClusterParts, pod: Pod, set: LeaderWorkerSet): boolean {
  const policy = set.spec.leaderWorkerTemplate.restartPolicy ?? "RecreateGroupOnPodRestart";
  if (policy !== "RecreateGroupOnPodRestart") return false;
  const restarted = (pod.status?.containerStatuses ?? []).some(({ restartCount }) => restartCount > 0);
  if (!restarted && pod.metadata.deletionTimestamp === undefined) return false;
  const leader = leaderOf(server, pod);
  if (leader === undefined) return false;
  if (leader.metadata.deletionTimestamp !== undefined) return true;
  const { namespace, name } = leader.metadata;
  server.delete(types.pods, { namespace, name }, { propagationPolicy: "Foreground" });
  return true;
}

/** The pod itself, or the leader of the group that a worker belongs to now: not one that has replaced its own. */
function leaderOf(server: ClusterParts["server"], pod: Pod): Pod | undefined {
  if (pod.metadata.labels?.[groupLabels.worker] === "0") return pod;
  const setRef = ownerOfKind(pod, "StatefulSet");
  const workers = setRef && server.get(types.statefulSets, setRef);
  if (workers === undefined || workers.metadata.uid !== controllerOf(pod)?.uid) return undefined;
  const leaderRef = ownerOfKind(workers, "Pod");
  const leader = leaderRef && server.get(types.pods, leaderRef);
  return leader?.metadata.uid === controllerOf(workers)?.uid ? leader : undefined;
}

function workerStatefulSet(leader: Pod, set: LeaderWorkerSet) {
  const { name, namespace = "", labels = {} } = leader.metadata;
  const its = {
    [groupLabels.group]: labels[groupLabels.group] ?? "",
    [groupLabels.set]: set.metadata.name,
    [groupLabels.key]: labels[groupLabels.key] ?? "",
  };
  const revision = { [groupLabels.revision]: labels[groupLabels.revision] ?? "" };
  const annotations = {
    [groupAnnotations.size]: String(sizeOf(set)),
    [groupAnnotations.leader]: name,
  };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: {
      name,
      namespace,
      labels: { ...its, ...revision },
      ownerReferences: [controllerReference(leader)],
    },
    spec: {
      serviceName: set.metadata.name,
      replicas: sizeOf(set) - 1,
      podManagementPolicy: "Parallel",
      ordinals: { start: 1 },
      selector: { matchLabels: its },
      template: withMetadata(
        set.spec.leaderWorkerTemplate.workerTemplate,
        { ...its, ...revision },
        annotations,
      ),
    },
  };
}

function revisionOf({ spec }: LeaderWorkerSet): string {
  return createHash("sha256").update(JSON.stringify(spec.leaderWorkerTemplate)).digest("hex").slice(0, 10);
}
