// Keeps a sink equal to what the API server has of one kind: list, then watch, for ever. The rules are client-go's
// (tools/cache/reflector.go), with kube-rs's cut of silent watches.
//
// Guarantees
// - What the sink holds is a state that the API server had, or a mix of two states on the way to the newer one;
//   after any fault it converges by itself.
// - Lists come in pages of about half a megabyte, each trimmed before the next is asked for: memory and stalls stay bounded.
// - A watch that says nothing for 120 s is cut (bookmarks come about once a minute, so silence is a dead
//   connection). A watch that is lost otherwise than by its own timeout is resumed only after the server has
//   shown that its resourceVersion has not gone back; if it has (etcd restored from a backup), all is listed again.
// - An optional kind that is not served counts as empty, and as absent, not as failing; it comes alive by itself.
// Assumptions
// - resourceVersions are integers that grow within the kind (Kubernetes 1.35 and later).
// Caveats
// - Events between a break and a relist are merged: two changes may be seen as one. Reconcilers are level-triggered.
// - Streaming lists (sendInitialEvents) are not used: pages bound the memory of both sides and work everywhere.
import type { KubeClient } from "../client/client.ts";
import { ApiError, isExpired, isNotFound } from "../client/errors.ts";
import type { KubeObject, Live } from "../client/object.ts";
import { resourceName, type ResourceType } from "../client/resource.ts";
import { compareResourceVersions } from "../client/resource-version.ts";
import { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { CacheMetrics } from "../metrics.ts";
import { SharedStrings } from "./shared-strings.ts";
import type { Semaphore } from "./semaphore.ts";

/** Where a reflector puts what it sees. Methods are synchronous and must not throw. */
export interface ReflectorSink<T extends KubeObject> {
  /** The whole list; `regressed` when its resourceVersion is older than what was seen before. */
  replace(objects: readonly Live<T>[], resourceVersion: string, regressed: boolean): void;
  put(object: Live<T>): void;
  remove(object: Live<T>): void;
  /** Everything up to this resourceVersion has been delivered. */
  progress(resourceVersion: string): void;
  /** The kind is not served; the sink should be as after an empty list. */
  absent(): void;
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly type: ResourceType<T>;
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** The kind may be missing: its CRD absent, late or removed. */
  readonly optional?: boolean | undefined;
  /** Cuts an object down to what is used, before it is kept. */
  readonly trim: (object: Live<T>) => Live<T>;
  /** Shared by all kinds of a process: so many pages are in memory at once. */
  readonly listing: Semaphore;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: CacheMetrics;
}

const retryBackoff = { initialMs: 800, maxMs: 30_000, resetAfterMs: 120_000 } as const;
const watchSilenceMs = 120_000;
/** The server is asked to end a watch after five to ten minutes, so that watches spread over API servers again. */
const watchTimeoutSeconds = { min: 300, spread: 300 } as const;
/** How often an absent kind is looked for. One small request of discovery, and the user who installs a CRD waits for it. */
const absentBackoff = { initialMs: 5000, maxMs: 30_000, resetAfterMs: 600_000, jitter: 0 } as const;

/** Enough for what a kind's objects have in common, among names and times that they have not. */
const stringsOfEvents = 5000;

export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #sink: ReflectorSink<T>;
  readonly #log: Logger;
  readonly #backoff: Backoff;
  readonly #absentBackoff: Backoff;
  /** Of events; a list has its own, which goes with it. */
  readonly #strings = new SharedStrings(stringsOfEvents);
  /** Where the next watch starts; undefined when a list is needed. */
  #resourceVersion: string | undefined;
  /** The newest seen, to notice that the server has gone back. */
  #newest: string | undefined;
  /** A watch was lost: the server must show that it has not gone back before the watch is resumed. */
  #doubted = false;

  constructor(options: ReflectorOptions<T>, sink: ReflectorSink<T>) {
    this.#options = options;
    this.#sink = sink;
    this.#log = options.logger.child({ resource: resourceName(options.type) });
    this.#backoff = new Backoff(retryBackoff, options.clock, options.random);
    this.#absentBackoff = new Backoff(absentBackoff, options.clock, options.random);
  }

  /** Runs until the signal is aborted; faults are logged, counted and overcome. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.#step(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    try {
      if (this.#doubted && this.#resourceVersion !== undefined) await this.#verify(signal);
      this.#resourceVersion ??= await this.#list(signal);
      await this.#watch(this.#resourceVersion, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      await this.#recover(error, signal);
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { client, type, trim, metrics, listing } = this.#options;
    metrics.lists.inc();
    const kept: Live<T>[] = [];
    const strings = new SharedStrings();
    let resourceVersion = "";
    const pages = client.pages(type, { ...this.#selection(), signal })[Symbol.asyncIterator]();
    /** Gets a page and trims it; false when there is none left. */
    const nextPage = async (): Promise<boolean> => {
      const { done, value: page } = await pages.next();
      if (done === true) return false;
      for (const object of page.items) {
        const trimmed = trim(object);
        strings.share(trimmed);
        kept.push(trimmed);
      }
      ({ resourceVersion } = page);
      return true;
    };
    while (await listing.run(nextPage));
    const regressed =
      this.#newest !== undefined && compareResourceVersions(resourceVersion, this.#newest) < 0;
    if (regressed) {
      this.#log.warn("resourceVersion went back: the API server's store was restored", {
        from: this.#newest,
        to: resourceVersion,
      });
    }
    this.#newest = resourceVersion;
    this.#doubted = false;
    this.#absentBackoff.reset();
    this.#sink.replace(kept, resourceVersion, regressed);
    this.#log.debug("listed", { objects: kept.length, resourceVersion });
    return resourceVersion;
  }

  /** One watch, from `resourceVersion` until the server ends it. */
  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { client, type, clock, random, metrics } = this.#options;
    const timeoutSeconds = Math.round(watchTimeoutSeconds.min + random() * watchTimeoutSeconds.spread);
    const startedMs = clock.monotonic();
    const cut = new AbortController();
    const silent = (): void => cut.abort(new Error(`no event or bookmark for ${watchSilenceMs / 1000} s`));
    let cancelSilence = clock.setTimeout(silent, watchSilenceMs);
    metrics.watches.inc();
    try {
      const events = client.watch(type, {
        ...this.#selection(),
        resourceVersion,
        timeoutSeconds,
        signal: AbortSignal.any([signal, cut.signal]),
      });
      for await (const event of events) {
        cancelSilence();
        cancelSilence = clock.setTimeout(silent, watchSilenceMs);
        if (event.type === "BOOKMARK") this.#advance(event.resourceVersion);
        else this.#deliver(event.type, event.object);
      }
    } finally {
      cancelSilence();
    }
    const livedMs = clock.monotonic() - startedMs;
    if (livedMs < timeoutSeconds * 1000 - 1000) throw new WatchEndedEarly(livedMs);
  }

  #deliver(type: "ADDED" | "MODIFIED" | "DELETED", object: Live<T>): void {
    const { trim, metrics } = this.#options;
    const { resourceVersion } = object.metadata;
    metrics.events.inc();
    if (this.#newest !== undefined && compareResourceVersions(resourceVersion, this.#newest) < 0) {
      throw new WentBack(resourceVersion, this.#newest);
    }
    const trimmed = trim(object);
    this.#strings.share(trimmed);
    if (type === "DELETED") this.#sink.remove(trimmed);
    else this.#sink.put(trimmed);
    this.#advance(resourceVersion);
  }

  #advance(resourceVersion: string): void {
    if (this.#newest !== undefined && compareResourceVersions(resourceVersion, this.#newest) < 0) {
      throw new WentBack(resourceVersion, this.#newest);
    }
    this.#newest = resourceVersion;
    this.#resourceVersion = resourceVersion;
    this.#sink.progress(resourceVersion);
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, metrics, optional } = this.#options;
    if (isExpired(error) || error instanceof WentBack) {
      this.#log.debug("listing again", { error });
      this.#resourceVersion = undefined;
      // Not at once: a server whose every watch expires would be listed in a loop.
      await clock.sleep(this.#backoff.nextMs(), signal);
      return;
    }
    if (optional === true && isNotFound(error)) {
      await this.#awaitServed(signal);
      return;
    }
    metrics.failures.inc();
    const retryAfterMs = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const waitMs = Math.max(this.#backoff.nextMs(), retryAfterMs);
    const early = error instanceof WatchEndedEarly;
    this.#log[early ? "debug" : "warn"]("list or watch failed; trying again", {
      error,
      waitMs: Math.round(waitMs),
    });
    this.#doubted = true;
    await clock.sleep(waitMs, signal);
  }

  /**
   * A watch from a resourceVersion that the server has not reached yet delivers nothing, not even bookmarks. One
   * object is listed to learn where the server is.
   */
  async #verify(signal: AbortSignal): Promise<void> {
    const { client, type } = this.#options;
    for await (const page of client.pages(type, { ...this.#selection(), limit: 1, signal })) {
      const seen = this.#newest;
      if (seen !== undefined && compareResourceVersions(page.resourceVersion, seen) < 0) {
        this.#resourceVersion = undefined;
      }
      this.#doubted = false;
      return;
    }
  }

  async #awaitServed(signal: AbortSignal): Promise<void> {
    const { client, type, clock } = this.#options;
    this.#log.info("kind is not served; waiting for it");
    this.#resourceVersion = undefined;
    this.#sink.absent();
    do {
      await clock.sleep(this.#absentBackoff.nextMs(), signal);
    } while (!(await client.serves(type, { signal }).catch(() => false)));
  }

  #selection(): { namespace?: string; labelSelector?: string; fieldSelector?: string } {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
  }
}

/** The server ended a watch before the time it was asked to: it is restarting, or the kind has gone. */
class WatchEndedEarly extends Error {
  override readonly name = "WatchEndedEarly";

  constructor(livedMs: number) {
    super(`the server ended the watch after ${Math.round(livedMs)} ms`);
  }
}

/** An event is older than what was seen: the server's store is not the one it was. */
class WentBack extends Error {
  override readonly name = "WentBack";

  constructor(got: string, newest: string) {
    super(`resourceVersion ${got} after ${newest}`);
  }
}
