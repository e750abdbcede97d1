// Starts and stops the parts of an operator in the only order that is right.
//
// Guarantees
// - Nothing is read or written before `preflight` has said yes; servers and health run already then.
// - Caches are synced before the lease is sought (a warm standby), and the lease is held before a controller runs.
// - Stop: controllers take nothing more, finish what they have within `drainSeconds`, are aborted then; events are
//   sent; the lease is released last, when nothing of ours can write any more; then the caches end.
// - A lost lease aborts everything at once and makes `run` throw: the process must end, and start again from nothing.
// - Whatever part fails first makes `run` throw its error, after an orderly stop.
// Assumptions
// - Events are sent through a fenced client like all else, which is why they go before the lease, not after it.
import { untilAborted } from "../abort.ts";
import type { Cache } from "../cache/cache.ts";
import type { Clock } from "../clock.ts";
import type { RunSignals } from "../controller/controller.ts";
import type { EventRecorder } from "./events.ts";
import { LeadershipLostError, type LeaseElector } from "./lease.ts";
import type { Logger } from "../logger.ts";

/** Something that runs until it is told to stop: a controller, a server, a collector. */
export interface Runnable {
  readonly name: string;
  run(signals: RunSignals): Promise<void>;
}

export interface ManagerOptions {
  readonly cache: Cache;
  /** Without one, this process assumes that it is the only replica. */
  readonly elector?: LeaseElector | undefined;
  readonly recorder?: EventRecorder | undefined;
  /** Throws where this API server cannot be worked with; awaited before the caches list anything. */
  readonly preflight?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Run from the start, on a standby too. */
  readonly always?: readonly Runnable[] | undefined;
  /** Run while leading: what writes. */
  readonly leading: readonly Runnable[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** A cache that has not synced by then ends the process. Default 120. */
  readonly cacheSyncTimeoutSeconds?: number | undefined;
  /** Default 20, so that all is over within a pod's 30 s. */
  readonly drainSeconds?: number | undefined;
}

/** The caches did not sync in time: a missing permission, or a kind that is not installed. */
export class CacheSyncError extends Error {
  override readonly name = "CacheSyncError";
  readonly code = "cache_sync";
}

export class Manager {
  readonly #options: ManagerOptions;
  readonly #log: Logger;

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#log = options.logger;
  }

  /** Runs until `signal` is aborted, and returns after an orderly stop. @throws what ended it otherwise */
  async run(signal: AbortSignal): Promise<void> {
    const parts = new Parts(signal);
    try {
      await this.#start(parts);
    } catch (error) {
      // Stopping while waiting for caches or for the lease is no failure.
      if (!parts.signals.stop.aborted) parts.fail(error);
    } finally {
      await this.#stop(parts);
    }
    if (parts.failure !== undefined) throw parts.failure.error;
  }

  async #start(parts: Parts): Promise<void> {
    const { cache, elector, recorder, preflight, always = [], leading } = this.#options;
    const { stop } = parts.signals;
    for (const runnable of always) parts.writers.push(parts.watch(runnable.run(parts.signals)));
    await preflight?.(stop);
    parts.readers.push(parts.watch(cache.run(parts.end.signal)));
    await this.#syncCaches(stop);
    if (elector !== undefined) {
      await elector.acquire(stop);
      parts.readers.push(parts.watch(elector.hold(parts.end.signal)));
    }
    if (recorder !== undefined) parts.recorder = parts.watch(recorder.run(parts.abort.signal));
    for (const runnable of leading) {
      this.#log.info("starting", { runnable: runnable.name });
      parts.writers.push(parts.watch(runnable.run(parts.signals)));
    }
    await untilAborted(stop);
  }

  async #syncCaches(stop: AbortSignal): Promise<void> {
    const { cache, clock, cacheSyncTimeoutSeconds = 120 } = this.#options;
    const startedMs = clock.monotonic();
    const limit = new AbortController();
    const cancel = clock.setTimeout(() => {
      const kinds = cache.unsynced.join(", ");
      limit.abort(new CacheSyncError(`no list of ${kinds} within ${cacheSyncTimeoutSeconds} s`));
    }, cacheSyncTimeoutSeconds * 1000);
    try {
      await cache.waitForSync(AbortSignal.any([stop, limit.signal]));
      this.#log.info("caches synced", { tookMs: Math.round(clock.monotonic() - startedMs) });
    } finally {
      cancel();
    }
  }

  async #stop(parts: Parts): Promise<void> {
    const { clock, elector, recorder, drainSeconds = 20 } = this.#options;
    parts.stop.abort(new Error("stopping"));
    if (parts.failure?.error instanceof LeadershipLostError) parts.abort.abort(parts.failure.error);
    const cancel = clock.setTimeout(() => {
      this.#log.warn("still busy after the drain time; aborting", { drainSeconds });
      parts.abort.abort(new Error("the drain time is over"));
    }, drainSeconds * 1000);
    await Promise.all(parts.writers);
    cancel();
    if (parts.recorder !== undefined) await recorder?.flush();
    parts.abort.abort(new Error("stopping"));
    await parts.recorder;
    // Renewing ends before releasing, or a renewal could take the lease back.
    parts.end.abort(new Error("stopping"));
    await Promise.all(parts.readers);
    await elector?.release();
    this.#log.info("stopped");
  }
}

/** What runs, and the signals that end it. */
class Parts {
  /** Take on nothing more; what runs hears of it through `signals`. */
  readonly stop = new AbortController();
  /** Abandon what is in hand. */
  readonly abort = new AbortController();
  /** Caches and the lease: outlive whatever writes. */
  readonly end = new AbortController();
  readonly signals: RunSignals;
  readonly writers: Promise<void>[] = [];
  readonly readers: Promise<void>[] = [];
  recorder: Promise<void> | undefined;
  failure: { readonly error: unknown } | undefined;

  /** @param stop stops everything from outside */
  constructor(stop: AbortSignal) {
    this.signals = { stop: AbortSignal.any([stop, this.stop.signal]), abort: this.abort.signal };
  }

  fail(error: unknown): void {
    this.failure ??= { error };
    if (error instanceof LeadershipLostError) this.abort.abort(error);
    this.stop.abort(error);
  }

  /** The part's end, which never rejects: its error stops the others. */
  async watch(part: Promise<void>): Promise<void> {
    try {
      await part;
    } catch (error) {
      this.fail(error);
    }
  }
}
