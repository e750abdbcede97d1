// Runs a reconciler over a queue: what controller-runtime's Controller does, in the same words.
//
// Guarantees
// - One reconcile of a key at a time, whatever wakes it, however many workers there are.
// - An error is tried again after 5 ms, 10 ms, … 1 min; a result with `requeueAfterSeconds` after that time. Nothing
//   a reconciler throws ends a worker.
// - A key is not reconciled while the cache lags behind the controller's own writes for it (WriteTracker).
// - `run` returns when every worker has: after `stop` each finishes what it has in hand, after `abort` the signal
//   given to the reconciler is aborted too. One that only reads may ask to be aborted at `stop`.
// - Workers give way to the rest of the process every 20 ms, however much there is to do.
// Assumptions
// - A reconciler ends when its signal is aborted. One that does not holds up its key, and the stop of the process.
import { isConflict } from "../client/errors.ts";
import {
  objectKey,
  parseObjectKey,
  refOf,
  type KubeObject,
  type Live,
  type ObjectRef,
} from "../client/object.ts";
import type { Clock } from "../clock.ts";
import { specChanged, type Mapper, type Predicate } from "./enqueue.ts";
import type { Informer } from "../cache/informer.ts";
import type { Logger } from "../logger.ts";
import type { ControllerMetrics, ReconcileOutcome, RuntimeMetrics } from "../metrics.ts";
import { Priority, WorkQueue } from "../queue/queue.ts";
import { EventLoopYield } from "./event-loop-yield.ts";
import type { WriteTracker } from "../cache/write-tracker.ts";

export interface ReconcileContext {
  /** Aborted when the process must stop now, or leadership is lost. */
  readonly signal: AbortSignal;
  /** Carries controller, namespace, name and reconcileID. */
  readonly log: Logger;
}

export interface ReconcileResult {
  /** Reconcile again after this long, without counting as a failure. An earlier event comes first. */
  readonly requeueAfterSeconds?: number | undefined;
}

export interface Reconciler {
  /** Makes the world match the object that `request` names, or what is left of it if it is gone. */
  reconcile(request: ObjectRef, context: ReconcileContext): Promise<ReconcileResult>;
}

export interface RunSignals {
  /** Take on nothing more; finish what is in hand. */
  readonly stop: AbortSignal;
  /** Abandon what is in hand. */
  readonly abort: AbortSignal;
}

export interface ControllerOptions {
  readonly name: string;
  readonly reconciler: Reconciler;
  /** Default 4. */
  readonly workers?: number | undefined;
  readonly tracker?: WriteTracker | undefined;
  /** Abandon what is in hand at `stop`: for what only reads, and may wait for others. Default false. */
  readonly abandonOnStop?: boolean | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: RuntimeMetrics;
  /** A short unique id for the log lines of one reconcile. */
  readonly newId: () => string;
}

const foreignStatusMs = 1000;

export class Controller {
  readonly name: string;
  readonly queue: WorkQueue;
  readonly #options: ControllerOptions;
  readonly #workers: number;
  readonly #log: Logger;
  readonly #metrics: ControllerMetrics;
  readonly #eventLoop: EventLoopYield;

  constructor(options: ControllerOptions) {
    const { name, clock, logger, metrics, workers = 4 } = options;
    this.name = name;
    this.#options = options;
    this.#workers = workers;
    this.#log = logger.child({ controller: name });
    this.#metrics = metrics.controller(name, workers);
    this.#eventLoop = new EventLoopYield(clock);
    this.queue = new WorkQueue({ clock, metrics: metrics.queue(name) });
    metrics.beforeCollect(() => this.queue.measure());
  }

  /** Reconciles what `map` names whenever an object of the informer changes, before or after it did. */
  watch<T extends KubeObject>(
    informer: Informer<T>,
    map: Mapper<T>,
    options: { readonly predicate?: Predicate<T> } = {},
  ): this {
    const { predicate } = options;
    informer.onChange((change, { initial }) => {
      if (predicate !== undefined && !predicate(change)) return;
      const priority = initial ? Priority.initial : Priority.normal;
      for (const ref of map(change.object)) this.queue.add(objectKey(ref), { priority });
      if (change.type !== "updated") return;
      for (const ref of map(change.previous)) this.queue.add(objectKey(ref), { priority });
    });
    return this;
  }

