// The usable nodes of each pool with their free GPUs, and how many nodes have how many: changed node by node as pods
// come and go, because a pass over each of a thousand LlamaDeployments would otherwise walk a thousand nodes.
import { matchesLabels, type GpuPoolSpec } from "@llama-operator/llama/api";
import type { Store } from "@llama-operator/kube-runtime/cache";
import type { Node } from "../observed/node.ts";
import { holdsDevices, type Pod } from "../observed/pod.ts";
import type { DeviceUse } from "./device-use.ts";
import type { HeldGpus } from "./partial-groups.ts";
import type { NodesByGpus } from "./room.ts";

/** Free and allocatable GPUs of one usable node of a pool. */
export interface NodeCapacity {
  readonly node: string;
  readonly total: number;
  readonly free: number;
}

/** One pool's nodes. */
export interface PoolCapacity {
  readonly spec: GpuPoolSpec;
  /** Those that are usable. */
  readonly byName: ReadonlyMap<string, NodeCapacity>;
  /** Names of all its nodes: one that is cordoned or not ready is none that an autoscaler may still add. */
  readonly members: ReadonlySet<string>;
  readonly free: NodesByGpus;
  readonly total: NodesByGpus;
}

interface CountedPool {
  /** The nodes in a list, made when it is asked for. */
  list?: readonly NodeCapacity[] | undefined;
  readonly spec: GpuPoolSpec;
  readonly byName: Map<string, NodeCapacity>;
  readonly members: Set<string>;
  readonly free: number[];
  readonly total: number[];
}

export class PoolNodes {
  readonly #nodes: Pick<Store<Node>, "get" | "list">;
  readonly #use: Pick<DeviceUse, "used">;
  readonly #pools = new Map<string, CountedPool>();

  constructor(nodes: Pick<Store<Node>, "get" | "list">, use: Pick<DeviceUse, "used">) {
    this.#nodes = nodes;
    this.#use = use;
  }

  /** The pool as it is now. What is returned changes with its nodes: read it at once. */
  of(name: string, spec: GpuPoolSpec): PoolCapacity {
    return this.#counted(name, spec);
  }

  /** The pool's nodes; the same list until one of them changes. */
  list(name: string, spec: GpuPoolSpec): readonly NodeCapacity[] {
    const pool = this.#counted(name, spec);
    pool.list ??= [...pool.byName.values()];
    return pool.list;
  }

  forget(pool: string): void {
    this.#pools.delete(pool);
  }

  /** A node came, went or changed, or pods took or gave back GPUs of it. Returns the pools with other numbers now. */
  nodeChanged(name: string): readonly string[] {
    const node = this.#nodes.get({ name });
    const changed: string[] = [];
    for (const [pool, counted] of this.#pools) {
      const isOther = setMember(counted, name, node);
      if (replace(counted, name, node && this.#capacityOf(node, counted.spec)) || isOther) changed.push(pool);
    }
    return changed;
  }

  #counted(name: string, spec: GpuPoolSpec): CountedPool {
    const known = this.#pools.get(name);
    if (known?.spec === spec) return known;
    const pool: CountedPool = { spec, byName: new Map(), members: new Set(), free: [], total: [] };
    for (const node of this.#nodes.list()) {
      setMember(pool, node.metadata.name, node);
      replace(pool, node.metadata.name, this.#capacityOf(node, spec));
    }
    this.#pools.set(name, pool);
    return pool;
  }

  #capacityOf(node: Node, spec: GpuPoolSpec): NodeCapacity | undefined {
    return nodeCapacity(node, spec, this.#use);
  }
}

/** Takes a node as the pool's, or not. Returns whether that is new. */
function setMember({ members, spec }: CountedPool, name: string, node: Node | undefined): boolean {
  const isMember = node !== undefined && matchesLabels(node.metadata.labels, spec.nodeSelector);
  const before = members.size;
  if (isMember) members.add(name);
  else members.delete(name);
  return members.size !== before;
}

function replace(pool: CountedPool, name: string, now: NodeCapacity | undefined): boolean {
  const before = pool.byName.get(name);
  if (before?.total === now?.total && before?.free === now?.free) return false;
  pool.list = undefined;
  if (before !== undefined) {
    count(pool.free, before.free, -1);
    count(pool.total, before.total, -1);
  }
  if (now === undefined) pool.byName.delete(name);
  else {
    pool.byName.set(name, now);
    count(pool.free, now.free, 1);
    count(pool.total, now.total, 1);
  }
  return true;
}

function count(nodes: number[], gpus: number, by: number): void {
  while (nodes.length <= gpus) nodes.push(0);
  nodes[gpus] = (nodes[gpus] ?? 0) + by;
}

/** The nodes by free GPUs with those that an autoscaler may still add, all of their GPUs free. */
export function withGrowth({ spec, members }: PoolCapacity, free: NodesByGpus): NodesByGpus {
  return grown(free, spec, members.size);
}

/** All nodes that there could be, by their GPUs; those that cannot be used now may be replaced, or come back. */
export function atMost({ spec, byName, total }: PoolCapacity): NodesByGpus {
  return grown(total, spec, byName.size);
}

function grown(nodes: NodesByGpus, spec: GpuPoolSpec, there: number): NodesByGpus {
  const toCome = (spec.nodes?.max ?? 0) - there;
  if (toCome <= 0) return nodes;
  const grown = [...nodes];
  count(grown, spec.gpu.perNode, toCome);
  return grown;
}

/** GPUs of nodes that these pods hold. */
export function heldBy(pods: readonly Pod[], { gpu: { resourceName } }: GpuPoolSpec): readonly HeldGpus[] {
  return pods
    .filter(holdsDevices)
    .map(({ nodeName = "", devices }) => ({ node: nodeName, gpus: devices[resourceName] ?? 0 }));
}

/** The nodes by free GPUs as they would be once some of the held ones are given back. */
export function withGivenBack({ byName, free }: PoolCapacity, held: readonly HeldGpus[]): NodesByGpus {
  if (held.length === 0) return free;
  const nodes = [...free];
  const freed = new Map<string, number>();
  for (const { node: name, gpus } of held) {
    const node = byName.get(name);
    if (node === undefined) continue;
    const before = freed.get(name) ?? node.free;
    const after = Math.min(node.total, before + gpus);
    count(nodes, before, -1);
    count(nodes, after, 1);
    freed.set(name, after);
  }
  return nodes;
}

/** GPUs of a node of the pool; undefined for a node that is another pool's, not usable, or without GPUs. */
export function nodeCapacity(
  node: Node,
  { nodeSelector, gpu: { resourceName } }: GpuPoolSpec,
  use: Pick<DeviceUse, "used">,
): NodeCapacity | undefined {
  const total = node.devices[resourceName] ?? 0;
  if (!node.usable || !(total > 0) || !matchesLabels(node.metadata.labels, nodeSelector)) return undefined;
  const { name } = node.metadata;
  return { node: name, total, free: Math.max(0, total - use.used(name, resourceName)) };
}
