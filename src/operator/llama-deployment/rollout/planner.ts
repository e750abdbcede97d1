// The rollout planner: from the replicas that exist and the number that is wanted to which replicas to create, to drain
// and to remove next. Pure; the caller does it and comes back when the world has changed.
//
// Algorithm: one replica at a time. The new revision may have one replica more than answer; an old replica goes
// for each new one that answers. Where no GPU is free for the new replica for some time, and one old replica's GPUs
// would do, that old replica goes first; the time is for pods that are just leaving and nodes that are just coming.
// Invariants: an old revision never grows; of those that answer, as far as they are wanted, one at most goes before a new
// one answers in its place; a replica that answers never goes before one that does not; with nothing to roll out, the
// current revision has what is wanted. A victim that is one of several pods of a Deployment is drained first, which marks
// it, and removed in a later plan, when the mark is seen; a mark on a replica that stays is taken back.
import { chooseVictims, type ReplicaState } from "./victims.ts";

/** The replicas of one revision that are to stay as things are; those on their way out are not among them. */
export interface RevisionState {
  readonly revision: string;
  readonly replicas: readonly ReplicaState[];
}

export interface RolloutInput {
  /** `spec.replicas`. */
  readonly wanted: number;
  readonly current: RevisionState;
  /** Older revisions that still have replicas, oldest first. */
  readonly old: readonly RevisionState[];
  /** Whether the replicas of the current revision are groups, which have numbers. */
  readonly groups: boolean;
  /**
   * Replicas that go whatever else is decided, and are none of those above: groups in the way of somebody else's. No
   * further ones are made before they have gone.
   */
  readonly givenBack?: readonly ReplicaState[];
  /** Further replicas of the current revision for which GPUs are free. */
  readonly room: number;
  /** The same once some replicas have gone. */
  readonly roomAfter: (gone: readonly ReplicaState[]) => number;
  /** How long replicas have waited for GPUs, in seconds. */
  readonly waitingSeconds: number;
  /**
   * `free`: replicas are made whether there is room or not, and kube-scheduler places them. `withinRoom`: only where
   * there is room: groups. `behind`: a group stands ahead in the queue for the pool's GPUs, so that pods are made only
   * where there is room beside it. `outranked`: it is of higher priority, so that those without a node are taken back
   * too. `none`: something that new pods need is not there.
   */
  readonly growth: "free" | "withinRoom" | "behind" | "outranked" | "none";
}

/** A replica to be made; the ReplicaSet controller names those that are pods. */
export interface NewReplica {
  readonly revision: string;
  readonly slot?: number;
}

export interface RolloutPlan {
  readonly create: readonly NewReplica[];
  /** Victims that are not to be removed yet: they are marked first. */
  readonly drain: readonly ReplicaState[];
  /** Replicas that go now. */
  readonly remove: readonly ReplicaState[];
  /** Replicas that were marked and stay after all. */
  readonly undrain: readonly ReplicaState[];
  /** Replicas of the current revision that are wanted now and not made, for lack of room. */
  readonly withheld: number;
  readonly reason: string;
  /** After this long an old replica may make room, if nothing changes by then. */
  readonly requeueAfterSeconds?: number | undefined;
}

/** How long a rollout waits for GPUs before it gives up an old replica for them. */
export const patienceSeconds = 20;

export function planRollout({ givenBack = [], ...input }: RolloutInput): RolloutPlan {
  if (givenBack.length === 0) return planOthers(input);
  const plan = planOthers({ ...input, room: 0 });
  return { ...plan, remove: [...givenBack, ...plan.remove] };
}

function planOthers(input: RolloutInput): RolloutPlan {
  const { wanted, current, old } = input;
  const older = old.flatMap(({ replicas }) => replicas);
  const ready = answering(current.replicas);
  const count = current.replicas.length;
  const goal = older.length === 0 ? wanted : Math.min(wanted, Math.max(count, ready + 1));
  const next = Math.min(goal, mostReplicas(input));
  const withheld = goal - next;
  const shrink = chooseVictims([current.replicas], count - next);
  const create = newReplicas(input, next - count);
  if (older.length === 0) {
    const reason = withheld > 0 ? "no room for all" : "nothing older runs";
    return { create, ...departures(input, shrink), withheld, reason };
  }
  const oldReplicas = old.map(({ replicas }) => replicas);
  const surplus = Math.max(0, older.length - Math.max(0, wanted - ready));
  // Those that go anyway may be all the room that is needed.
  const leaving = chooseVictims(oldReplicas, surplus);
  const waits = withheld > 0 || current.replicas.some(({ unschedulable }) => unschedulable);
  const blocked = waits && input.roomAfter(leaving) === 0;
  const helping = blocked ? replicasThatHelp(input, leaving) : [];
  const waitSeconds = Math.max(0, patienceSeconds - input.waitingSeconds);
  const helps = helping.length > 0;
  const releases = helps && waitSeconds === 0;
  const victims = releases ? [...leaving, ...helping] : leaving;
  return {
    create,
    ...departures(input, [...shrink, ...victims]),
    withheld,
    reason: reasonFor({ keep: older.length - victims.length, blocked, helps, releases, ready }),
    ...(helps && !releases ? { requeueAfterSeconds: waitSeconds } : {}),
  };
}

