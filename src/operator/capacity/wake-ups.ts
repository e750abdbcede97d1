// Wakes those that wait for GPUs, once what they would be answered is no longer what they were answered last: a change
// that lets nobody do anything else wakes nobody. Changes come in bursts, and are looked at once a burst.
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "@llama-operator/kube-runtime";
import { parseObjectKey, type ObjectRef } from "@llama-operator/kube-runtime/client";
import type { Obstacle } from "./obstacle.ts";
import type { AssumedPods } from "./assumed-pods.ts";
import { compareRequests, spansNodes, type GpuQueue, type GpuRequest, type PriorityOf } from "./queue.ts";

/** What a holder may make now. */
export interface FreeGpus {
  /**
   * Of groups: further replicas that may be made. Of single pods: replicas that may be without a node at once, those
   * that are made already among them. A Deployment that is behind somebody may ask for so many beside those that are
   * placed; pods beyond what it asks for now are on their way out, and are not to be asked for again.
   */
  readonly replicas: number;
  /**
   * The first LlamaDeployment (`namespace/name`) that stands ahead. Where none does, single pods are made in full:
   * the scheduler has a queue of its own, and an autoscaler may wait for them.
   */
  readonly behind: string | undefined;
  /**
   * That one is of higher priority: then single pods that have no node yet are to be taken back too. At equal priority
   * they stay where they are, in the scheduler's queue: they are few, and came first.
   */
  readonly outranked: boolean;
  /** The nodes that are there have the GPUs of a replica free, and not in the whole nodes that it takes. */
  readonly scattered: boolean;
  /** Pods of its groups are refused, so that no further group is to be made: it would have none either. */
  readonly refused: boolean;
  /** What keeps a replica from GPUs that are free for it, where there is no room for any. */
  readonly obstacle: Obstacle | undefined;
  /** Groups of it that are in the way of one that stands ahead; see {@link GpuCapacity.toGiveBack}. */
  readonly toGiveBack: readonly string[];
}

const burstMs = 200;

type CountedPods = Pick<AssumedPods, "takeChangedPools" | "unplaced" | "dueInMs">;

export interface WakeUpOptions {
  readonly clock: Pick<Clock, "setTimeout">;
  readonly answer: (request: GpuRequest) => FreeGpus;
  readonly priorityOf: PriorityOf;
}

export class WakeUps {
  readonly #queue: GpuQueue;
  readonly #assumed: CountedPods;
  readonly #options: WakeUpOptions;
  /** What each holder was last answered. */
  readonly #answers = new Map<string, FreeGpus>();
  readonly #changedPools = new Set<string>();
  readonly #callbacks: ((waiting: readonly ObjectRef[]) => void)[] = [];
  #isDue = false;
  /** Stops the wait for what changes by time alone. */
  #cancelLater: (() => void) | undefined;

  constructor(queue: GpuQueue, assumed: CountedPods, options: WakeUpOptions) {
    this.#queue = queue;
    this.#assumed = assumed;
    this.#options = options;
  }

  subscribe(callback: (waiting: readonly ObjectRef[]) => void): void {
    this.#callbacks.push(callback);
  }

  answered(holder: string, answer: FreeGpus): void {
    this.#answers.set(holder, answer);
  }

  hasAnswered(holder: string): boolean {
    return this.#answers.has(holder);
  }

  forget(holder: string): void {
    this.#answers.delete(holder);
  }

  /** Something changed: in these pools, or in what is assumed, which knows its pools when it is counted. */
  changed(pools: Iterable<string>): void {
    for (const pool of pools) this.#changedPools.add(pool);
    if (this.#queue.size === 0) this.#lookAgainIn(undefined);
    if (this.#isDue || this.#queue.size === 0) return;
    this.#isDue = true;
    this.#options.clock.setTimeout(() => this.#wake(), burstMs);
  }

  #wake(): void {
    this.#isDue = false;
    const { answer, priorityOf } = this.#options;
    const pools = new Set([...this.#changedPools, ...this.#assumed.takeChangedPools()]);
    this.#changedPools.clear();
    const waiting = [...pools]
      .flatMap((pool) => this.#concerned(pool))
      .filter(
        (request) =>
          request.rollsOut === true || !isDeepStrictEqual(answer(request), this.#answers.get(request.holder)),
      )
      .toSorted((a, b) => compareRequests(a, b, priorityOf))
      .map(({ holder }) => parseObjectKey(holder));
    this.#lookAgainIn(this.#queue.size === 0 ? undefined : this.#assumed.dueInMs());
    if (waiting.length > 0) for (const callback of this.#callbacks) callback(waiting);
  }

  #lookAgainIn(ms: number | undefined): void {
    this.#cancelLater?.();
    this.#cancelLater = ms === undefined ? undefined : this.#options.clock.setTimeout(() => this.#wake(), ms);
  }

  /** Single pods are the scheduler's, and nobody needs to look at them again, where no group is or was ahead of them. */
  #concerned(pool: string): readonly GpuRequest[] {
    const all = [...this.#queue.of(pool)];
    const hasGroups =
      all.some(spansNodes) || Iterator.from(this.#assumed.unplaced(pool)).some(({ isGroup }) => isGroup);
    if (hasGroups) return all;
    return all.filter(
      ({ holder, rollsOut }) => rollsOut === true || this.#answers.get(holder)?.behind !== undefined,
    );
  }
}
