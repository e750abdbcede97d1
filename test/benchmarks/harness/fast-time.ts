// Time that passes faster, for both sides: the operator's clock, and what the API server does by its own clock (ending
// watches, sending bookmarks), so that minutes at rest take seconds and nothing notices but who looks at a real clock.
import type { WatchOptions } from "../../../src/kube-runtime/client/client.ts";
import {
  HttpKubeClient,
  type HttpClientOptions,
} from "../../../src/kube-runtime/connection/http/http-client.ts";
import type { KubeConnection } from "../../../src/kube-runtime/connection/http/connection.ts";
import type { KubeObject } from "../../../src/kube-runtime/client/object.ts";
import type { ResourceType } from "../../../src/kube-runtime/client/resource.ts";
import type { WatchEvent } from "../../../src/kube-runtime/connection/http/watch.ts";
import { sleepOn, systemClock, type CancelTimer, type Clock } from "../../../src/kube-runtime/clock.ts";

/** The system's clock, so many times as fast. */
export class FastClock implements Clock {
  readonly #factor: number;
  readonly #startedAtMs = Date.now();

  constructor(factor: number) {
    this.#factor = factor;
  }

  now(): number {
    return this.#startedAtMs + (Date.now() - this.#startedAtMs) * this.#factor;
  }

  monotonic(): number {
    return systemClock.monotonic() * this.#factor;
  }

  setTimeout(callback: () => void, ms: number): CancelTimer {
    return systemClock.setTimeout(callback, ms / this.#factor);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }
}

/** How often API servers send bookmarks, about. */
const bookmarkSeconds = 60;

/** A client whose API server seems to live on the fast clock. */
export class FastKubeClient extends HttpKubeClient {
  readonly #factor: number;
  readonly #clock: Clock;

  constructor(connection: KubeConnection, options: HttpClientOptions, factor: number, clock: Clock) {
    super(connection, { ...options, sleep: async (ms, signal) => clock.sleep(ms, signal) });
    this.#factor = factor;
    this.#clock = clock;
  }

  override async *watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { timeoutSeconds } = options;
    const events = super.watch(type, {
      ...options,
      ...(timeoutSeconds === undefined
        ? {}
        : { timeoutSeconds: Math.max(1, Math.ceil(timeoutSeconds / this.#factor)) }),
    });
    let { resourceVersion } = options;
    let next = events.next();
    try {
      for (;;) {
        const event = await this.#eventOrBookmark(next);
        if (event === undefined) {
          // Everything up to the last event has been delivered: what a bookmark says.
          yield { type: "BOOKMARK", resourceVersion };
          continue;
        }
        if (event.done === true) return;
        const { value } = event;
        resourceVersion =
          value.type === "BOOKMARK" ? value.resourceVersion : value.object.metadata.resourceVersion;
        yield value;
        next = events.next();
      }
    } finally {
      await events.return();
    }
  }

  /** The next event; undefined when a bookmark is due before. */
  async #eventOrBookmark<E>(next: Promise<E>): Promise<E | undefined> {
    const due = Promise.withResolvers<undefined>();
    const cancel = this.#clock.setTimeout(() => due.resolve(undefined), bookmarkSeconds * 1000);
    try {
      return await Promise.race([next, due.promise]);
    } finally {
      cancel();
    }
  }
}
