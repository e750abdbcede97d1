// The usable nodes of each pool with their free GPUs, and how many nodes have how many: changed node by node as pods
// come and go, because a pass over each of a thousand LlamaDeployments would otherwise walk a thousand nodes.
import type { GpuPoolSpec } from "@llama-operator/llama/api";
import type { Store } from "@llama-operator/kube-runtime/cache";
import type { Node } from "../observed/node.ts";
import { holdsDevices, type Pod } from "../observed/pod.ts";
import { isSameResources, sum, type NodeResources } from "../observed/resources.ts";
import type { DeviceUse } from "./device-use.ts";
import { gpusFor, isMember, poolNode, type NodeCapacity, type PoolNode } from "./node-capacity.ts";
import type { HeldGpus } from "./partial-groups.ts";
import type { Footprint, NodesByGpus } from "./room.ts";

/** What each pod of a replica takes of its node. */
export type PodFootprint = Pick<Footprint, "gpusPerNode" | "requests">;

/** One pool's nodes. */
export interface PoolCapacity {
  readonly spec: GpuPoolSpec;
  /** Those where its pods may go. */
  readonly byName: ReadonlyMap<string, NodeCapacity>;
  /** Those that are up, and have taints that the pool does not tolerate. */
  readonly tainted: ReadonlyMap<string, PoolNode>;
  /** Names of all its nodes: one that is cordoned or not ready is none that an autoscaler may still add. */
  readonly members: ReadonlySet<string>;
  readonly free: NodesByGpus;
  readonly total: NodesByGpus;
  /** Nodes by the free GPUs that such pods can take. */
  readonly freeFor: (pod: PodFootprint) => NodesByGpus;
}

/** Nodes by the free GPUs that pods of one kind can take. */
interface View {
  readonly pod: PodFootprint;
  readonly free: number[];
}

/** Kinds of pods whose views of a pool are kept: plans of the same layout ask for the same. */
const mostViews = 32;

class CountedPool implements PoolCapacity {
  readonly spec: GpuPoolSpec;
  readonly byName = new Map<string, NodeCapacity>();
  readonly tainted = new Map<string, PoolNode>();
  readonly members = new Set<string>();
  readonly free: number[] = [];
  readonly total: number[] = [];
  readonly #views = new Map<string, View>();
  #list: readonly NodeCapacity[] | undefined;

  constructor(spec: GpuPoolSpec) {
    this.spec = spec;
  }

  /** The nodes in a list; the same one until the GPUs of one change. */
  get list(): readonly NodeCapacity[] {
    this.#list ??= [...this.byName.values()];
    return this.#list;
  }

  readonly freeFor = (pod: PodFootprint): NodesByGpus => {
    if (pod.requests === undefined) return this.free;
    const { cpuMillicores, memoryBytes, ephemeralStorageBytes } = pod.requests;
    const key = [pod.gpusPerNode, cpuMillicores, memoryBytes, ephemeralStorageBytes].join(" ");
    const known = this.#views.get(key);
    if (known !== undefined) return known.free;
    if (this.#views.size >= mostViews) this.#views.clear();
    const view: View = { pod, free: [] };
    for (const node of this.byName.values()) count(view.free, gpusFor(node, pod), 1);
    this.#views.set(key, view);
    return view.free;
  };

  /** Takes a node as it is now. Returns whether any number is another than before. */
  replace(name: string, node: Node | undefined, now: PoolNode | undefined): boolean {
    const isOtherMember = setMember(this.members, name, node !== undefined && isMember(node, this.spec));
    const wasTainted = this.tainted.has(name);
    const isTainted = now !== undefined && now.taints.length > 0;
    if (isTainted) this.tainted.set(name, now);
    else this.tainted.delete(name);
    const isOther = this.#setCapacity(name, isTainted ? undefined : now?.capacity);
    return isOther || isOtherMember || wasTainted !== isTainted;
  }

  #setCapacity(name: string, now: NodeCapacity | undefined): boolean {
    const before = this.byName.get(name);
    const sameGpus = before?.total === now?.total && before?.free === now?.free;
    if (sameGpus && isSameSpare(before?.spare, now?.spare)) return false;
    if (!sameGpus) this.#list = undefined;
    if (before !== undefined) this.#count(before, -1);
    if (now === undefined) this.byName.delete(name);
    else {
      this.byName.set(name, now);
      this.#count(now, 1);
    }
    return true;
  }

