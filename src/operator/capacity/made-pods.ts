// What one LlamaDeployment has made: pods with a node and pods without, counted from what the cache shows of its
// workloads and pods and from what was decided and does not show there yet. Pods that nobody makes count for a while.
import {
  isTerminating,
  parseObjectKey,
  type KubeObject,
  type Live,
} from "@llama-operator/kube-runtime/client";
import { byDeployment } from "../observed/caches.ts";
import { holdsDevices, type Pod } from "../observed/pod.ts";
import { groupNameLabel, placementLabel, revisionLabel } from "../workloads/labels.ts";
import type { Footprint } from "./room.ts";
import { hasAnswered, longestShortage, shortageOf, type PartialGroup } from "./partial-groups.ts";
import type { CapacitySources, GroupObject } from "./sources.ts";

/** A workload that is about to be written. */
export interface AssumedWorkload {
  /** The LlamaDeployment whose workload it is, as `namespace/name`. */
  readonly holder: string;
  readonly pool: string;
  readonly footprint: Footprint;
  /** All replicas that it will ask for: 1 of a LeaderWorkerSet. */
  readonly replicas: number;
}

/** Pods of one kind that a holder has made, or is making. */
export interface MadePods {
  readonly holder: string;
  readonly pool: string;
  readonly gpusPerPod: number;
  /** Whether they are ranks of groups, which are of no use until all have a node. */
  readonly isGroup: boolean;
  readonly placed: number;
  /** Without a node, and waiting for nothing else. */
  readonly unplaced: number;
  /** Asked for, and not made by anybody for so long that they are taken to be refused; not among the unplaced. */
  readonly refused: number;
  /** Revisions of the groups among these. */
  readonly refusedRevisions: readonly string[];
  /** The groups among them of which some rank has no node. */
  readonly partial: readonly PartialGroup[];
}

export interface HolderPods {
  readonly made: readonly MadePods[];
  /** Whether some pod is on a node that the cache does not show yet: it counts as unplaced until then. */
  readonly isAheadOfNodes: boolean;
}

export type WorkloadSources = Pick<
  CapacitySources,
  "nodes" | "pods" | "deployments" | "leaderWorkerSets" | "controllerRevisions" | "revisions"
>;

type Kind = Pick<MadePods, "pool" | "gpusPerPod" | "isGroup">;

/** The pods of one LeaderWorkerSet, or of the Deployment of one revision at one placement. */
interface Count {
  readonly kind: Kind;
  /** Pods that the workloads ask for. */
  desired: number;
  placed: number;
  /** Pods that exist and have no node. */
  waiting: number;
  /** Those of them that a missing volume keeps from any node. */
  withoutVolume: number;
  /** Pods on their way out: others are made in their place once they are gone. */
  leaving: number;
  /** Of a group that the cache shows. */
  group?: Live<GroupObject>;
  readonly ranks: Pod[];
  /** Names all that there is of it; see `UnmadePods`. */
  shape: string;
}