/**
 * Old replicas whose GPUs would make room, fewest first: any number of those that do not answer, which cost nothing, and
 * one that does, where every new one that has a node answers: so one at a time. None where that would not help.
 */
function replicasThatHelp(
  { current, old, roomAfter }: RolloutInput,
  leaving: readonly ReplicaState[],
): readonly ReplicaState[] {
  const all = old.map(({ replicas }) => replicas);
  const going = new Set(leaving);
  const others = chooseVictims(all, Number.POSITIVE_INFINITY).filter((each) => !going.has(each));
  // The one that went before this one is not made up for yet.
  const isComing = current.replicas.some((each) => each.placed && !each.ready);
  const silent: ReplicaState[] = [];
  for (const replica of others.filter(({ ready }) => !ready)) {
    silent.push(replica);
    if (roomAfter([...leaving, ...silent]) > 0) return silent;
  }
  if (isComing) return [];
  // Not each of them has its GPUs where they are lacked.
  const serving = others.filter(({ ready }) => ready);
  const one = serving.find((replica) => roomAfter([...leaving, ...silent, replica]) > 0);
  return one === undefined ? [] : [...silent, one];
}

/** How many replicas the current revision may have at most. */
function mostReplicas({ current: { replicas }, growth, room }: RolloutInput): number {
  const placed = replicas.filter((each) => each.placed).length;
  const most: Record<RolloutInput["growth"], number> = {
    free: Number.POSITIVE_INFINITY,
    withinRoom: replicas.length + room,
    behind: Math.max(replicas.length, placed + room),
    outranked: placed + room,
    none: replicas.length,
  };
  return most[growth];
}

/** New replicas; groups take the lowest numbers that are free. */
function newReplicas({ current, groups }: RolloutInput, count: number): readonly NewReplica[] {
  const { revision, replicas } = current;
  const taken = new Set(replicas.map(({ slot }) => slot));
  const created: NewReplica[] = [];
  for (let slot = 0; created.length < count; slot += 1) {
    if (!groups) created.push({ revision });
    else if (!taken.has(slot)) created.push({ revision, slot });
  }
  return created;
}

/** What becomes of the victims now, and of the marks of others. */
function departures(
  { current, old }: RolloutInput,
  victims: readonly ReplicaState[],
): Pick<RolloutPlan, "drain" | "remove" | "undrain"> {
  const going = new Set(victims);
  const all = [...old, current];
  // Where all of a revision goes, there is nobody to be taken by mistake.
  const whole = new Set(
    all.filter(({ replicas }) => replicas.every((each) => going.has(each))).map(({ revision }) => revision),
  );
  const goesNow = (each: ReplicaState): boolean =>
    each.marked || each.goesUnmarked || whole.has(each.revision);
  return {
    drain: victims.filter((each) => !goesNow(each)),
    remove: victims.filter(goesNow),
    undrain: all.flatMap(({ replicas }) => replicas).filter((each) => each.marked && !going.has(each)),
  };
}

function answering(replicas: readonly ReplicaState[]): number {
  return replicas.filter(({ ready }) => ready).length;
}

function reasonFor(found: {
  readonly keep: number;
  readonly blocked: boolean;
  readonly helps: boolean;
  readonly releases: boolean;
  readonly ready: number;
}): string {
  const { keep, blocked, helps, releases, ready } = found;
  if (releases) return "no GPU is free for both: one old replica makes room";
  if (blocked && helps) return "no GPU is free for both: an old replica may soon make room";
  if (blocked) return "no GPU is free, and old replicas would not make room";
  if (keep === 0) return "the new replicas answer: the old ones go";
  return ready === 0 ? "waiting for the first new replica" : "one old replica goes for each new one";
}