  #count(node: NodeCapacity, by: number): void {
    count(this.free, node.free, by);
    count(this.total, node.total, by);
    for (const { pod, free } of this.#views.values()) count(free, gpusFor(node, pod), by);
  }
}

export class PoolNodes {
  readonly #nodes: Pick<Store<Node>, "get" | "list">;
  readonly #use: Pick<DeviceUse, "used" | "requested">;
  readonly #pools = new Map<string, CountedPool>();

  constructor(nodes: Pick<Store<Node>, "get" | "list">, use: Pick<DeviceUse, "used" | "requested">) {
    this.#nodes = nodes;
    this.#use = use;
  }

  /** The pool as it is now. What is returned changes with its nodes: read it at once. */
  of(name: string, spec: GpuPoolSpec): PoolCapacity {
    return this.#counted(name, spec);
  }

  /** The pool's nodes; the same list until the GPUs of one of them change. */
  list(name: string, spec: GpuPoolSpec): readonly NodeCapacity[] {
    return this.#counted(name, spec).list;
  }

  forget(pool: string): void {
    this.#pools.delete(pool);
  }

  /** A node came, went or changed, or pods took or gave back some of it. Returns the pools with other numbers now. */
  nodeChanged(name: string): readonly string[] {
    const node = this.#nodes.get({ name });
    const changed: string[] = [];
    for (const [pool, counted] of this.#pools) {
      if (counted.replace(name, node, node && poolNode(node, counted.spec, this.#use))) changed.push(pool);
    }
    return changed;
  }

  #counted(name: string, spec: GpuPoolSpec): CountedPool {
    const known = this.#pools.get(name);
    if (known?.spec === spec) return known;
    const pool = new CountedPool(spec);
    for (const node of this.#nodes.list()) {
      pool.replace(node.metadata.name, node, poolNode(node, spec, this.#use));
    }
    this.#pools.set(name, pool);
    return pool;
  }
}

function setMember(members: Set<string>, name: string, isMember: boolean): boolean {
  const before = members.size;
  if (isMember) members.add(name);
  else members.delete(name);
  return members.size !== before;
}

function isSameSpare(a: NodeResources | undefined, b: NodeResources | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && isSameResources(a, b));
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

/** The nodes by their free GPUs if pods needed nothing beside GPUs, and tolerated every taint. */
export function byGpusAlone({ free, tainted }: PoolCapacity): NodesByGpus {
  if (tainted.size === 0) return free;
  const nodes = [...free];
  for (const { capacity } of tainted.values()) count(nodes, capacity.free, 1);
  return nodes;
}

/** What these pods hold of their nodes. */
export function heldBy(pods: readonly Pod[], { gpu: { resourceName } }: GpuPoolSpec): readonly HeldGpus[] {
  return pods.filter(holdsDevices).map(({ nodeName = "", devices, requests }) => ({
    node: nodeName,
    gpus: devices[resourceName] ?? 0,
    ...(requests === undefined ? {} : { requests }),
  }));
}

/** The nodes by the free GPUs that such pods can take, once what is held is given back. */
export function withGivenBack(
  { byName, freeFor }: PoolCapacity,
  pod: PodFootprint,
  held: readonly HeldGpus[],
): NodesByGpus {
  const free = freeFor(pod);
  if (held.length === 0) return free;
  const nodes = [...free];
  const after = new Map<string, NodeCapacity>();
  for (const { node: name, gpus, requests } of held) {
    const node = after.get(name) ?? byName.get(name);
    if (node === undefined) continue;
    const spare = node.spare && requests ? sum(node.spare, requests) : node.spare;
    after.set(name, { ...node, free: Math.min(node.total, node.free + gpus), spare });
  }
  for (const [name, node] of after) {
    const before = byName.get(name);
    if (before !== undefined) count(nodes, gpusFor(before, pod), -1);
    count(nodes, gpusFor(node, pod), 1);
  }
  return nodes;
}
