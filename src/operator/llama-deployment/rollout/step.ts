// Decides which replicas there should be next: reads the scope, asks the rollout planner, takes the GPUs of what is to be
// made, and says what replicas without a node wait for.
import { conditionTypes, reasons } from "@llama-operator/llama/api";
import { spansNodes, type RevisionData } from "../../workloads/revision.ts";
import type { FreeGpus, GpuCapacity } from "../../capacity/gpu-capacity.ts";
import { waitingSince, type GpuRequest } from "../../capacity/queue.ts";
import type { RevisionWorkload } from "../../workloads/desired.ts";
import { workloadName } from "../../workloads/names.ts";
import type { Pod } from "../../observed/pod.ts";
import { goOn, type Pass, type Step } from "../pass.ts";
import { unmetPrerequisite } from "../prerequisites/step.ts";
import { podsOf } from "../replicas/replica.ts";
import { footprintOf } from "../revision/stored.ts";
import type { Scope } from "../scope.ts";
import { waitFor, type Placement } from "./placement.ts";
import { planRollout, type RevisionState, type RolloutInput, type RolloutPlan } from "./planner.ts";
import { revisionState } from "./states.ts";
import type { ReplicaState } from "./victims.ts";

export interface Rollout {
  readonly plan: RolloutPlan;
  /** The workloads that should exist, of every revision that still has replicas. */
  readonly workloads: readonly RevisionWorkload[];
  /** What replicas that are not placed wait for. */
  readonly placement?: Placement | undefined;
  /** Set while they wait for GPUs. */
  readonly waiting?: { readonly sinceMs: number; readonly replicas: number } | undefined;
}

const waitingReasons: ReadonlySet<string> = new Set([reasons.WaitingForGpus, reasons.Fragmented]);

export function rolloutStep(capacity: GpuCapacity): Step {
  return {
    name: "rollout",
    about: "workloads",
    run(scope, pass) {
      const current = pass.revision?.data;
      if (current === undefined) {
        capacity.dequeue(holderOf(scope));
        return goOn;
      }
      // Counted from workloads that cannot be read, replicas that serve would be taken for missing.
      if (pass.restores === true) return goOn;
      const rollout = rollOut(scope, pass, current, capacity);
      pass.rollout = rollout;
      assumeWorkloads(scope, rollout.workloads, capacity);
      return { kind: "continue", requeueAfterSeconds: rollout.plan.requeueAfterSeconds };
    },
  };
}

function rollOut(scope: Scope, pass: Pass, current: RevisionData, capacity: GpuCapacity): Rollout {
  const { revisions, workloads } = scope;
  const wanted = scope.object.spec.replicas;
  const state = revisionState(current.hash, workloads);
  const old = revisions
    .filter(({ data }) => data.hash !== current.hash)
    .map(({ data }) => revisionState(data.hash, workloads))
    .filter(({ replicas }) => replicas.length > 0);
  const request = requestOf(scope, current, [state, ...old]);
  const free = capacity.free(request);
  const growth = growthOf(scope, pass, current, free);
  const plan = planRollout({
    wanted,
    current: state,
    old,
    groups: spansNodes(current),
    room: free.replicas,
    roomAfter: (gone) => capacity.free(request, leavingPods(scope, gone)).replicas,
    waitingSeconds: waitingSeconds(scope),
    growth,
  });
  const placement = waitFor({ scope, current, withheld: plan.withheld, free });
  // What may not be made waits for a person, and must not stand ahead of others that wait for GPUs.
  const waits = placement?.forGpus === true && growth !== "none";
  const waiting = waits ? waitOf(scope, plan, state) : undefined;
  if (waiting === undefined) capacity.dequeue(request.holder);
  else capacity.enqueue({ ...request, replicas: waiting.replicas });
  return { plan, workloads: workloadsAfter(scope, current, plan), placement, waiting };
}

/** What goes with some replicas: their pods, and ranks of groups that are still to find a node. */
function leavingPods(
  { replicas, revisions }: Scope,
  gone: readonly ReplicaState[],
): { readonly releasing: readonly Pod[]; readonly unplacedRanks: number } {
  const releasing = podsOf(replicas, gone);
  const ranks = gone
    .filter(({ slot }) => slot !== undefined)
    .reduce((sum, { revision }) => {
      const known = revisions.find(({ data }) => data.hash === revision);
      return sum + (known?.data.plan.nodesPerReplica ?? 0);
    }, 0);
  const placed = podsOf(
    replicas,
    gone.filter(({ slot }) => slot !== undefined),
  ).filter(({ nodeName }) => nodeName !== undefined).length;
  return { releasing, unplacedRanks: Math.max(0, ranks - placed) };
}

