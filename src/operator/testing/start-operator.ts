// One life of the operator on a given client and clock: the only file of the simulation that knows how an operator is
// wired. A life ends in order, or at once, as by SIGKILL: then nothing of it runs or is answered any more.
import { noMetrics, type Clock, type Logger } from "@llama-operator/kube-runtime";
import type { FetchText } from "@llama-operator/kube-runtime/http";
import type { InMemoryKubeClient } from "@llama-operator/kube-runtime/testing";
import { operatorConfig } from "../config.ts";
import type { PlanningSources } from "../admission/review.ts";
import { composeOperator } from "../start.ts";

export interface OperatorLife {
  /** What ended it, where it was not one of the two below. */
  readonly failure: unknown;
  /** What its webhook plans with. */
  readonly planning: PlanningSources;
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
  /** How engines are asked; where it is left out, they are not. */
  readonly fetchText: FetchText | undefined;
}

export function startOperatorLife(options: OperatorLifeOptions): OperatorLife {
  const { client, random, logger, fetchText } = options;
  const clock = new LifeClock(options.clock);
  let serial = 0;
  const config = operatorConfig.parse({
    leaderElect: false,
    healthPort: null,
    metricsPort: null,
    engineReports: fetchText !== undefined,
    workers: 4,
  });
  const operator = composeOperator(config, {
    newClient: () => client,
    namespace: "llama-operator",
    identity: "simulated",
    replica: "simulated",
    clock,
    random,
    newId: () => String((serial += 1)),
    logger,
    registry: noMetrics,
    fetchText: fetchText ?? (async () => ({ status: 503, text: "" })),
    measuredOverheads: [],
  });
  const stop = new AbortController();
  let failure: unknown;
  const ended = operator.run(stop.signal).catch((error: unknown) => {
    failure = error;
  });
  return {
    get failure() {
      return failure;
    },
    planning: operator.planning,
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
