// One life of the operator on a given client and clock: the only file of the simulation that knows how an operator is
// wired. A life ends in order, or at once, as by SIGKILL: then nothing of it runs or is answered any more.
import { noMetrics, RuntimeMetrics, type Clock, type Logger } from "@llama-operator/kube-runtime";
import { Cache } from "@llama-operator/kube-runtime/cache";
import type { GetPage } from "@llama-operator/kube-runtime/http";
import { EventRecorder, Manager } from "@llama-operator/kube-runtime/process";
import type { InMemoryKubeClient } from "@llama-operator/kube-runtime/testing";
import { makeOperator } from "../operator.ts";

export interface OperatorLife {
  /** What ended it, where it was not one of the two below. */
  readonly failure: unknown;
  /** Ends in order. */
  stop(): Promise<void>;
  /** Ends at once. */
  kill(): void;
}

export interface OperatorLifeOptions {
  readonly client: InMemoryKubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly getPage: GetPage | undefined;
}

export function startOperatorLife(options: OperatorLifeOptions): OperatorLife {
  const { client, random, logger, getPage } = options;
  const clock = new LifeClock(options.clock);
  const metrics = new RuntimeMetrics(noMetrics);
  const shared = { client, clock, random, logger, metrics };
  const cache = new Cache(shared);
  const recorder = new EventRecorder({
    ...shared,
    controller: "llama-operator.dev/operator",
    instance: "simulated",
  });
  let serial = 0;
  const { controllers } = makeOperator({
    ...shared,
    cache,
    recorder,
    registry: noMetrics,
    ...(getPage === undefined ? {} : { getPage }),
    measuredOverheads: [],
    newId: () => String((serial += 1)),
    workers: 4,
  });
  const stop = new AbortController();
  let failure: unknown;
  const ended = new Manager({ cache, recorder, leading: controllers, clock, logger })
    .run(stop.signal)
    .catch((error: unknown) => {
      failure = error;
    });
  return {
    get failure() {
      return failure;
    },
    async stop() {
      stop.abort(new Error("stopping"));
      await ended;
      client.close();
      clock.end();
    },
    kill() {
      client.close();
      clock.end();
    },
  };
}

/** A clock whose timers end with the life that set them. */
class LifeClock implements Clock {
  readonly #clock: Clock;
  readonly #cancels = new Set<() => void>();
  #ended = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimeout(callback: () => void, ms: number): () => void {
    if (this.#ended) return () => undefined;
    const cancel = this.#clock.setTimeout(() => {
      this.#cancels.delete(cancel);
      callback();
    }, ms);
    this.#cancels.add(cancel);
    return () => {
      this.#cancels.delete(cancel);
      cancel();
    };
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cancel = this.setTimeout(resolve, ms);
    const abort = (): void => reject(signal?.reason as Error);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await promise;
    } finally {
      cancel();
      signal?.removeEventListener("abort", abort);
    }
  }

  end(): void {
    this.#ended = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }
}
