// Who shares a pool's free GPUs with a request: pods that are made and have no node, and requests that stand ahead. Pure.
import type { MadePods } from "./made-pods.ts";
import { compareRequests, spansNodes, type GpuRequest, type PriorityOf } from "./queue.ts";
import { slots, type NodesByGpus, type OtherPods, type PodsToPlace } from "./room.ts";

/** All that contends for one pool. */
export interface Contenders {
  /** Pods without a node, of every holder. */
  readonly unplaced: Iterable<MadePods>;
  readonly queued: Iterable<GpuRequest>;
  readonly priorityOf: PriorityOf;
  /** The most replicas that the pool could still give to a request; see {@link everFits}. */
  readonly everFits: (request: GpuRequest) => number;
}

export interface Shared extends OtherPods {
  /** The first holder that stands ahead of the request. */
  readonly behind: string | undefined;
  /** It stands ahead by its priority, and not by its age alone. */
  readonly outranked: boolean;
}

/**
 * Room is kept for groups that are made, the request's own among them, and for requests ahead. Single pods are the
 * scheduler's to order among each other, so that only a group is kept from taking what single pods ahead need.
 */
export function sharedWith(
  request: GpuRequest,
  { unplaced, queued, priorityOf, everFits }: Contenders,
): Shared {
  const isGroup = spansNodes(request);
  const reserved: PodsToPlace[] = [];
  /** By holder where it matters whose they are: to a group. */
  const singles = new Map<string, PodsToPlace[]>();
  let made: string | undefined;
  for (const { holder, isGroup: isRank, gpusPerPod, unplaced: pods } of unplaced) {
    if (pods === 0) continue;
    if (isRank) {
      addPods(reserved, pods, gpusPerPod);
      if (holder !== request.holder) made ??= holder;
    } else if (isGroup || holder !== request.holder) {
      const key = isGroup ? holder : "";
      addPods(singles.get(key) ?? newList(singles, key), pods, gpusPerPod);
    }
  }
  let first: GpuRequest | undefined;
  for (const ahead of queued) {
    if (ahead.holder === request.holder || (!isGroup && !spansNodes(ahead))) continue;
    if (compareRequests(ahead, request, priorityOf) > 0) continue;
    const { nodesPerReplica, gpusPerNode: gpusPerPod } = ahead.footprint;
    const lacks = Math.min(ahead.replicas, everFits(ahead));
    if (lacks <= 0) continue;
    if (first === undefined || compareRequests(ahead, first, priorityOf) < 0) first = ahead;
    // Those of its single pods that are made already are part of what it lacks.
    const itsPods = spansNodes(ahead) ? [] : (singles.get(ahead.holder) ?? []);
    if (itsPods.length > 0) singles.delete(ahead.holder);
    for (const { pods, gpusPerPod: gpus } of itsPods) addPods(reserved, pods, gpus);
    const further = lacks * nodesPerReplica - itsPods.reduce((sum, { pods }) => sum + pods, 0);
    if (further > 0) addPods(reserved, further, gpusPerPod);
  }
  const rank = ({ priorityClassName }: GpuRequest): number => priorityOf(priorityClassName);
  const outranked = first !== undefined && rank(first) > rank(request);
  return { reserved, others: [...singles.values()].flat(), behind: first?.holder ?? made, outranked };
}

function newList<T>(lists: Map<string, T[]>, key: string): T[] {
  const list: T[] = [];
  lists.set(key, list);
  return list;
}

/** Pods of one size are one entry. */
function addPods(list: PodsToPlace[], pods: number, gpusPerPod: number): void {
  const at = list.findIndex((each) => each.gpusPerPod === gpusPerPod);
  const known = list[at];
  if (known === undefined) list.push({ pods, gpusPerPod });
  else list[at] = { pods: known.pods + pods, gpusPerPod };
}

/**
 * The most further replicas that the pool could give to a request if everybody else left, by the nodes that are there
 * or may come (`total`). A request that could be given none must not keep others waiting for ever.
 */
export function everFits(request: GpuRequest, total: NodesByGpus, made: readonly MadePods[]): number {
  const { nodesPerReplica, gpusPerNode } = request.footprint;
  const isGroup = spansNodes(request);
  const own = made
    .filter(
      (each) => each.pool === request.pool && each.gpusPerPod === gpusPerNode && each.isGroup === isGroup,
    )
    .reduce((sum, { placed, unplaced, refused }) => sum + placed + (isGroup ? unplaced + refused : 0), 0);
  return Math.floor((slots(total, gpusPerNode) - own) / nodesPerReplica);
}
