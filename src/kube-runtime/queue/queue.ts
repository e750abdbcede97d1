// The work queue: which objects to reconcile, and when. Semantics of client-go's workqueue with the
// priorities of controller-runtime's priority queue.
//
// Guarantees
// - A key is in work at most once: added again meanwhile, it waits until `done` and then runs once more.
// - Nothing is lost: an added key is given out, or waits for its delay, or waits for `done`.
// - Of several delays the earliest wins, of several priorities the highest; an immediate add takes a delayed key
//   out of its delay.
// - Within a priority, first come, first served.
import type { CancelTimer, Clock } from "../clock.ts";
import { DelayHeap } from "./delay-heap.ts";
import type { QueueMetrics } from "../metrics.ts";

/** Higher first. Lists come after news, so that a restart over 10,000 objects does not hold up what people do. */
export const Priority = Object.freeze({ normal: 0, initial: -100 });

export interface AddOptions {
  readonly afterMs?: number | undefined;
  /** Default {@link Priority}.normal. */
  readonly priority?: number | undefined;
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly metrics: QueueMetrics;
  /** First delay of a failing key; doubles with each failure. Default 5 ms. */
  readonly baseDelayMs?: number | undefined;
  /** Default one minute: client-go's 1000 s leave an object a quarter of an hour behind a cause that is gone. */
  readonly maxDelayMs?: number | undefined;
}

interface Waiting {
  readonly addedAtMs: number;
  readonly priority: number;
}

export class WorkQueue {
  readonly #clock: Clock;
  readonly #metrics: QueueMetrics;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  /** Ready keys by priority, in order of arrival; a Set keeps it and removes in constant time. */
  readonly #lanes = new Map<number, Set<string>>();
  #priorities: readonly number[] = [];
  readonly #ready = new Map<string, Waiting>();
  readonly #processing = new Map<string, number>();
  /** Added while in work: given out again at `done`. */
  readonly #again = new Map<string, number>();
  readonly #delayed = new DelayHeap();
  readonly #delayedPriority = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  /** Wakes one of those who wait for a key. */
  readonly #takers: (() => void)[] = [];
  #timer: { readonly dueAtMs: number; readonly cancel: CancelTimer } | undefined;
  #stopped = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#metrics = options.metrics;
    this.#baseDelayMs = options.baseDelayMs ?? 5;
    this.#maxDelayMs = options.maxDelayMs ?? 60_000;
  }

  /** Keys that could be given out now. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  get processing(): number {
    return this.#processing.size;
  }

  add(key: string, options: AddOptions = {}): void {
    if (this.#stopped) return;
    const priority = options.priority ?? Priority.normal;
    const afterMs = options.afterMs ?? 0;
    if (afterMs > 0) {
      if (!this.#ready.has(key) && !this.#again.has(key)) this.#delay(key, afterMs, priority);
      return;
    }
    this.#makeReady(key, priority);
  }

  /** Adds a key that failed: after 5 ms, 10 ms, … 1 min, by how often it has failed in a row. */
  addRateLimited(key: string, options: Pick<AddOptions, "priority"> = {}): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#metrics.retries.inc();
    this.add(key, { ...options, afterMs: Math.min(this.#baseDelayMs * 2 ** failures, this.#maxDelayMs) });
  }

  /** The key works again: its next failure starts at the shortest delay. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** How often the key has failed in a row. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, as soon as there is one; undefined when the queue has been stopped. Call `done` with it. */
  async take(): Promise<string | undefined> {
    while (!this.#stopped) {
      const key = this.#takeReady();
      if (key !== undefined) return key;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#takers.push(resolve);
      // Woken a turn later: what adds a key twice in one turn has it worked on once.
      await promise;
    }
    return undefined;
  }

  /** Ends the work on a key that `take` gave out. */
  done(key: string): void {
    const startedAtMs = this.#processing.get(key);
    if (startedAtMs === undefined) return;
    this.#processing.delete(key);
    this.#metrics.workSeconds.observe((this.#clock.monotonic() - startedAtMs) / 1000);
    const priority = this.#again.get(key);
    if (priority === undefined) return;
    this.#again.delete(key);
    this.#makeReady(key, priority);
  }

  /** Gives nothing out any more; what is in work may still call `done`. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const wake of this.#takers.splice(0)) wake();
  }

  /** Brings the gauges that grow by themselves up to date; called when metrics are read. */
  measure(): void {
    const now = this.#clock.monotonic();
    let sumMs = 0;
    let longestMs = 0;
    for (const startedAtMs of this.#processing.values()) {
      sumMs += now - startedAtMs;
      longestMs = Math.max(longestMs, now - startedAtMs);
    }
    this.#metrics.unfinishedSeconds.set(sumMs / 1000);
    this.#metrics.longestRunningSeconds.set(longestMs / 1000);
  }

  #makeReady(key: string, priority: number): void {
    const highest = Math.max(priority, this.#delayedPriority.get(key) ?? priority);
    this.#delayed.remove(key);
    this.#delayedPriority.delete(key);
    if (this.#processing.has(key)) {
      const again = this.#again.get(key);
      if (again === undefined) this.#metrics.adds.inc();
      this.#again.set(key, Math.max(highest, again ?? highest));
      return;
    }
    const waiting = this.#ready.get(key);
    if (waiting !== undefined) {
      if (highest <= waiting.priority) return;
      this.#lanes.get(waiting.priority)?.delete(key);
      this.#ready.set(key, { ...waiting, priority: highest });
      this.#lane(highest).add(key);
      return;
    }
    this.#metrics.adds.inc();
    this.#ready.set(key, { addedAtMs: this.#clock.monotonic(), priority: highest });
    this.#lane(highest).add(key);
    this.#metrics.depth.set(this.#ready.size);
    this.#takers.shift()?.();
  }

  #delay(key: string, afterMs: number, priority: number): void {
    this.#delayed.add(key, this.#clock.monotonic() + afterMs);
    this.#delayedPriority.set(key, Math.max(priority, this.#delayedPriority.get(key) ?? priority));
    this.#arm();
  }

  #takeReady(): string | undefined {
    for (const priority of this.#priorities) {
      const lane = this.#lanes.get(priority);
      const next = lane?.values().next();
      if (lane === undefined || next === undefined || next.done === true) continue;
      const key = next.value;
      const now = this.#clock.monotonic();
      lane.delete(key);
      const addedAtMs = this.#ready.get(key)?.addedAtMs ?? now;
      this.#ready.delete(key);
      this.#processing.set(key, now);
      this.#metrics.depth.set(this.#ready.size);
      this.#metrics.queueSeconds.observe((now - addedAtMs) / 1000);
      return key;
    }
    return undefined;
  }

  #lane(priority: number): Set<string> {
    let lane = this.#lanes.get(priority);
    if (lane === undefined) {
      lane = new Set();
      this.#lanes.set(priority, lane);
      this.#priorities = [...this.#lanes.keys()].sort((left, right) => right - left);
    }
    return lane;
  }

  #arm(): void {
    const dueAtMs = this.#delayed.nextDueAtMs();
    if (dueAtMs === undefined || (this.#timer !== undefined && this.#timer.dueAtMs <= dueAtMs)) return;
    this.#timer?.cancel();
    const cancel = this.#clock.setTimeout(() => this.#release(), dueAtMs - this.#clock.monotonic());
    this.#timer = { dueAtMs, cancel };
  }

  #release(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (const key of this.#delayed.takeDue(now)) {
      this.#makeReady(key, this.#delayedPriority.get(key) ?? Priority.normal);
    }
    this.#arm();
  }
}
