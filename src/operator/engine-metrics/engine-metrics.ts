// The one place that asks engines for their metrics, for all subscribers: the report of the KV cache asks one pod
// once, the autoscaler asks all pods of what it scales every few seconds.
//
// Guarantees
// - Nothing is asked unless a subscriber wants it, and of one pod at most one page at a time, however many want it.
// - Requests a second, requests in flight, bytes of a page and time for it are bounded, over all subscribers.
// - A pod that hangs holds up no other one; one that fails is asked less and less often; one that is gone is forgotten.
// - After `stop` nothing is asked any more, and `run` returns when everything under way has ended.
// Assumptions
// - `fetchText` ends within its time-out, and does not follow where a pod sends it.
import { maxMetricsPageBytes, readMetricsPage } from "@llama-operator/llama/engines";
import type { Clock, Logger } from "@llama-operator/kube-runtime";
import type { FetchText } from "@llama-operator/kube-runtime/http";
import type { Runnable } from "@llama-operator/kube-runtime/process";
import { MetricsRefused, type EngineTarget, type Scrape } from "./engine-target.ts";
import { LoadSubscription, type LoadRequest } from "./load-subscription.ts";
import { RequestBudget, type RequestLimits } from "./request-budget.ts";

/** An engine answers in milliseconds, also under load: its API server makes the page. Then it hangs. */
const timeoutMs = 3000;

const limits: RequestLimits = {
  /** A page costs about 1 ms of processor time (0.2 ms to read 33 kB, the rest the request): a fifth of a core. */
  perSecond: 200,
  /** A round over one large LlamaDeployment. */
  burst: 50,
  /** Healthy engines need two; as many pods that hang take 3 s. Pages of all are at most 128 MiB. */
  inFlight: 64,
};

/** A page on its way, for everybody who wanted it meanwhile. */
interface AwaitedPage {
  readonly scrape: Promise<Scrape>;
  readers: number;
  /** Nobody wants it any more. */
  readonly abandon: AbortController;
}

export interface EngineMetricsOptions {
  readonly fetchText: FetchText;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

export class EngineMetrics implements Runnable {
  readonly name = "engine-metrics";
  readonly #options: EngineMetricsOptions;
  readonly #budget: RequestBudget;
  /** Pages that are wanted and not read yet, by pod and address. */
  readonly #awaited = new Map<string, AwaitedPage>();
  readonly #subscriptions = new Set<LoadSubscription>();
  readonly #stopped = new AbortController();

  constructor(options: EngineMetricsOptions) {
    this.#options = options;
    this.#budget = new RequestBudget(limits, options.clock);
  }

  /** Ends with `stop` and with it everything that was wanted; until then others do the work. */
  async run({ stop }: { readonly stop: AbortSignal }): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (stop.aborted) resolve();
    stop.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    this.#stopped.abort(new Error("stopping"));
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.end()));
    await Promise.allSettled([...this.#awaited.values()].map(({ scrape }) => scrape));
  }

  /**
   * One page of one engine, now.
   * @throws MetricsRefused, PageError or MetricsPageError where there is no such page, or the signal's reason
   */
  async read(target: EngineTarget, signal: AbortSignal): Promise<Scrape> {
    signal.throwIfAborted();
    const awaited = this.#await(target);
    awaited.readers += 1;
    try {
      return await unlessAborted(awaited.scrape, signal);
    } finally {
      awaited.readers -= 1;
      if (awaited.readers === 0) awaited.abandon.abort(new Error("nobody wants this page any more"));
    }
  }

  /** The load of a changing set of pods, every few seconds, until the subscription ends. */
  subscribe(request: LoadRequest): LoadSubscription {
    this.#stopped.signal.throwIfAborted();
    const subscription: LoadSubscription = new LoadSubscription({
      ...this.#options,
      request,
      read: this.read.bind(this),
      onEnd: () => this.#subscriptions.delete(subscription),
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** The page that is on its way already, or a new one. */
  #await(target: EngineTarget): AwaitedPage {
    const key = `${target.pod} ${target.address}`;
    const known = this.#awaited.get(key);
    if (known?.abandon.signal.aborted === false) return known;
    const abandon = new AbortController();
    const scrape = this.#ask(target, abandon.signal).finally(() => {
      if (this.#awaited.get(key) === awaited) this.#awaited.delete(key);
    });
    const awaited: AwaitedPage = { scrape, readers: 0, abandon };
    this.#awaited.set(key, awaited);
    return awaited;
  }

  async #ask({ address, engine }: EngineTarget, abandoned: AbortSignal): Promise<Scrape> {
    const { fetchText, clock } = this.#options;
    const { port, metricsPath: path } = engine.serving;
    const signal = AbortSignal.any([this.#stopped.signal, abandoned]);
    const request = { address, port, path, timeoutMs, maxBytes: maxMetricsPageBytes, signal };
    const { status, text } = await this.#budget.spend(async () => fetchText(request), signal);
    if (status !== 200) throw new MetricsRefused(status);
    return { page: readMetricsPage(text, engine.metricNames), atMs: clock.monotonic() };
  }
}

/** The promise's value; what it waits for goes on for others when this caller's signal is aborted. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
