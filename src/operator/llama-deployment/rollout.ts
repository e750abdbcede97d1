// The rollout planner: from what exists and what is wanted to how many replicas each revision should have next.
// Pure; the caller applies the counts and comes back when the world has changed.
//
// Algorithm: one replica at a time. The new revision may have one replica more than answer; an old replica goes
// for each new one that answers. Where no GPU is free for the new replica for some time, and one old replica's GPUs
// would do, that old replica goes first; the time is for pods that are just leaving and nodes that are just coming.
// Invariants: an old revision never grows; at most one replica fewer than wanted answers because of a rollout;
// with nothing to roll out, the current revision has what is wanted.

/** Replicas of one revision. */
export interface RevisionReplicas {
  readonly revision: string;
  /** Replicas that its workloads ask for now. */
  readonly desired: number;
  /** Replicas that answer. */
  readonly ready: number;
}

export interface RolloutInput {
  /** `spec.replicas`. */
  readonly wanted: number;
  readonly current: RevisionReplicas;
  /** Older revisions that still have replicas, oldest first. */
  readonly old: readonly RevisionReplicas[];
  /** Replicas of the current revision that exist and have no node. */
  readonly unplaced: number;
  /** Further replicas of the current revision for which GPUs are free. */
  readonly room: number;
  /** The same once one old replica has gone. */
  readonly roomAfterRelease: number;
  /** How long there has been no room, in seconds. */
  readonly shortForSeconds: number;
  /** Whether a replica's objects may only be made when there is room: groups, which would hold half their nodes. */
  readonly needsRoom: boolean;
}

export interface RolloutDecision {
  readonly current: number;
  /** Per older revision, oldest first. */
  readonly old: readonly { readonly revision: string; readonly replicas: number }[];
  /** Replicas of the current revision that are wanted now and not made, for lack of room. */
  readonly withheld: number;
  readonly because: string;
  /** After this long an old replica may make room, if nothing changes by then. */
  readonly lookAgainSeconds?: number;
}

/** How long a rollout waits for GPUs before it gives up an old replica for them. */
export const patienceSeconds = 20;

export function planRollout(input: RolloutInput): RolloutDecision {
  const { wanted, current, old } = input;
  const oldDesired = sum(old.map(({ desired }) => desired));
  const goal = oldDesired === 0 ? wanted : Math.min(wanted, Math.max(current.desired, current.ready + 1));
  const next = input.needsRoom ? Math.min(goal, current.desired + input.room) : goal;
  const withheld = goal - next;
  if (oldDesired === 0) {
    return {
      current: next,
      old: [],
      withheld,
      because: withheld > 0 ? "no room for all" : "nothing older runs",
    };
  }
  const answering = current.ready + sum(old.map(({ ready }) => ready));
  const blocked = input.room === 0 && (withheld > 0 || input.unplaced > 0);
  const mayRelease = blocked && input.roomAfterRelease > 0 && answering >= wanted;
  const waitSeconds = Math.max(0, patienceSeconds - input.shortForSeconds);
  const release = mayRelease && waitSeconds === 0 ? 1 : 0;
  const keep = Math.max(0, Math.min(oldDesired, wanted - current.ready) - release);
  return {
    current: next,
    old: keepNewest(old, keep),
    withheld,
    because: reason(input, keep, blocked, release),
    ...(mayRelease && release === 0 ? { lookAgainSeconds: waitSeconds } : {}),
  };
}

/** Takes replicas from the oldest revision first. */
function keepNewest(old: readonly RevisionReplicas[], keep: number): RolloutDecision["old"] {
  let left = keep;
  return old
    .toReversed()
    .map(({ revision, desired }) => {
      const replicas = Math.min(desired, left);
      left -= replicas;
      return { revision, replicas };
    })
    .toReversed();
}

function reason(input: RolloutInput, keep: number, blocked: boolean, release: number): string {
  if (release > 0) return "no GPU is free for both: one old replica makes room";
  if (blocked && input.roomAfterRelease > 0)
    return "no GPU is free for both: an old replica may soon make room";
  if (blocked) return "no GPU is free, and old replicas would not make room";
  if (keep === 0) return "the new replicas answer: the old ones go";
  return input.current.ready === 0
    ? "waiting for the first new replica"
    : "one old replica goes for each new one";
}

/** Which of a revision's groups stay: those that answer first, then the lowest slots. */
export function keepSlots(
  slots: readonly { readonly slot: number; readonly ready: boolean }[],
  replicas: number,
): readonly number[] {
  const kept = slots
    .toSorted((a, b) => Number(b.ready) - Number(a.ready) || a.slot - b.slot)
    .slice(0, replicas)
    .map(({ slot }) => slot);
  for (let slot = 0; kept.length < replicas; slot += 1) {
    if (!slots.some((taken) => taken.slot === slot)) kept.push(slot);
  }
  return kept.toSorted((a, b) => a - b);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
