// The replicas of a revision as the rollout planner sees them: those that its workloads ask for. Pods that a Deployment
// asks for and does not have yet count, pods beyond what it asks for are on their way out and do not.
import { isMarkedVictim } from "../../workloads/deletion-cost.ts";
import type { Replica } from "../replicas/replica.ts";
import type { LiveWorkload } from "../replicas/workloads.ts";
import type { RevisionState } from "./planner.ts";
import { removalOrder, type ReplicaState } from "./victims.ts";

export function revisionState(revision: string, workloads: readonly LiveWorkload[]): RevisionState {
  const its = workloads.filter((workload) => workload.revision === revision);
  return { revision, replicas: its.flatMap(statesOf) };
}

function statesOf(workload: LiveWorkload): readonly ReplicaState[] {
  const { desired, slot, revision, object } = workload;
  const existing = workload.replicas.map((replica) => stateOf(replica));
  if (slot !== undefined) return existing;
  const surplus = existing.length - desired;
  if (surplus > 0) return existing.toSorted(removalOrder).slice(surplus);
  const missing = Array.from({ length: -surplus }, (_, index) => ({
    id: `${object.metadata.name} ${index}`,
    revision,
    placed: false,
    ready: false,
    unschedulable: false,
    marked: false,
    goesUnmarked: true,
  }));
  return [...existing, ...missing];
}

function stateOf(replica: Replica): ReplicaState {
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
    marked: isPod && isMarkedVictim(pod?.deletionCost),
    goesUnmarked: !isPod || !placed,
    createdAt: pod?.createdAt,
  };
}
