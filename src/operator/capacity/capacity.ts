// How many GPUs are free on which node. The use of each node is kept up to date by pod events, so that asking
// costs the pool's nodes and not the cluster's pods.
import type { GpuPoolSpec } from "@llama-operator/llama/api";
import type { Node } from "../observed/node.ts";
import type { Pod } from "../observed/pod.ts";
import type { DeviceUse } from "./device-use.ts";
import { matchesLabels } from "./pool-nodes.ts";

export { DeviceUse } from "./device-use.ts";
export { matchesLabels } from "./pool-nodes.ts";

/** Free and allocatable GPUs of one usable node of a pool. */
export interface NodeRoom {
  readonly node: string;
  readonly total: number;
  readonly free: number;
}

/** The pool's usable nodes with their free GPUs. */
export function poolRoom(pool: GpuPoolSpec, nodes: Iterable<Node>, use: DeviceUse): readonly NodeRoom[] {
  const { resourceName } = pool.gpu;
  const rooms: NodeRoom[] = [];
  for (const node of nodes) {
    if (!node.usable || !matchesLabels(node.metadata.labels, pool.nodeSelector)) continue;
    const total = node.devices[resourceName] ?? 0;
    if (total === 0) continue;
    const { name } = node.metadata;
    rooms.push({ node: name, total, free: Math.max(0, total - use.used(name, resourceName)) });
  }
  return rooms;
}

/** What one replica takes: GPUs of one node, or of several nodes at once. */
export interface Footprint {
  readonly nodesPerReplica: number;
  readonly gpusPerNode: number;
}

/** How many replicas of a footprint the free GPUs hold, beside `claimedNodes` nodes promised to others. */
export function replicasThatFit(rooms: readonly NodeRoom[], footprint: Footprint, claimedNodes = 0): number {
  const slots = rooms.reduce((sum, room) => sum + Math.floor(room.free / footprint.gpusPerNode), 0);
  return Math.max(0, Math.floor((slots - claimedNodes) / footprint.nodesPerReplica));
}

/** The rooms as they would be once some pods were gone. */
export function roomsWithout(
  rooms: readonly NodeRoom[],
  leaving: readonly Pod[],
  resourceName: string,
): readonly NodeRoom[] {
  if (leaving.length === 0) return rooms;
  const freed = new Map<string, number>();
  for (const pod of leaving) {
    if (pod.nodeName === undefined) continue;
    freed.set(pod.nodeName, (freed.get(pod.nodeName) ?? 0) + (pod.devices[resourceName] ?? 0));
  }
  return rooms.map((room) => ({
    ...room,
    free: Math.min(room.total, room.free + (freed.get(room.node) ?? 0)),
  }));
}
