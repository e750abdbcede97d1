// Decides which replicas there should be next: reads the scope, asks the rollout planner, takes the GPUs of what is to be
// made, and says what replicas without a node wait for.
import { spansNodes, type RevisionData } from "../../workloads/revision.ts";
import type { FreeGpus, GpuCapacity } from "../../capacity/gpu-capacity.ts";
import { waitingSince, type GpuRequest } from "../../capacity/queue.ts";
import type { RevisionWorkload } from "../../workloads/desired.ts";
import { workloadName } from "../../workloads/names.ts";
import { isTerminating, objectKey } from "@llama-operator/kube-runtime/client";
import { goOn, type Pass, type Step } from "../pass.ts";
import { unmetPrerequisite } from "../prerequisites/step.ts";
import { podsOf, type LiveWorkload } from "../replicas/replica.ts";
import { footprintOf } from "../revision/stored.ts";
import type { Pod } from "../../observed/pod.ts";
import type { Scope } from "../scope.ts";
import { waitFor } from "./placement.ts";
import type { Rollout } from "./rollout.ts";
import type { RefusedMarks } from "./mark-step.ts";
import { planRollout, type RevisionState, type RolloutInput, type RolloutPlan } from "./planner.ts";
import { revisionState } from "./states.ts";
import type { ReplicaState } from "./victims.ts";

/** For so long after its grace a pod may still be there: its containers were killed, and its volumes are let go. */
const overdueMs = 30_000;

export function rolloutStep(capacity: GpuCapacity, refusedMarks: RefusedMarks): Step {
  return {
    about: "workloads",
    run(scope, pass) {
      const current = pass.revision?.data;
      const holder = objectKey(pass.context.request);
      if (current === undefined) {
        capacity.dequeue(holder);
        return goOn;
      }
      const marks = !refusedMarks.has(holder, scope.now.getTime());
      const rollout = rollOut(scope, pass, current, { capacity, holder, marks });
      pass.rollout = rollout;
      assumeWorkloads(scope, pass, rollout.workloads, { capacity, holder });
      const { plan, placement } = rollout;
      // Should pods that are waited for never end, a replica makes room after all.
      const overdueSeconds =
        placement === undefined ? [] : stillLeaving(scope).map((pod) => overdueIn(pod, scope));
      const soonest = Math.min(plan.requeueAfterSeconds ?? Infinity, ...overdueSeconds);
      return { kind: "continue", requeueAfterSeconds: Number.isFinite(soonest) ? soonest : undefined };
    },
  };
}

interface RolloutContext {
  readonly capacity: GpuCapacity;
  /** The object, as `namespace/name`. */
  readonly holder: string;
  /** Whether pods may be marked before they go. */
  readonly marks: boolean;
}

