// The revisions that are stored for an object, and the replicas that each of them has now.
import type { LlamaDeployment } from "@llama-operator/llama/api";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import { readRevision, RevisionUnreadable } from "../workloads/controller-revision.ts";
import { revisionLabel, slotLabel } from "../workloads/labels.ts";
import type { RevisionData } from "../workloads/revision.ts";
import { isTerminating, type Pod } from "../observed/pod.ts";
import { replicaOf, type Replica } from "./replicas.ts";
import type { Scope } from "./scope.ts";

export interface StoredRevision {
  readonly data: RevisionData;
  /** Counts up with each new revision. */
  readonly number: number;
  readonly object: Live<KubeObject>;
}

/** Reads ControllerRevisions, each version of one once: a pass at rest parses nothing. */
export class RevisionReader {
  readonly #read = new WeakMap<KubeObject, StoredRevision | RevisionUnreadable>();

  /** Oldest first. Those that cannot be read are left out, and so are their workloads: nobody touches them. */
  stored(objects: readonly Live<KubeObject>[]): readonly StoredRevision[] {
    const revisions: StoredRevision[] = [];
    for (const object of objects) {
      let known = this.#read.get(object);
      if (known === undefined) {
        known = parse(object);
        this.#read.set(object, known);
      }
      if (!(known instanceof RevisionUnreadable)) revisions.push(known);
    }
    return revisions.sort((a, b) => a.number - b.number);
  }
}

/** The revision whose plan stays unless the spec asks for something else. */
export function revisionInForce(
  { status }: Pick<LlamaDeployment, "status">,
  stored: readonly StoredRevision[],
): RevisionData | undefined {
  return (stored.find(({ data }) => data.hash === status?.currentRevision) ?? stored.at(-1))?.data;
}

function parse(object: Live<KubeObject>): StoredRevision | RevisionUnreadable {
  try {
    const data = readRevision(object);
    return { data, number: (object as { revision?: number }).revision ?? 0, object };
  } catch (error) {
    if (error instanceof RevisionUnreadable) return error;
    throw error;
  }
}

/** A workload that exists: the Deployment of a revision, or the LeaderWorkerSet of one of its replicas. */
export interface LiveWorkload {
  readonly object: Live<KubeObject>;
  readonly revision: string;
  /** Replicas that it asks for. */
  readonly desired: number;
  /** Of a LeaderWorkerSet: which replica it is. */
  readonly slot?: number;
  readonly replicas: readonly Replica[];
}

/** LeaderWorkerSet puts it on every pod of a group. */
export const groupNameLabel = "leaderworkerset.sigs.k8s.io/name";

/** The workloads with their replicas; pods of a deleted workload are on their way out and belong to none. */
export function liveWorkloads(scope: Scope, revisions: readonly StoredRevision[]): readonly LiveWorkload[] {
  const size = new Map(revisions.map(({ data }) => [data.hash, data.plan.nodesPerReplica]));
  const podsOf = (label: string, value: string): readonly Pod[] =>
    scope.pods.filter((pod) => pod.metadata.labels?.[label] === value);
  const deployments = scope.children.deployments.flatMap((object): LiveWorkload[] => {
    const revision = object.metadata.labels?.[revisionLabel];
    if (revision === undefined || !size.has(revision)) return [];
    const pods = podsOf(revisionLabel, revision).filter((pod) => !isTerminating(pod));
    const desired = (object as { spec?: { replicas?: number } }).spec?.replicas ?? 1;
    return [{ object, revision, desired, replicas: pods.map((pod) => replicaOf(revision, 1, [pod])) }];
  });
  const groups = scope.children.leaderWorkerSets.flatMap((object): LiveWorkload[] => {
    const { name, labels } = object.metadata;
    const revision = labels?.[revisionLabel];
    const podCount = revision === undefined ? undefined : size.get(revision);
    if (revision === undefined || podCount === undefined || isLeaving(object)) return [];
    const replica = replicaOf(revision, podCount, podsOf(groupNameLabel, name));
    return [{ object, revision, desired: 1, slot: Number(labels?.[slotLabel] ?? 0), replicas: [replica] }];
  });
  return [...deployments.filter(({ object }) => !isLeaving(object)), ...groups];
}

function isLeaving(object: Live<KubeObject>): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** GPUs and nodes of one replica. */
export function footprintOf({ plan }: RevisionData): { nodesPerReplica: number; gpusPerNode: number } {
  return { nodesPerReplica: plan.nodesPerReplica, gpusPerNode: plan.pod.gpus };
}
