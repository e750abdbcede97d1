// One shared cache of one kind: a reflector that fills a store, and the handlers that hear of changes.
//
// Guarantees
// - `hasSynced` is true only when the first list is in the store and every handler has been told of it.
// - A handler that throws is logged and counted; neither the other handlers nor the watch notice.
// - A handler added late is told of everything that is there, as of an initial list.
// - The store is changed before handlers run: they, and reconcilers they wake, see the change.
import type { KubeClient } from "../client/client.ts";
import { isTerminating, refOf, type KubeObject, type Live, type LiveMeta } from "../client/object.ts";
import { compareResourceVersions, newerResourceVersion } from "../client/resource-version.ts";
import { resourceName, type ResourceType } from "../client/resource.ts";
import { orAborted } from "../abort.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { CacheMetrics } from "../metrics.ts";
import { Reflector, type ReflectorSink } from "./reflector.ts";
import type { Semaphore } from "./semaphore.ts";
import { ObjectStore, type IndexFunction, type Store, type StoreChange } from "./store.ts";

export type ChangeHandler<T extends KubeObject> = (
  change: StoreChange<T>,
  /** `initial`: part of a list rather than news; worth doing after whatever has just changed. */
  context: { readonly initial: boolean },
) => void;

export interface InformerOptions<T extends KubeObject> {
  readonly type: ResourceType<T>;
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** The kind may be missing: its CRD absent, late or removed. It then counts as synced and empty. */
  readonly optional?: boolean | undefined;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>> | undefined;
  /**
   * Cuts an object down to the fields that are read. `managedFields` and kubectl's copy of what was last applied
   * are gone already. A kind that is applied must keep whatever is applied, or each pass looks like drift.
   */
  readonly trim?: ((object: Live<T>) => Live<T>) | undefined;
}

export interface InformerDependencies {
  readonly client: KubeClient;
  /** Shared by all informers of a process. */
  readonly listing: Semaphore;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: CacheMetrics;
}

export class Informer<T extends KubeObject> {
  readonly type: ResourceType<T>;
  readonly #store: ObjectStore<T>;
  readonly #reflector: Reflector<T>;
  readonly #handlers: ChangeHandler<T>[] = [];
  readonly #log: Logger;
  readonly #metrics: CacheMetrics;
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;
  #served = true;
  #resourceVersion: string | undefined;
  #epoch = 0;
  /** Ordered by resourceVersion, oldest first. */
  #versionWaiters: { readonly resourceVersion: string; readonly callback: () => void }[] = [];
  /** Those who wait for an object to be gone; few at a time. */
  #deletionWaiters: { readonly object: Live<KubeObject>; readonly callback: () => void }[] = [];