export function madePods(
  sources: WorkloadSources,
  holder: string,
  refusedOf: RefusedOf,
  decided: ReadonlyMap<string, AssumedWorkload> = new Map(),
): HolderPods {
  const counts = new Map<string, Count>();
  const countOf = (key: string, kind: Kind | undefined): Count | undefined => {
    const known = counts.get(key);
    if (known !== undefined || kind === undefined) return known;
    const count = {
      kind,
      desired: 0,
      placed: 0,
      waiting: 0,
      withoutVolume: 0,
      leaving: 0,
      ranks: [],
      shape: "",
    };
    counts.set(key, count);
    return count;
  };
  const shown = new Set<string>();
  const workload = (object: Live<KubeObject>, key: string, isGroup: boolean, pods: number): void => {
    const assumed = decided.get(object.metadata.name);
    shown.add(object.metadata.name);
    const kind = (assumed && kindOf(assumed)) ?? storedKind(sources, holder, object, isGroup);
    const count = countOf(key, kind);
    if (count === undefined) return;
    count.shape += ` ${object.metadata.uid}`;
    count.desired += Math.max(
      assumed === undefined ? 0 : podsOf(assumed),
      object.metadata.deletionTimestamp === undefined ? pods : 0,
    );
  };
  for (const object of sources.leaderWorkerSets.store.byIndex(byDeployment, holder)) {
    const { name } = object.metadata;
    workload(object, name, true, object.spec?.leaderWorkerTemplate?.size ?? 0);
    const count = counts.get(name);
    if (count !== undefined && !isTerminating(object)) count.group = object;
  }
  for (const object of sources.deployments.store.byIndex(byDeployment, holder)) {
    workload(object, placedRevisionOf(object), false, object.spec?.replicas ?? 1);
  }
  for (const [name, assumed] of decided) {
    if (shown.has(name)) continue;
    const count = countOf(name, kindOf(assumed));
    if (count !== undefined) count.desired += podsOf(assumed);
  }
  let isAheadOfNodes = false;
  for (const pod of sources.pods.store.byIndex(byDeployment, holder)) {
    const group = pod.metadata.labels?.[groupNameLabel];
    const key = group ?? placedRevisionOf(pod);
    if (isTerminating(pod)) {
      const count = countOf(key, undefined);
      if (count !== undefined) count.leaving += 1;
      continue;
    }
    const count =
      countOf(key, undefined) ?? countOf(key, storedKind(sources, holder, pod, group !== undefined));
    if (count === undefined) continue;
    count.shape += ` ${pod.metadata.uid}`;
    if (group !== undefined) count.ranks.push(pod);
    const { nodeName } = pod;
    if (nodeName === undefined) {
      count.waiting += 1;
      if (lacksVolume(pod)) count.withoutVolume += 1;
    } else if (holdsDevices(pod)) {
      // Else the GPUs of a node that has just been added would count as free, as those of one that is still to come.
      const isThere = sources.nodes.store.get({ name: nodeName }) !== undefined;
      count[isThere ? "placed" : "waiting"] += 1;
      isAheadOfNodes ||= !isThere;
    }
  }
  return { made: summed(holder, counts, refusedOf(lackingPods(counts))), isAheadOfNodes };
}

/** Which of these workloads lack pods that are taken to be refused; see `UnmadePods`. */
export type RefusedOf = (shapes: ReadonlyMap<string, string>) => ReadonlySet<string>;

/** Workloads that lack pods, and wait for no other pods to go first. */
function lackingPods(counts: ReadonlyMap<string, Count>): ReadonlyMap<string, string> {
  const lacking = [...counts].filter(([, count]) => unmadeOf(count) > 0 && count.leaving === 0);
  return new Map(lacking.map(([key, { desired, shape }]) => [key, `${desired}${shape}`]));
}

/** Pods that are asked for and do not exist. */
function unmadeOf({ desired, placed, waiting }: Count): number {
  return Math.max(0, desired - placed - waiting);
}

/** The scheduler's words for a pod whose PersistentVolumeClaim is not there or not bound. It takes no GPU till then. */
function lacksVolume({ unschedulable = "" }: Pod): boolean {
  return /persistentvolumeclaim/i.test(unschedulable);
}

function summed(
  holder: string,
  counts: ReadonlyMap<string, Count>,
  refusing: ReadonlySet<string>,
): readonly MadePods[] {
  const made: MadePods[] = [];
  for (const [key, count] of counts) {
    const { kind, placed, waiting, withoutVolume } = count;
    const refused = refusing.has(key) ? unmadeOf(count) : 0;
    const refusedRevisions = refused > 0 && count.group !== undefined ? [revisionOf(count.group)] : [];
    const partial = partialOf(holder, count, refused);
    const unplaced = waiting + unmadeOf(count) - refused - withoutVolume;
    const at = made.findIndex((each) => isSameKind(each, kind));
    const before = made[at];
    if (before === undefined)
      made.push({ holder, ...kind, placed, unplaced, refused, refusedRevisions, partial });
    else {
      made[at] = {
        ...before,
        placed: before.placed + placed,
        unplaced: before.unplaced + unplaced,
        refused: before.refused + refused,
        refusedRevisions: [...before.refusedRevisions, ...refusedRevisions],
        partial: [...before.partial, ...partial],
      };
    }
  }
  return made;
}