function rollOut(scope: Scope, pass: Pass, current: RevisionData, context: RolloutContext): Rollout {
  const { revisions } = scope;
  const { workloads } = pass;
  const { capacity, holder, marks } = context;
  const wanted = scope.object.spec.replicas;
  const before = waitBefore(scope) ?? capacity.waitOf(holder);
  const sinceMs = placedSinceMs(scope, pass, current);
  const leftSinceMs = ({ revision, placement }: LiveWorkload): number | undefined =>
    revision === current.hash && placement !== current.placement ? sinceMs : undefined;
  const stateOf = (hash: string): RevisionState => revisionState(hash, workloads, marks, leftSinceMs);
  const { names, inSeconds } = capacity.toGiveBack(holder);
  const isGivenBack = ({ revision: hash, placement, slot }: ReplicaState): boolean =>
    inSeconds === 0 &&
    slot !== undefined &&
    names.includes(workloadName(scope.owner, { hash, placement }, slot));
  const keptOf = (hash: string): RevisionState => ({
    revision: hash,
    replicas: stateOf(hash).replicas.filter((each) => !isGivenBack(each)),
  });
  const state = keptOf(current.hash);
  const old = revisions
    .filter(({ data }) => data.hash !== current.hash)
    .map(({ data }) => keptOf(data.hash))
    .filter(({ replicas }) => replicas.length > 0);
  const request = requestOf(scope, current, { holder, before, states: [state, ...old] });
  const free = capacity.free(request);
  const growth = growthOf(scope, pass, current, free);
  const plan = planRollout({
    wanted,
    current: state,
    old,
    givenBack: revisions.flatMap(({ data }) => stateOf(data.hash).replicas.filter(isGivenBack)),
    groups: spansNodes(current),
    room: free.replicas,
    roomAfter: (gone) =>
      capacity.free(request, { releasing: [...stillLeaving(scope), ...podsOf(pass.replicas, gone)] })
        .replicas,
    waitingSeconds: before === undefined ? 0 : (scope.now.getTime() - before.sinceMs) / 1000,
    growth,
  });
  // What may not be made for another reason waits for no GPU, and must stand in nobody's way.
  const placement =
    growth === "none" ? undefined : waitFor({ scope, pass, current, withheld: plan.withheld, free });
  const waiting = placement?.forGpus === true ? waitOf(scope, before, plan, state) : undefined;
  // A group that is in another's way, or waits for something else of nodes, is to be told when that changes.
  const watches =
    spansNodes(current) && (placement !== undefined || state.replicas.some((each) => !each.placed));
  if (waiting === undefined && !watches) capacity.dequeue(request.holder);
  else {
    const { sinceMs, replicas } = waiting ?? { sinceMs: scope.now.getTime(), replicas: 0 };
    capacity.enqueue({
      ...request,
      sinceMs: request.sinceMs === 0 ? 0 : sinceMs,
      waitsSinceMs: sinceMs,
      // Room is kept for groups that are made already, and for none that waits for something else than GPUs.
      replicas: spansNodes(current) && waiting !== undefined ? plan.withheld : replicas,
    });
  }
  return {
    plan: names.length === 0 || inSeconds === 0 ? plan : withRequeue(plan, inSeconds),
    workloads: workloadsAfter(scope, current, plan, stateOf),
    placement,
    waiting,
  };
}

/** Since when further pods of the current revision go where they go, to the second that pods are dated by. */
function placedSinceMs({ revisions, now }: Scope, { revision }: Pass, current: RevisionData): number {
  const stored = revisions.find(({ data }) => data.hash === current.hash)?.placements.at(-1);
  const { since = "" } = revision?.moved ?? stored ?? {};
  const sinceMs = Date.parse(since);
  return Math.floor((Number.isNaN(sinceMs) ? now.getTime() : sinceMs) / 1000) * 1000;
}

function withRequeue(plan: RolloutPlan, inSeconds: number): RolloutPlan {
  const { requeueAfterSeconds = inSeconds } = plan;
  return { ...plan, requeueAfterSeconds: Math.min(requeueAfterSeconds, inSeconds) };
}

/**
 * Pods that are about to end: they make room by themselves, so that no replica that answers is given up for them. Not those
 * whose grace is long over: nobody ends them, as on a node that is lost.
 */
function stillLeaving(scope: Pick<Scope, "pods" | "now">): readonly Pod[] {
  return scope.pods.filter((pod) => isTerminating(pod) && overdueIn(pod, scope) > 0);
}

/** Seconds until a pod that leaves should have ended. */
function overdueIn({ metadata: { deletionTimestamp = "" } }: Pod, { now }: Pick<Scope, "now">): number {
  return (Date.parse(deletionTimestamp) + overdueMs - now.getTime()) / 1000;
}

/** Who asks, and for what. */
function requestOf(
  scope: Scope,
  current: RevisionData,
  {
    holder,
    before,
    states,
  }: {
    readonly holder: string;
    readonly before: Wait | undefined;
    readonly states: readonly RevisionState[];
  },
): GpuRequest {
  const placed = states.flatMap(({ replicas }) => replicas).filter((each) => each.placed).length;
  // Replicas that only replace others ask for GPUs that the object has: they stand behind nobody.
  const replaces = states.length > 1 && placed >= scope.object.spec.replicas;
  return {
    holder,
    priorityClassName: scope.object.spec.podTemplate.priorityClassName,
    sinceMs: replaces ? 0 : (before?.sinceMs ?? scope.now.getTime()),
    pool: current.plan.pool,
    footprint: footprintOf(current),
    revision: current.hash,
    replicas: before?.replicas ?? 1,
    // It decides by what is free once an old replica has gone, which no answer tells.
    rollsOut: states.length > 1,
  };
}

