// How many replicas each revision should have next, and which groups those are: reads the scope, asks the rollout
// planner, and says what pending replicas wait for.
import { conditionTypes, reasons, type Reason } from "@llama-operator/llama/api";
import type { Share } from "../../workloads/desired.ts";
import { spansNodes, type RevisionData } from "../../workloads/revision.ts";
import { replicasThatFit, roomsWithout, type NodeRoom } from "../../capacity/capacity.ts";
import type { Pod } from "../../observed/pod.ts";
import { footprintOf, type LiveWorkload, type StoredRevision } from "../revisions.ts";
import { keepSlots, planRollout, type RevisionReplicas, type RolloutDecision } from "../rollout.ts";
import type { Scope } from "../scope.ts";

export interface Placement {
  readonly reason: Reason;
  readonly message: string;
}

export interface Rollout {
  readonly decision: RolloutDecision;
  /** What should exist, of every revision that still has replicas. */
  readonly shares: readonly Share[];
  /** What replicas that are not placed wait for. */
  readonly placement?: Placement;
}

export interface RolloutContext {
  readonly current: RevisionData;
  readonly stored: readonly StoredRevision[];
  readonly workloads: readonly LiveWorkload[];
  /** Nodes of the current plan's pool that are promised to groups, this object's own among them. */
  readonly promisedNodes: number;
}

export function rolloutStep(scope: Scope, context: RolloutContext): Rollout {
  const { current, workloads, promisedNodes } = context;
  const { plan } = current;
  const wanted = scope.object.spec.replicas;
  const footprint = footprintOf(current);
  const present = scope.room(plan.pool);
  const growth = growthOf(scope, plan.pool, present.length);
  const rooms = [...present, ...growth.rooms];
  const old = olderReplicas(context);
  const mine = replicasOf(current.hash, workloads);
  const decision = planRollout({
    wanted,
    current: mine,
    old,
    unplaced: workloads
      .filter(({ revision }) => revision === current.hash)
      .flatMap(({ replicas }) => replicas)
      .filter((replica) => replica.unschedulable !== undefined).length,
    room: replicasThatFit(rooms, footprint, promisedNodes),
    roomAfterRelease: replicasThatFit(
      roomsWithout(rooms, oneReplica(workloads, old[0]?.revision), plan.pod.gpuResourceName),
      footprint,
      promisedNodes,
    ),
    shortForSeconds: shortForSeconds(scope),
    needsRoom: spansNodes(current),
  });
  const placement = placementOf(context, present, growth, decision);
  return { decision, shares: sharesOf(context, decision), ...(placement === undefined ? {} : { placement }) };
}

/** Since when status says that replicas have no room; what is written there outlives a restart. */
function shortForSeconds({ object, now }: Scope): number {
  const scheduled = object.status?.conditions?.find(({ type }) => type === conditionTypes.scheduled);
  if (scheduled?.status !== "False") return 0;
  return (now.getTime() - Date.parse(scheduled.lastTransitionTime)) / 1000;
}

/** What an autoscaler may still add to a pool. */
interface Growth {
  readonly rooms: readonly NodeRoom[];
  /** How the cloud gives the nodes: `onDemand`, `queued`, … */
  readonly capacity: string;
}

function growthOf(scope: Scope, poolName: string, present: number): Growth {
  const spec = scope.pools.find(({ metadata }) => metadata.name === poolName)?.spec;
  const nodes = Math.max(0, (spec?.nodes?.max ?? 0) - present);
  const gpus = spec?.gpu.perNode ?? 0;
  const rooms = Array.from({ length: nodes }, () => ({ node: "", total: gpus, free: gpus }));
  return { rooms, capacity: spec?.capacity ?? "onDemand" };
}

function replicasOf(revision: string, workloads: readonly LiveWorkload[]): RevisionReplicas {
  const its = workloads.filter((workload) => workload.revision === revision);
  return {
    revision,
    desired: its.reduce((sum, { desired }) => sum + desired, 0),
    ready: its.flatMap(({ replicas }) => replicas).filter(({ ready }) => ready).length,
  };
}

/** Older revisions with replicas, oldest first. */
function olderReplicas({ current, stored, workloads }: RolloutContext): readonly RevisionReplicas[] {
  return stored
    .filter(({ data }) => data.hash !== current.hash)
    .map(({ data }) => replicasOf(data.hash, workloads))
    .filter(({ desired }) => desired > 0);
}

/** The pods of the replica of a revision that would go first. */
function oneReplica(workloads: readonly LiveWorkload[], revision: string | undefined): readonly Pod[] {
  const replicas = workloads
    .filter((workload) => workload.revision === revision)
    .flatMap((workload) => workload.replicas);
  return (replicas.find(({ ready }) => !ready) ?? replicas[0])?.pods ?? [];
}

function sharesOf(
  { current, stored, workloads }: RolloutContext,
  decision: RolloutDecision,
): readonly Share[] {
  const older = decision.old.flatMap(({ revision, replicas }) => {
    const data = stored.find((each) => each.data.hash === revision)?.data;
    return data === undefined || replicas === 0 ? [] : [share(data, replicas, workloads)];
  });
  return [...older, share(current, decision.current, workloads)];
}

function share(revision: RevisionData, replicas: number, workloads: readonly LiveWorkload[]): Share {
  if (!spansNodes(revision)) return { revision, replicas };
  const slots = workloads
    .filter((workload) => workload.revision === revision.hash)
    .map(({ slot = 0, replicas: [replica] }) => ({ slot, ready: replica?.ready ?? false }));
  return { revision, slots: keepSlots(slots, replicas) };
}

/** Why replicas of the current revision have no node: GPUs free but scattered are not GPUs that are missing. */
function placementOf(
  { current, workloads }: RolloutContext,
  present: readonly NodeRoom[],
  growth: Growth,
  decision: RolloutDecision,
): Placement | undefined {
  const waiting = workloads
    .filter(({ revision }) => revision === current.hash)
    .flatMap(({ replicas }) => replicas)
    .find(({ unschedulable }) => unschedulable !== undefined);
  if (waiting === undefined && decision.withheld === 0) return undefined;
  const claim = missingClaim.exec(waiting?.unschedulable ?? "")?.[1];
  if (claim !== undefined) {
    return { reason: reasons.ClaimNotFound, message: `PersistentVolumeClaim ${claim} is not there` };
  }
  const { pool, nodesPerReplica, pod } = current.plan;
  const enough = present.filter(({ free }) => free >= pod.gpus).length;
  const free = present.reduce((sum, room) => sum + room.free, 0);
  const state =
    `a replica needs ${counted(nodesPerReplica, "node")} with ${counted(pod.gpus, "free GPU")}; ` +
    `pool ${pool} has ${enough}`;
  if (enough < nodesPerReplica && free >= pod.gpus * nodesPerReplica) {
    const scattered = `${state}: its free GPUs are enough but scattered; move what holds parts of nodes`;
    return { reason: reasons.Fragmented, message: scattered };
  }
  const toCome = growth.rooms.length;
  const more =
    toCome > 0 ? `, and may grow by ${counted(toCome, "node")} (capacity: ${growth.capacity})` : "";
  return { reason: reasons.WaitingForGpus, message: `${state}${more}` };
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** The scheduler's words. */
const missingClaim = /persistentvolumeclaim "([^"]+)" not found/;