  constructor(options: InformerOptions<T>, dependencies: InformerDependencies) {
    const { type, indexes, trim } = options;
    this.type = type;
    this.#store = new ObjectStore(indexes);
    this.#log = dependencies.logger.child({ resource: resourceName(type) });
    this.#metrics = dependencies.metrics;
    this.#reflector = new Reflector(
      { ...dependencies, ...options, trim: (object) => (trim ?? keepAll)(dropNoise(object)) },
      this.#sink(),
    );
  }

  get store(): Store<T> {
    return this.#store;
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** False while an optional kind is missing on the API server. */
  get served(): boolean {
    return this.#served;
  }

  /**
   * Grows when the API server's store was set back: resourceVersions from before then mean nothing.
   */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether everything up to this resourceVersion of the kind is in the store. */
  hasSeen(resourceVersion: string): boolean {
    return (
      this.#resourceVersion !== undefined &&
      compareResourceVersions(this.#resourceVersion, resourceVersion) >= 0
    );
  }

  /** Calls back once `hasSeen(resourceVersion)`, or once resourceVersions from before have lost their meaning. */
  whenSeen(resourceVersion: string, callback: () => void): void {
    // Writes come back in about the order of their resourceVersions: the place is nearly always the end.
    let at = this.#versionWaiters.length;
    for (
      let before = this.#versionWaiters[at - 1];
      before !== undefined;
      before = this.#versionWaiters[at - 1]
    ) {
      if (compareResourceVersions(before.resourceVersion, resourceVersion) <= 0) break;
      at -= 1;
    }
    this.#versionWaiters.splice(at, 0, { resourceVersion, callback });
    this.#wake();
  }

  /** Whether an object that was seen is gone since, or on its way out. */
  hasLost(object: Live<KubeObject>): boolean {
    const live = this.#store.get(refOf(object));
    return live?.metadata.uid !== object.metadata.uid || isTerminating(live);
  }

  /** Calls back once `hasLost(object)`. */
  whenLost(object: Live<KubeObject>, callback: () => void): void {
    if (this.hasLost(object)) callback();
    else this.#deletionWaiters.push({ object, callback });
  }

  onChange(handler: ChangeHandler<T>): void {
    this.#handlers.push(handler);
    for (const object of this.#store.list()) this.#call(handler, { type: "added", object }, true);
  }

  /** Resolves at the first sync. @throws the signal's reason */
  async waitForSync(signal: AbortSignal): Promise<void> {
    await orAborted(this.#synced.promise, signal);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#reflector.run(signal);
  }

  #sink(): ReflectorSink<T> {
    return {
      replace: (objects, resourceVersion, regressed) => {
        if (regressed) this.#startEpoch();
        this.#served = true;
        this.#resourceVersion = resourceVersion;
        for (const change of this.#store.replace(objects)) this.#announce(change, true);
        this.#settled();
      },
      put: (object) => this.#announce(this.#store.put(object), false),
      remove: (object) => this.#announce(this.#store.remove(object), false),
      progress: (resourceVersion) => {
        this.#resourceVersion = newerResourceVersion(this.#resourceVersion, resourceVersion);
        this.#wake();
      },
      absent: () => {
        this.#served = false;
        this.#startEpoch();
        for (const change of this.#store.replace([])) this.#announce(change, false);
        this.#settled();
      },
    };
  }

  #settled(): void {
    this.#metrics.objects.set(this.#store.size);
    this.#hasSynced = true;
    this.#synced.resolve();
    this.#wake();
  }

  #startEpoch(): void {
    this.#epoch += 1;
    const waiters = this.#versionWaiters;
    this.#versionWaiters = [];
    for (const { callback } of waiters) callback();
  }

  #wake(): void {
    let seen = 0;
    for (const { resourceVersion } of this.#versionWaiters) {
      if (!this.hasSeen(resourceVersion)) break;
      seen += 1;
    }
    if (seen === 0) return;
    for (const { callback } of this.#versionWaiters.splice(0, seen)) callback();
  }

  #announce(change: StoreChange<T> | undefined, initial: boolean): void {
    if (change === undefined) return;
    if (change.type !== "updated") this.#metrics.objects.set(this.#store.size);
    for (const handler of this.#handlers) this.#call(handler, change, initial);
    if (this.#deletionWaiters.length > 0) this.#wakeDeletionWaiters();
  }

  #wakeDeletionWaiters(): void {
    const lost = this.#deletionWaiters.filter(({ object }) => this.hasLost(object));
    this.#deletionWaiters = this.#deletionWaiters.filter((waiter) => !lost.includes(waiter));
    for (const { callback } of lost) callback();
  }

  #call(handler: ChangeHandler<T>, change: StoreChange<T>, initial: boolean): void {
    try {
      handler(change, { initial });
    } catch (error) {
      this.#metrics.handlerErrors.inc();
      const { namespace, name } = change.object.metadata;
      this.#log.error("an event handler threw", { error, namespace, name });
    }
  }
}

const keepAll = <T extends KubeObject>(object: Live<T>): Live<T> => object;

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** Drops what no controller reads and what makes up a third of an object's bytes. The object is ours: just parsed. */
function dropNoise<T extends KubeObject>(object: Live<T>): Live<T> {
  // Copied without, not deleted from: `delete` would turn the object into a hash table three times the size.
  const { managedFields: _, ...metadata } = object.metadata as LiveMeta & { managedFields?: unknown };
  if (metadata.annotations?.[lastApplied] !== undefined) {
    const { [lastApplied]: __, ...annotations } = metadata.annotations;
    metadata.annotations = annotations;
  }
  return Object.assign(object, { metadata });
}