/** The group, if some of its ranks have no node. */
function partialOf(holder: string, count: Count, refused: number): readonly PartialGroup[] {
  const { group, ranks, desired, placed, leaving, kind } = count;
  if (group === undefined || placed >= desired) return [];
  const { name, uid, creationTimestamp = "" } = group.metadata;
  const waiting = ranks.filter(({ nodeName }) => nodeName === undefined);
  const isWhole = waiting.length === desired - placed && leaving === 0;
  return [
    {
      holder,
      name,
      uid,
      priorityClassName: group.spec?.leaderWorkerTemplate?.workerTemplate?.spec?.priorityClassName,
      createdMs: Date.parse(creationTimestamp),
      pod: { gpusPerNode: kind.gpusPerPod, requests: ranks[0]?.requests },
      lacks: desired - placed,
      held: ranks.filter(holdsDevices).map(({ nodeName = "", requests }) => ({
        node: nodeName,
        gpus: kind.gpusPerPod,
        ...(requests === undefined ? {} : { requests }),
      })),
      shortage: longestShortage([
        ...waiting.map(shortageOf),
        ...(refused > 0 ? (["more"] as const) : []),
        ...(isWhole ? [] : (["time"] as const)),
      ]),
      hasAnswered: hasAnswered(group),
      answers: ranks.some(({ ready }) => ready),
    },
  ];
}

function isSameKind(a: Kind, b: Kind): boolean {
  return a.pool === b.pool && a.gpusPerPod === b.gpusPerPod && a.isGroup === b.isGroup;
}

function podsOf({ replicas, footprint }: AssumedWorkload): number {
  return replicas * footprint.nodesPerReplica;
}

function kindOf({ pool, footprint: { gpusPerNode, nodesPerReplica } }: AssumedWorkload): Kind {
  return { pool, gpusPerPod: gpusPerNode, isGroup: nodesPerReplica > 1 };
}

/** Ranks without a node of the holder's groups that these pods belong to: they go with them. */
export function unplacedRanksOf(
  { leaderWorkerSets }: Pick<WorkloadSources, "leaderWorkerSets">,
  holder: string,
  pods: readonly Pod[],
): number {
  const { namespace } = parseObjectKey(holder);
  const groups = new Set(pods.flatMap(({ metadata }) => metadata.labels?.[groupNameLabel] ?? []));
  let ranks = 0;
  for (const name of groups) {
    const size = leaderWorkerSets.store.get({ namespace, name })?.spec?.leaderWorkerTemplate?.size ?? 0;
    const placed = pods.filter((pod) => pod.metadata.labels?.[groupNameLabel] === name && holdsDevices(pod));
    ranks += Math.max(0, size - placed.length);
  }
  return ranks;
}

/** Where the pods of a stored revision go; undefined while the cache lacks it, or where it cannot be read. */
function storedKind(
  { controllerRevisions, revisions }: WorkloadSources,
  holder: string,
  object: Live<KubeObject>,
  isGroup: boolean,
): Kind | undefined {
  const { namespace, name } = parseObjectKey(holder);
  const revision = controllerRevisions.store.get({ namespace, name: `${name}-${revisionOf(object)}` });
  const stored = revision && revisions.stored([revision])[0];
  const placement = object.metadata.labels?.[placementLabel];
  const plan = (stored?.placed?.find((each) => each.placement === placement) ?? stored?.data)?.plan;
  return plan && { pool: plan.pool, gpusPerPod: plan.pod.gpus, isGroup };
}

function revisionOf({ metadata: { labels } }: Live<KubeObject>): string {
  return labels?.[revisionLabel] ?? "";
}

/** Of a Deployment or a pod of one. */
function placedRevisionOf(object: Live<KubeObject>): string {
  return `${revisionOf(object)}/${object.metadata.labels?.[placementLabel] ?? ""}`;
}