  /**
   * Reconciles an object whose status somebody else has changed, a second later: two who write one status must not make
   * each other do so at once, again and again.
   * @param isOwn whether a version of an object comes of our own write of its status
   */
  watchStatus<T extends KubeObject>(informer: Informer<T>, isOwn: (object: Live<T>) => boolean): this {
    informer.onChange((change) => {
      if (change.type !== "updated" || specChanged(change) || isOwn(change.object)) return;
      this.queue.add(objectKey(refOf(change.object)), { afterMs: foreignStatusMs });
    });
    return this;
  }

  /** Reconciles an object for a reason that no cache knows, e.g. a measurement. */
  enqueue(ref: ObjectRef): void {
    this.queue.add(objectKey(ref));
  }

  async run(signals: RunSignals): Promise<void> {
    const stopped = AbortSignal.any([signals.stop, signals.abort]);
    const stop = (): void => this.queue.stop();
    if (stopped.aborted) stop();
    stopped.addEventListener("abort", stop, { once: true });
    this.#log.debug("starting workers", { workers: this.#workers });
    const abort = this.#options.abandonOnStop === true ? signals.stop : signals.abort;
    const workers = Array.from({ length: this.#workers }, () => this.#work(abort));
    await Promise.all(workers);
    this.#log.debug("all workers have ended");
  }

  async #work(abort: AbortSignal): Promise<void> {
    for (let key = await this.queue.take(); key !== undefined; key = await this.queue.take()) {
      const busy = key;
      this.#metrics.activeWorkers.inc();
      try {
        const pending = this.#options.tracker?.pending(busy);
        if (pending === undefined) {
          await this.#reconcile(busy, abort);
        } else {
          this.#metrics.staleSkips.inc();
          pending.whenSeen(() => this.queue.add(busy));
        }
      } finally {
        this.#metrics.activeWorkers.inc(-1);
        this.queue.done(busy);
      }
      if (this.#eventLoop.isDue) await this.#eventLoop.giveWay();
    }
  }

  async #reconcile(key: string, abort: AbortSignal): Promise<void> {
    const { clock, newId, reconciler } = this.#options;
    const request = parseObjectKey(key);
    const log = this.#log.child({ ...request, reconcileID: newId() });
    const startedMs = clock.monotonic();
    let outcome: ReconcileOutcome;
    try {
      const { requeueAfterSeconds } = await reconciler.reconcile(request, { signal: abort, log });
      this.queue.forget(key);
      outcome = requeueAfterSeconds === undefined ? "success" : "requeue_after";
      if (requeueAfterSeconds !== undefined) {
        // Zero or less means at once, yet after whatever else waits.
        this.queue.add(key, { afterMs: Math.max(requeueAfterSeconds * 1000, 1) });
      }
    } catch (error) {
      if (abort.aborted) return;
      outcome = "error";
      this.#fail(key, error, log);
    }
    const tookMs = clock.monotonic() - startedMs;
    this.#metrics.total[outcome].inc();
    this.#metrics.timeSeconds.observe(tookMs / 1000);
    log.debug("reconciled", { outcome, tookMs: Math.round(tookMs * 1000) / 1000 });
  }

  #fail(key: string, error: unknown, log: Logger): void {
    this.#metrics.errors.inc();
    if (isProgrammingError(error)) this.#metrics.panics.inc();
    const failures = this.queue.failures(key) + 1;
    // A conflict is the normal outcome of a race: the cache is about to say what it lost against.
    log[isConflict(error) ? "debug" : "error"]("reconcile failed; trying again", { error, failures });
    this.queue.addRateLimited(key);
  }
}

/** What Go would call a panic: a mistake of ours rather than a state of the world. */
function isProgrammingError(error: unknown): boolean {
  return (
    !(error instanceof Error) ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError
  );
}
