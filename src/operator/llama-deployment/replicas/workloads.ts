// The workloads that exist for an object, and the replicas of each: pods of a Deployment, or the group of a
// LeaderWorkerSet. A pod is of the workload that controls it, whatever its labels say. A workload is recognised by its
// name, which follows from owner, revision, placement and slot; its labels say the same, and are put back where they were
// taken away.
import { isTerminating, type KubeObject, type Live } from "@llama-operator/kube-runtime/client";
import { matchesLabels } from "@llama-operator/llama/api";
import { isActive, type Pod } from "../../observed/pod.ts";
import { placementLabel, revisionLabel, servingPods, slotLabel } from "../../workloads/labels.ts";
import { workloadName, type Owner } from "../../workloads/names.ts";
import { spansNodes, type RevisionData } from "../../workloads/revision.ts";
import type { Pass } from "../pass.ts";
import type { Scope } from "../scope.ts";
import { onLostNode, outOfService, replicaOf, type LiveWorkload } from "./replica.ts";

/** Slots looked for beyond the number of groups that exist: numbers are taken again from the lowest. */
const slotsBeyond = 16;

/**
 * Finds the workloads of these revisions, one for each placement, with their replicas. Left out are workloads that are being deleted, whose pods
 * are on their way out, and those of no known revision, which nobody here may touch.
 */
export function observeWorkloads(
  scope: Pick<Scope, "owner" | "children" | "pods" | "nodeNamed">,
  pass: Pick<Pass, "workloads" | "replicas">,
  revisions: readonly RevisionData[],
): void {
  const {
    owner,
    children: { deployments, leaderWorkerSets },
    pods,
  } = scope;
  const slots = leaderWorkerSets.length + slotsBeyond;
  const podsBy = Map.groupBy(pods, ({ workload }) => workload);
  pass.workloads = [...deployments, ...leaderWorkerSets].flatMap((object): LiveWorkload[] => {
    if (isTerminating(object)) return [];
    const place = labelledPlace(owner, revisions, object) ?? placeByName(owner, revisions, object, slots);
    if (place === undefined) return [];
    const { revision, slot } = place;
    const { hash, placement } = revision;
    const kept: readonly Pod[] = podsBy.get(object.metadata.name) ?? [];
    if (slot !== undefined) {
      const group = replicaOf(hash, revision.plan.nodesPerReplica, kept, slot);
      const leader = kept.find((pod) => isActive(pod) && pod.metadata.name === leaderName(object));
      const found = leader === undefined || isReachable(leader, owner) ? group : outOfService(group, leader);
      // Ranks that are to go and that nobody ends keep the group from being made anew.
      const replica = { ...onLostNode(found, kept, scope), id: groupId(revision, slot) };
      const seen = leader?.ready === true ? 1 : 0;
      return [
        {
          object,
          revision: hash,
          placement,
          desired: 1,
          slot,
          replicas: [replica],
          unseen: unseen(object, seen),
        },
      ];
    }
    // One that the Service does not reach was taken out of service by its labels, and is about to be replaced.
    const own = kept.filter((pod) => isActive(pod) && isReachable(pod, owner));
    const desired = (object as { spec?: { replicas?: number } }).spec?.replicas ?? own.length;
    const replicas = own.map((pod) => onLostNode(replicaOf(hash, 1, [pod]), [pod], scope));
    const seen = kept.filter(({ ready }) => ready).length;
    return [{ object, revision: hash, placement, desired, replicas, unseen: unseen(object, seen) }];
  });
  pass.replicas = pass.workloads.flatMap(({ replicas }) => replicas);
}

/** Workloads of ours that no known revision explains, and that are not on their way out: nobody here may touch them. */
export function unknownWorkloads(
  { children: { deployments, leaderWorkerSets } }: Pick<Scope, "children">,
  { workloads }: Pick<Pass, "workloads">,
): readonly Live<KubeObject>[] {
  const known = new Set(workloads.map(({ object }) => object));
  return [...deployments, ...leaderWorkerSets].filter(
    (object) => !known.has(object) && !isTerminating(object),
  );
}

/** Those that leave are among the seen: its controller may not have taken them from its count yet. */
function unseen(object: Live<KubeObject>, seen: number): number {
  const { readyReplicas = 0 } =
    (object as { readonly status?: { readonly readyReplicas?: number } }).status ?? {};
  return Math.max(0, readyReplicas - seen);
}

/** A slot can be taken at two placements for a moment. */
function groupId({ placement }: RevisionData, slot: number): string {
  return placement === undefined ? `slot-${slot}` : `slot-${slot}-${placement}`;
}

/** Whether the Service selects a pod. */
export function isReachable({ metadata: { labels } }: Pod, { name }: Owner): boolean {
  return matchesLabels(labels ?? {}, servingPods(name));
}

/** LeaderWorkerSets of ours have one group, the first. */
function leaderName({ metadata: { name } }: Live<KubeObject>): string {
  return `${name}-0`;
}

interface Place {
  readonly revision: RevisionData;
  readonly slot?: number;
}

/** What the labels say, where the name agrees. */
function labelledPlace(
  owner: Owner,
  revisions: readonly RevisionData[],
  { kind, metadata: { name, labels } }: Live<KubeObject>,
): Place | undefined {
  const revision = revisions.find(
    ({ hash, placement }) => hash === labels?.[revisionLabel] && placement === labels?.[placementLabel],
  );
  if (revision === undefined) return undefined;
  if (kind === "Deployment") {
    return workloadName(owner, revision) === name ? { revision } : undefined;
  }
  const slot = Number(labels?.[slotLabel]);
  return workloadName(owner, revision, slot) === name ? { revision, slot } : undefined;
}

/** What a workload is whose labels were taken away or changed. */
function placeByName(
  owner: Owner,
  revisions: readonly RevisionData[],
  { kind, metadata: { name } }: Live<KubeObject>,
  slots: number,
): Place | undefined {
  for (const revision of revisions) {
    if (kind === "Deployment") {
      if (!spansNodes(revision) && workloadName(owner, revision) === name) return { revision };
      continue;
    }
    for (let slot = 0; spansNodes(revision) && slot < slots; slot += 1) {
      if (workloadName(owner, revision, slot) === name) return { revision, slot };
    }
  }
  return undefined;
}
