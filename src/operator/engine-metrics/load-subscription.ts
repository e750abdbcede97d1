// Asks a changing set of pods for their load, again and again, for one subscriber.
import type { EngineLoad } from "@llama-operator/llama/engines";
import type { CancelTimer, Clock, Logger } from "@llama-operator/kube-runtime";
import type { EngineTarget, Scrape } from "./engine-target.ts";

export interface LoadRequest {
  /** Between two pages of one pod. @see shortestPeriodSeconds */
  readonly periodSeconds: number;
  /** The pods whose load is wanted; called before each round, so that pods which are gone leave nothing behind. */
  readonly targets: () => readonly EngineTarget[];
  /** Called with each new sample; must not throw. */
  readonly onSample?: (sample: LoadSample) => void;
}

/** Tokens a second between two pages of one pod. */
export interface TokenRates {
  readonly promptTokensPerSecond: number;
  readonly generationTokensPerSecond: number;
}

export interface LoadSample {
  readonly target: EngineTarget;
  /** Monotonic: how old it is, the reader judges. */
  readonly atMs: number;
  readonly load: EngineLoad;
  /** Absent with a pod's first page, and with the first one after its engine has started again. */
  readonly rates?: TokenRates;
}

/** A replica that serves is decided about every few seconds; asking more often would measure the scheduler's steps. */
const shortestPeriodSeconds = 1;
/** A pod that fails is asked after one period, two, four, … and then this often. */
const longestRetryMs = 60_000;

interface PodState {
  readonly address: string;
  isBeingAsked: boolean;
  failures: number;
  /** Monotonic; after a failure. */
  notBeforeMs: number;
}

export interface LoadSubscriptionOptions {
  readonly request: LoadRequest;
  readonly read: (target: EngineTarget, signal: AbortSignal) => Promise<Scrape>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly onEnd: () => void;
}

export class LoadSubscription {
  readonly #options: LoadSubscriptionOptions;
  readonly #pods = new Map<string, PodState>();
  readonly #samples = new Map<string, LoadSample>();
  readonly #asking = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  #cancelRound: CancelTimer;

  /** @throws RangeError for a period that is too short */
  constructor(options: LoadSubscriptionOptions) {
    const { request, clock, random } = options;
    if (!(request.periodSeconds >= shortestPeriodSeconds)) {
      throw new RangeError(`a period of ${request.periodSeconds} s; at least ${shortestPeriodSeconds} s`);
    }
    this.#options = options;
    // Subscriptions that begin together do not ask together.
    this.#cancelRound = clock.setTimeout(() => this.#round(), random() * request.periodSeconds * 1000);
  }

  /** The last sample of each wanted pod that has answered, by the pod's UID. */
  get samples(): ReadonlyMap<string, LoadSample> {
    return this.#samples;
  }

  /** Asks nothing more, and waits until what was under way has ended. */
  async end(): Promise<void> {
    this.#cancelRound();
    this.#ended.abort(new Error("the subscription has ended"));
    this.#options.onEnd();
    await Promise.all(this.#asking);
    this.#pods.clear();
    this.#samples.clear();
  }

  #round(): void {
    const { request, clock } = this.#options;
    const targets = request.targets();
    this.#forgetAllBut(targets);
    for (const target of targets) {
      const state = this.#stateOf(target);
      // One that hangs is not asked a second time meanwhile, and holds up no other.
      if (state.isBeingAsked || clock.monotonic() < state.notBeforeMs) continue;
      const asking = this.#ask(target, state).finally(() => this.#asking.delete(asking));
      this.#asking.add(asking);
    }
    this.#cancelRound = clock.setTimeout(() => this.#round(), request.periodSeconds * 1000);
  }

  #forgetAllBut(targets: readonly EngineTarget[]): void {
    const wanted = new Set(targets.map(({ pod }) => pod));
    for (const pod of this.#pods.keys()) {
      if (wanted.has(pod)) continue;
      this.#pods.delete(pod);
      this.#samples.delete(pod);
    }
  }

  #stateOf({ pod, address }: EngineTarget): PodState {
    const known = this.#pods.get(pod);
    if (known?.address === address) return known;
    const state = { address, isBeingAsked: false, failures: 0, notBeforeMs: Number.NEGATIVE_INFINITY };
    this.#pods.set(pod, state);
    return state;
  }

  /** Never rejects: a failure is news that is missing, and the next try comes by itself. */
  async #ask(target: EngineTarget, state: PodState): Promise<void> {
    state.isBeingAsked = true;
    try {
      const { page, atMs } = await this.#options.read(target, this.#ended.signal);
      const load = target.engine.load(page);
      state.failures = 0;
      // Who is not wanted any more, or has moved, has nothing to say.
      if (this.#pods.get(target.pod) === state) this.#keep({ target, atMs, load });
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#postpone(target, state, error);
    } finally {
      state.isBeingAsked = false;
    }
  }

  #keep(sample: LoadSample): void {
    const { request, logger } = this.#options;
    const { pod } = sample.target;
    const rates = ratesBetween(this.#samples.get(pod), sample);
    const kept = rates === undefined ? sample : { ...sample, rates };
    this.#samples.set(pod, kept);
    try {
      request.onSample?.(kept);
    } catch (error) {
      logger.error("a subscriber of engine metrics threw", { error, pod });
    }
  }

  #postpone({ pod, address }: EngineTarget, state: PodState, error: unknown): void {
    const { request, clock, random, logger } = this.#options;
    state.failures += 1;
    const delayMs = request.periodSeconds * 1000 * 2 ** (state.failures - 1) * (1 + 0.2 * random());
    state.notBeforeMs = clock.monotonic() + Math.min(delayMs, longestRetryMs);
    logger.debug("an engine's metrics could not be read", { error, pod, address, failures: state.failures });
  }
}

/** None where there is nothing to compare with, or the counters began anew. */
function ratesBetween(before: LoadSample | undefined, after: LoadSample): TokenRates | undefined {
  if (before === undefined) return undefined;
  const seconds = (after.atMs - before.atMs) / 1000;
  const promptTokens = after.load.promptTokens - before.load.promptTokens;
  const generationTokens = after.load.generationTokens - before.load.generationTokens;
  if (!(seconds > 0) || promptTokens < 0 || generationTokens < 0) return undefined;
  return {
    promptTokensPerSecond: promptTokens / seconds,
    generationTokensPerSecond: generationTokens / seconds,
  };
}