function growthOf(
  scope: Scope,
  pass: Pass,
  current: RevisionData,
  { behind, outranked }: Pick<FreeGpus, "behind" | "outranked">,
): RolloutInput["growth"] {
  const mayUse = scope.pools.some(({ metadata }) => metadata.name === current.plan.pool);
  const mayMake = pass.block === undefined || unmetPrerequisite(scope, current.plan) === undefined;
  if (!mayUse || !mayMake) return "none";
  if (spansNodes(current)) return "withinRoom";
  if (behind === undefined) return "free";
  return outranked ? "outranked" : "behind";
}

interface Wait {
  readonly sinceMs: number;
  readonly replicas: number;
}

/** What status says of the wait so far: it outlives a restart. */
function waitBefore({ object }: Scope): Wait | undefined {
  const known = object.status?.waitingForGpus;
  return known && { sinceMs: Date.parse(known.since), replicas: known.replicas };
}

function waitOf(
  { object, now }: Scope,
  before: Wait | undefined,
  { withheld }: RolloutPlan,
  { replicas }: RevisionState,
): Wait {
  const unplaced = withheld + replicas.filter(({ placed }) => !placed).length;
  // Who asks for less has been given nothing, and keeps its place.
  const asksAnew = object.status?.observedGeneration !== object.metadata.generation;
  const known = before && asksAnew ? { ...before, replicas: Math.min(before.replicas, unplaced) } : before;
  return { sinceMs: waitingSince(known, unplaced, now.getTime()), replicas: unplaced };
}

/** What the workloads of each revision should be once the plan is carried out. */
function workloadsAfter(
  { revisions }: Scope,
  current: RevisionData,
  plan: RolloutPlan,
  stateOf: (revision: string) => RevisionState,
): readonly RevisionWorkload[] {
  const others = revisions
    .flatMap(({ placed }) => placed)
    .filter(({ hash, placement }) => hash !== current.hash || placement !== current.placement)
    .map(afterPlan)
    .filter((workload) => ("slots" in workload ? workload.slots.length : workload.replicas) > 0);
  return [...others, afterPlan(current)];

  function afterPlan(revision: RevisionData): RevisionWorkload {
    const { hash, placement } = revision;
    const its = stateOf(hash).replicas.filter((each) => each.placement === placement);
    const removed = new Set(plan.remove.filter((each) => each.revision === hash).map(({ id }) => id));
    const kept = its.filter(({ id }) => !removed.has(id));
    const created = revision === current ? plan.create : [];
    if (!spansNodes(revision)) return { revision, replicas: kept.length + created.length };
    const slots = [...kept, ...created].flatMap(({ slot }) => (slot === undefined ? [] : [slot]));
    return { revision, slots: slots.toSorted((a, b) => a - b) };
  }
}

/** Before anything is waited for: passes over several objects run side by side. */
function assumeWorkloads(
  scope: Scope,
  pass: Pass,
  wanted: readonly RevisionWorkload[],
  { capacity, holder }: Pick<RolloutContext, "capacity" | "holder">,
): void {
  const there = new Map(pass.workloads.map(({ object, desired }) => [object.metadata.name, desired]));
  for (const workload of wanted) {
    const { revision } = workload;
    const named =
      "slots" in workload
        ? workload.slots.map((slot) => ({ name: workloadName(scope.owner, revision, slot), replicas: 1 }))
        : [{ name: workloadName(scope.owner, revision), replicas: workload.replicas }];
    for (const { name, replicas } of named) {
      if ((there.get(name) ?? 0) >= replicas) continue;
      const { pool } = revision.plan;
      capacity.assume(name, { holder, pool, footprint: footprintOf(revision), replicas });
    }
  }
}
