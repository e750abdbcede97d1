// How many GPUs are free on which node. The use of each node is kept up to date by pod events, so that asking
// costs the pool's nodes and not the cluster's pods.
import type { GpuPoolSpec } from "@llama-operator/llama/api";
import type { Node } from "../observed/node.ts";
import { holdsDevices, type Pod } from "../observed/pod.ts";

/** Devices that pods hold, per node. Counts each pod as last observed, whatever was missed in between. */
export class DeviceUse {
  readonly #holders = new Map<string, Pod>();
  readonly #used = new Map<string, Map<string, number>>();
  #version = 0;

  /** Grows whenever the use of a node changes. */
  get version(): number {
    return this.#version;
  }

  /** Takes a pod as it is now. */
  observe(pod: Pod): void {
    const held = this.#holders.get(pod.metadata.uid);
    // Most news of a pod are none of its devices, which it holds until it ends.
    if (held !== undefined && held.nodeName === pod.nodeName && holdsDevices(pod)) return;
    this.forget(pod);
    if (pod.nodeName === undefined || !holdsDevices(pod) || Object.keys(pod.devices).length === 0) return;
    this.#holders.set(pod.metadata.uid, pod);
    this.#add(pod.nodeName, pod, 1);
  }

  /** The pod is gone. */
  forget({ metadata: { uid } }: Pod): void {
    const held = this.#holders.get(uid);
    if (held?.nodeName === undefined) return;
    this.#holders.delete(uid);
    this.#add(held.nodeName, held, -1);
  }

  used(nodeName: string, resourceName: string): number {
    return this.#used.get(nodeName)?.get(resourceName) ?? 0;
  }

  #add(nodeName: string, pod: Pod, sign: 1 | -1): void {
    this.#version += 1;
    const node = this.#used.get(nodeName) ?? new Map<string, number>();
    for (const [name, count] of Object.entries(pod.devices))
      node.set(name, (node.get(name) ?? 0) + sign * count);
    if ([...node.values()].every((count) => count === 0)) this.#used.delete(nodeName);
    else this.#used.set(nodeName, node);
  }
}

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

export function matchesLabels(
  labels: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => labels?.[key] === value);
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
