// How many replicas find room among free GPUs although nobody can say where kube-scheduler will put which pod. Pure.
//
// Rule: a slot of size s is s free GPUs on one node. A pod of q GPUs takes at most ceil(q/s) such slots, wherever it
// goes. So, whichever pods are placed first and wherever, a pod of s GPUs or fewer finds a node as long as the slots
// of size s are more than all other pods can take. With s as large as the largest pod that must find a node, the
// newcomer's or one that the room is kept for, this holds for all of them.
// It is on the safe side: it counts no pods of one node together, because the scheduler need not put them together.

import type { NodeResources } from "../observed/resources.ts";

/** Nodes by free GPUs: `nodes[k]` of them have exactly k GPUs. */
export type NodesByGpus = readonly number[];

/** What one replica takes: GPUs of one node, or of several nodes at once. */
export interface Footprint {
  readonly nodesPerReplica: number;
  readonly gpusPerNode: number;
  /** CPU, memory and disk that each of its pods requests, where it is known. */
  readonly requests?: NodeResources | undefined;
}

/** Pods that have no node yet. */
export interface PodsToPlace {
  readonly pods: number;
  readonly gpusPerPod: number;
}

/** The pods that a newcomer shares the free GPUs with. */
export interface OtherPods {
  /** Must still find their nodes when the newcomer has taken its own. */
  readonly reserved: readonly PodsToPlace[];
  /** May be placed at any time, and need not be. */
  readonly others: readonly PodsToPlace[];
}

/** How many pods of so many GPUs the nodes hold at once. */
export function slots(nodes: NodesByGpus, gpus: number): number {
  return nodes.reduce((sum, count, free) => sum + count * Math.floor(free / gpus), 0);
}

/** Whole replicas for which there is room, wherever the scheduler places these pods and the others. */
export function roomFor(nodes: NodesByGpus, footprint: Footprint, { reserved, others }: OtherPods): number {
  const { nodesPerReplica, gpusPerNode } = footprint;
  const size = reserved.reduce((most, { gpusPerPod }) => Math.max(most, gpusPerPod), gpusPerNode);
  const taken = [...reserved, ...others].reduce(
    (sum, { pods, gpusPerPod }) => sum + pods * Math.ceil(gpusPerPod / size),
    0,
  );
  return Math.max(0, Math.floor((slots(nodes, size) - taken) / nodesPerReplica));
}

/** Whether the free GPUs are enough for a replica and no nodes have them as it needs them. */
export function isScattered(nodes: NodesByGpus, { nodesPerReplica, gpusPerNode }: Footprint): boolean {
  return slots(nodes, gpusPerNode) < nodesPerReplica && slots(nodes, 1) >= nodesPerReplica * gpusPerNode;
}
