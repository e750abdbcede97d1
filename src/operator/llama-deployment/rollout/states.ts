// The replicas of a revision as the rollout planner sees them: those that are to stay as things are. Pods that a
// Deployment asks for and does not have yet count. Pods beyond what it asks for are on their way out where they are
// victims or have no node, and do not count; others are not: somebody else lowered the number, and it is put back. Nor do
// those count that have no node and would look for one where further pods do not go any more: they go there. Those stay
// that answer by what the workload's own controller says, though the cache does not show it yet.
import type { Replica } from "../replicas/replica.ts";
import type { LiveWorkload } from "../replicas/replica.ts";
import type { RevisionState } from "./planner.ts";
import { removalOrder, type ReplicaState } from "./victims.ts";

/**
 * @param marks whether pods may be marked before they go
 * @param leaves whether replicas of a workload that have no node go elsewhere
 */
export function revisionState(
  revision: string,
  workloads: readonly LiveWorkload[],
  marks: boolean,
  leaves: (workload: LiveWorkload) => boolean = () => false,
): RevisionState {
  const its = workloads.filter((workload) => workload.revision === revision);
  const replicas = its.flatMap((workload) => {
    const states = statesOf(workload, marks);
    return leaves(workload) ? withoutUnplaced(states, workload.unseen) : states;
  });
  return { revision, replicas };
}

/** All that have a node, and as many of the others as answer though the cache does not show it. */
function withoutUnplaced(states: readonly ReplicaState[], unseen: number): readonly ReplicaState[] {
  const others = states.filter(({ placed }) => !placed);
  return [...states.filter(({ placed }) => placed), ...others.slice(0, unseen)];
}

function statesOf(workload: LiveWorkload, marks: boolean): readonly ReplicaState[] {
  const { desired, slot, revision, placement, object } = workload;
  const existing = workload.replicas.map((replica) => ({ ...stateOf(replica, marks), placement }));
  if (slot !== undefined) return existing;
  const surplus = Math.max(0, existing.length - desired);
  const leaving = new Set(
    existing
      .toSorted(removalOrder)
      .slice(0, surplus)
      .filter(({ marked, placed }) => marked || !placed),
  );
  const missing = Array.from({ length: Math.max(0, desired - existing.length) }, (_, index) => ({
    id: `${object.metadata.name} ${index}`,
    revision,
    placement,
    placed: false,
    ready: false,
    unschedulable: false,
    marked: false,
    goesUnmarked: true,
  }));
  return [...existing.filter((state) => !leaving.has(state)), ...missing];
}

function stateOf(replica: Replica, marks: boolean): ReplicaState {
  const { id, revision, slot, placed, ready, pods } = replica;
  const [pod] = pods;
  const isPod = slot === undefined;
  return {
    id,
    revision,
    slot,
    placed,
    ready,
    unschedulable: replica.unschedulable !== undefined,
    marked: isPod && pod?.isVictim === true,
    goesUnmarked: !isPod || !placed || !marks,
    createdAt: pod?.createdAt,
  };
}
