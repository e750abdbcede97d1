// Which replica goes when one must. The order is that of the ReplicaSet controller (kubernetes,
// pkg/controller/controller_utils.go, ActivePodsWithRanks): without a node before with one, not ready before ready, then
// what pod-deletion-cost says, then the newest. So a replica that does not serve always goes before one that does,
// whichever of the two controllers takes the next look.

/** A replica as the rollout planner sees it. */
export interface ReplicaState {
  /** Unique among the replicas of one object. */
  readonly id: string;
  readonly revision: string;
  /** Where its pods are placed, if not where their revision was planned for. */
  readonly placement?: string | undefined;
  /** Of a revision whose replicas are groups: which one it is. */
  readonly slot?: number | undefined;
  /** Every pod exists and has a node. */
  readonly placed: boolean;
  /** It answers. */
  readonly ready: boolean;
  /** The scheduler has found no node for one of its pods. */
  readonly unschedulable: boolean;
  /** Its pod carries the mark of a victim. */
  readonly marked: boolean;
  /** It can go without a mark: a group is deleted by its name, a pod that does not exist yet or has no node goes first. */
  readonly goesUnmarked: boolean;
  /** RFC 3339; when its pod was created. */
  readonly createdAt?: string | undefined;
}

/** Who goes first: negative where `a` does. */
export function removalOrder(a: ReplicaState, b: ReplicaState): number {
  return (
    Number(a.placed) - Number(b.placed) ||
    Number(a.ready) - Number(b.ready) ||
    Number(b.marked) - Number(a.marked) ||
    (b.slot ?? 0) - (a.slot ?? 0) ||
    compare(b.createdAt ?? "", a.createdAt ?? "") ||
    compare(b.id, a.id)
  );
}

/** The first `count` to go, out of revisions given oldest first: one that does not answer, then of the oldest revision. */
export function chooseVictims(
  revisions: readonly (readonly ReplicaState[])[],
  count: number,
): readonly ReplicaState[] {
  return revisions
    .flatMap((replicas, age) => replicas.map((replica) => ({ replica, age })))
    .sort(
      (a, b) =>
        Number(a.replica.ready) - Number(b.replica.ready) ||
        a.age - b.age ||
        removalOrder(a.replica, b.replica),
    )
    .slice(0, Math.max(0, count))
    .map(({ replica }) => replica);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
