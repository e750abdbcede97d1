// The informers of a process, one for each kind: asking for a kind twice gives the same one.
import type { KubeClient } from "../client/client.ts";
import type { KubeObject } from "../client/object.ts";
import { resourceName, type ResourceType } from "../client/resource.ts";
import type { Clock } from "../clock.ts";
import { Informer, type InformerOptions } from "./informer.ts";
import type { Logger } from "../logger.ts";
import type { RuntimeMetrics } from "../metrics.ts";
import { Semaphore } from "./semaphore.ts";

export interface CacheDependencies {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: RuntimeMetrics;
}

/** The API server encodes pages one after another on few processors; more at once would only be more memory. */
const pagesAtOnce = 1;

export class Cache {
  readonly #dependencies: CacheDependencies;
  readonly #listing = new Semaphore(pagesAtOnce);
  readonly #informers = new Map<string, Informer<KubeObject>>();

  constructor(dependencies: CacheDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Declares the informer of a kind, before the cache runs.
   * @throws RangeError when the kind has one: indexes and trimming are decided in one place.
   */
  add<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
    const key = cacheKey(options.type);
    if (this.#informers.has(key)) throw new RangeError(`${key} is cached already`);
    const metrics = this.#dependencies.metrics.cache(resourceName(options.type));
    const informer = new Informer(options, { ...this.#dependencies, listing: this.#listing, metrics });
    // Informers are read through `of`, which gives each kind its own type back.
    this.#informers.set(key, informer as unknown as Informer<KubeObject>);
    return informer;
  }

  /** @throws RangeError for a kind that was not declared */
  of<T extends KubeObject>(type: ResourceType<T>): Informer<T> {
    const informer = this.find(type);
    if (informer === undefined) throw new RangeError(`${cacheKey(type)} is not cached`);
    return informer;
  }

  find<T extends KubeObject>(type: ResourceType<T>): Informer<T> | undefined {
    return this.#informers.get(cacheKey(type)) as unknown as Informer<T> | undefined;
  }

  get hasSynced(): boolean {
    return [...this.#informers.values()].every((informer) => informer.hasSynced);
  }

  /** The kinds that have not been listed yet, for a message about what is being waited for. */
  get unsynced(): readonly string[] {
    return [...this.#informers].filter(([, informer]) => !informer.hasSynced).map(([key]) => key);
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.waitForSync(signal)));
  }

  /** Runs every informer until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.run(signal)));
  }
}

const cacheKey = (type: ResourceType): string => `${resourceName(type)}/${type.version}`;
