// The replicas of a revision as the rollout planner sees them: those that are to stay as things are. Pods that a
// Deployment asks for and does not have yet count. Pods beyond what it asks for are on their way out where they are
// victims or have no node, and do not count; others are not: somebody else lowered the number, and it is put back. Nor do
// those count that are made, or look for a node, where further pods do not go any more: they go there. Those stay
// that answer by what the workload's own controller says, though the cache does not show it yet.
import type { Replica } from "../replicas/replica.ts";
import type { LiveWorkload } from "../replicas/replica.ts";
import type { RevisionState } from "./planner.ts";
import { removalOrder, type ReplicaState } from "./victims.ts";

/**
 * @param marks whether pods may be marked before they go
 * @param leftSinceMs since when further pods go elsewhere than to a workload; undefined for one to which they go
 */
export function revisionState(
  revision: string,
  workloads: readonly LiveWorkload[],
  marks: boolean,
  leftSinceMs: (workload: LiveWorkload) => number | undefined = () => undefined,
): RevisionState {
  const its = workloads.filter((workload) => workload.revision === revision);
  const replicas = its.flatMap((workload) => {
    const states = statesOf(workload, marks);
    const sinceMs = leftSinceMs(workload);
    return sinceMs === undefined ? states : withoutMoving(states, workload.unseen, sinceMs);
  });
  return { revision, replicas };
}

/**
 * Those that stay where no further ones go: they have a node, and answer or were there before. Of the others as many as
 * answer though the cache does not show it.
 */
function withoutMoving(
  states: readonly ReplicaState[],
  unseen: number,
  sinceMs: number,
): readonly ReplicaState[] {
  const wasThere = ({ createdAt = "" }: ReplicaState): boolean => !(Date.parse(createdAt) >= sinceMs);
  const stays = (each: ReplicaState): boolean => each.placed && (each.ready || wasThere(each));
  return [...states.filter(stays), ...states.filter((each) => !stays(each)).slice(0, unseen)];
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