/** Who asks, and for what. */
function requestOf(scope: Scope, current: RevisionData, states: readonly RevisionState[]): GpuRequest {
  const before = waitBefore(scope);
  const placed = states.flatMap(({ replicas }) => replicas).filter((each) => each.placed).length;
  // Replicas that only replace others ask for GPUs that the object has: they stand behind nobody.
  const replaces = states.length > 1 && placed >= scope.object.spec.replicas;
  return {
    holder: holderOf(scope),
    priorityClassName: scope.object.spec.podTemplate.priorityClassName,
    sinceMs: replaces ? 0 : (before?.sinceMs ?? scope.now.getTime()),
    pool: current.plan.pool,
    footprint: footprintOf(current),
    replicas: before?.replicas ?? 1,
  };
}

function holderOf({ owner }: Scope): string {
  return `${owner.namespace}/${owner.name}`;
}

function growthOf(
  scope: Scope,
  pass: Pass,
  current: RevisionData,
  { behind, outranked }: Pick<FreeGpus, "behind" | "outranked">,
): RolloutInput["growth"] {
  const mayUsePool = scope.pools.some(({ metadata }) => metadata.name === current.plan.pool);
  const mayMake =
    pass.block === undefined || (mayUsePool && unmetPrerequisite(scope, current.plan) === undefined);
  if (!mayMake) return "none";
  if (spansNodes(current)) return "withinRoom";
  if (behind === undefined) return "free";
  return outranked ? "outranked" : "behind";
}

/** What status says of the wait so far: it outlives a restart. The CRD of the version before keeps the condition alone. */
function waitBefore({ object }: Scope): { readonly sinceMs: number; readonly replicas: number } | undefined {
  const known = object.status?.waitingForGpus;
  if (known !== undefined) return { sinceMs: Date.parse(known.since), replicas: known.replicas };
  const waits = object.status?.conditions?.find(
    ({ type, reason }) => type === conditionTypes.scheduled && waitingReasons.has(reason),
  );
  return waits && { sinceMs: Date.parse(waits.lastTransitionTime), replicas: 1 };
}

function waitingSeconds(scope: Scope): number {
  const before = waitBefore(scope);
  return before === undefined ? 0 : (scope.now.getTime() - before.sinceMs) / 1000;
}

function waitOf(scope: Scope, { withheld }: RolloutPlan, { replicas }: RevisionState): Rollout["waiting"] {
  const unplaced = withheld + replicas.filter(({ placed }) => !placed).length;
  const before = waitBefore(scope);
  const { metadata, status } = scope.object;
  // Who asks for less has been given nothing, and keeps the place in the queue.
  const isEdited = status?.observedGeneration !== metadata.generation;
  const keeps = isEdited && before !== undefined;
  const sinceMs = keeps ? before.sinceMs : waitingSince(before, unplaced, scope.now.getTime());
  return { sinceMs, replicas: unplaced };
}

/** What the workloads of each revision should be once the plan is carried out. */
function workloadsAfter(
  { revisions, workloads }: Scope,
  current: RevisionData,
  plan: RolloutPlan,
): readonly RevisionWorkload[] {
  const older = revisions
    .filter(({ data }) => data.hash !== current.hash)
    .map(({ data }) => afterPlan(data))
    .filter((workload) => ("slots" in workload ? workload.slots.length : workload.replicas) > 0);
  return [...older, afterPlan(current)];

  function afterPlan(revision: RevisionData): RevisionWorkload {
    const { replicas } = revisionState(revision.hash, workloads);
    const removed = new Set(
      plan.remove.filter((each) => each.revision === revision.hash).map(({ id }) => id),
    );
    const kept = replicas.filter(({ id }) => !removed.has(id));
    const created = plan.create.filter((each) => each.revision === revision.hash);
    if (!spansNodes(revision)) return { revision, replicas: kept.length + created.length };
    const slots = [...kept, ...created].flatMap(({ slot }) => (slot === undefined ? [] : [slot]));
    return { revision, slots: slots.toSorted((a, b) => a - b) };
  }
}

/** Before anything is waited for: passes over several objects run side by side. */
function assumeWorkloads(scope: Scope, wanted: readonly RevisionWorkload[], capacity: GpuCapacity): void {
  const { namespace } = scope.owner;
  const there = new Map(scope.workloads.map(({ object, desired }) => [object.metadata.name, desired]));
  for (const workload of wanted) {
    const { hash, plan } = workload.revision;
    const named =
      "slots" in workload
        ? workload.slots.map((slot) => ({ name: workloadName(scope.owner, hash, slot), replicas: 1 }))
        : [{ name: workloadName(scope.owner, hash), replicas: workload.replicas }];
    for (const { name, replicas } of named) {
      if ((there.get(name) ?? 0) >= replicas) continue;
      const holder = `${namespace}/${scope.owner.name}`;
      capacity.assume(name, { holder, pool: plan.pool, footprint: footprintOf(workload.revision), replicas });
    }
  }
}
