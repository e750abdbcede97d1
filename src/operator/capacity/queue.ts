// Who waits for GPUs, and in which order: by priority, then age, then name. Pure: no clock, no cache.
import type { Footprint } from "./room.ts";

/** What a LlamaDeployment asks of a pool, and its place in the queue for it. */
export interface GpuRequest {
  /** The LlamaDeployment, as `namespace/name`. */
  readonly holder: string;
  /** `spec.podTemplate.priorityClassName`. */
  readonly priorityClassName?: string | undefined;
  /**
   * Since when it waits, in milliseconds since 1970; see {@link waitingSince}. 0 for replicas that only replace others
   * of the holder: they ask for GPUs that it has already, so that a rollout never stands behind those that came later.
   */
  readonly sinceMs: number;
  readonly pool: string;
  readonly footprint: Footprint;
  /** Of the replicas that are asked for, by its hash; not known of what status alone says. */
  readonly revision?: string | undefined;
  /** It replaces replicas of its own: what it may do depends on what is free once one of them has gone. */
  readonly rollsOut?: boolean | undefined;
  /** Since when it waits in truth, where `sinceMs` is 0; kept here for clusters whose CRD drops it from status. */
  readonly waitsSinceMs?: number | undefined;
  /** Replicas that it lacks: of groups those that are not made, of single pods those without a node too. */
  readonly replicas: number;
}

/** Where a request stands: its priority is that of its PriorityClass. */
export type PriorityOf = (priorityClassName: string | undefined) => number;

/** Whether a replica is a group of pods that is made as a whole, a LeaderWorkerSet. */
export function spansNodes({ footprint }: Pick<GpuRequest, "footprint">): boolean {
  return footprint.nodesPerReplica > 1;
}

/** Negative where the first stands before the second. */
export function compareRequests(a: GpuRequest, b: GpuRequest, priorityOf: PriorityOf): number {
  return (
    priorityOf(b.priorityClassName) - priorityOf(a.priorityClassName) ||
    a.sinceMs - b.sinceMs ||
    (a.holder < b.holder ? -1 : Number(a.holder > b.holder))
  );
}

/**
 * Since when a holder waits for the next replica. One that got a replica and lacks more waits anew: else a holder that
 * lacks a thousand would be the oldest until it has them all, and nobody behind it would ever be given one.
 */
export function waitingSince(
  before: { readonly sinceMs: number; readonly replicas: number } | undefined,
  replicas: number,
  nowMs: number,
): number {
  return before === undefined || replicas < before.replicas ? nowMs : before.sinceMs;
}

/** The requests that wait, one for each holder, found by pool. */
export class GpuQueue {
  readonly #byHolder = new Map<string, GpuRequest>();
  readonly #byPool = new Map<string, Map<string, GpuRequest>>();

  get size(): number {
    return this.#byHolder.size;
  }

  get(holder: string): GpuRequest | undefined {
    return this.#byHolder.get(holder);
  }

  /** Takes the holder's request in place of the one before. Returns the pools whose queue is another than before. */
  set(request: GpuRequest): readonly string[] {
    const before = this.#byHolder.get(request.holder);
    if (before !== undefined && isSame(before, request)) return [];
    const left = this.delete(request.holder);
    this.#byHolder.set(request.holder, request);
    const queue = this.#byPool.get(request.pool) ?? new Map<string, GpuRequest>();
    this.#byPool.set(request.pool, queue.set(request.holder, request));
    return [...left, request.pool];
  }

  /** Returns the pool whose queue it stood in, if any. */
  delete(holder: string): readonly string[] {
    const request = this.#byHolder.get(holder);
    if (request === undefined) return [];
    this.#byHolder.delete(holder);
    const queue = this.#byPool.get(request.pool);
    queue?.delete(holder);
    if (queue?.size === 0) this.#byPool.delete(request.pool);
    return [request.pool];
  }

  /** The pools that somebody waits for. */
  pools(): Iterable<string> {
    return this.#byPool.keys();
  }

  /** The requests for a pool, in no order. */
  of(pool: string): Iterable<GpuRequest> {
    return this.#byPool.get(pool)?.values() ?? [];
  }
}

function isSame(a: GpuRequest, b: GpuRequest): boolean {
  return (
    a.pool === b.pool &&
    a.revision === b.revision &&
    a.replicas === b.replicas &&
    // Who lacks none has no place in the order.
    (a.replicas === 0 || (a.sinceMs === b.sinceMs && a.waitsSinceMs === b.waitsSinceMs)) &&
    a.priorityClassName === b.priorityClassName &&
    a.rollsOut === b.rollsOut &&
    a.footprint.nodesPerReplica === b.footprint.nodesPerReplica &&
    a.footprint.gpusPerNode === b.footprint.gpusPerNode
  );
}
