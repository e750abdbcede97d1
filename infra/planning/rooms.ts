// How many replicas the nodes of a stack's pools hold. The planner says how one replica is laid out; this counts.
import type { Plan } from "@llama-operator/llama/planning";

/** Free GPUs of each node that a pool may have, at most. */
export type Room = readonly number[];

/** The room after one more replica, or `undefined` where it does not fit. The fullest nodes that hold it are taken. */
export function placeReplica(room: Room, plan: Plan): Room | undefined {
  const { nodesPerReplica } = plan;
  const gpus = gpusPerNode(plan);
  const fitting = room
    .map((free, index) => ({ free, index }))
    .filter(({ free }) => free >= gpus)
    .sort((one, other) => one.free - other.free || one.index - other.index)
    .slice(0, nodesPerReplica);
  if (fitting.length < nodesPerReplica) return undefined;
  const taken = new Set(fitting.map(({ index }) => index));
  return room.map((free, index) => (taken.has(index) ? free - gpus : free));
}

/** GPUs that a replica takes of each of its nodes. */
export function gpusPerNode({ gpusPerReplica, nodesPerReplica }: Plan): number {
  return gpusPerReplica / nodesPerReplica;
}

/** Nodes of `perNode` GPUs that a pool needs more, so that `replicas` replicas fit beside what is placed. */
export function missingNodes(room: Room, plan: Plan, replicas: number, perNode: number): number {
  let left = room;
  let added = 0;
  for (let replica = 0; replica < replicas;) {
    const next = placeReplica(left, plan);
    if (next === undefined) {
      left = [...left, perNode];
      added += 1;
    } else {
      left = next;
      replica += 1;
    }
  }
  return added;
}
