// Bounds what is asked of pods: so many requests a second, so many at once, in the order in which they were wanted.
import type { CancelTimer, Clock } from "@llama-operator/kube-runtime";

export interface RequestLimits {
  readonly perSecond: number;
  /** Requests that may start at once after a pause. */
  readonly burst: number;
  readonly inFlight: number;
}

export class RequestBudget {
  readonly #limits: RequestLimits;
  readonly #clock: Pick<Clock, "monotonic" | "setTimeout">;
  readonly #waiting = new Set<() => void>();
  #inFlight = 0;
  /** Starts that are left, and when they were counted. */
  #starts: number;
  #countedAtMs: number;
  #cancelTimer: CancelTimer | undefined;

  constructor(limits: RequestLimits, clock: Pick<Clock, "monotonic" | "setTimeout">) {
    this.#limits = limits;
    this.#clock = clock;
    this.#starts = limits.burst;
    this.#countedAtMs = clock.monotonic();
  }

  /** Waits for its turn and runs `request`. @throws the signal's reason where it is aborted before the turn comes */
  async spend<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#turn(signal);
    try {
      return await request();
    } finally {
      this.#inFlight -= 1;
      this.#startNext();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => {
      this.#waiting.delete(resolve);
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", abort, { once: true });
    this.#waiting.add(resolve);
    this.#startNext();
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #startNext(): void {
    const { inFlight, perSecond, burst } = this.#limits;
    const now = this.#clock.monotonic();
    this.#starts = Math.min(burst, this.#starts + ((now - this.#countedAtMs) / 1000) * perSecond);
    this.#countedAtMs = now;
    for (const start of this.#waiting) {
      if (this.#inFlight >= inFlight) return;
      if (this.#starts < 1) {
        this.#startLater(((1 - this.#starts) / perSecond) * 1000);
        return;
      }
      this.#waiting.delete(start);
      this.#starts -= 1;
      this.#inFlight += 1;
      start();
    }
  }

  #startLater(ms: number): void {
    this.#cancelTimer?.();
    // A whole millisecond: timers are no finer.
    this.#cancelTimer = this.#clock.setTimeout(() => this.#startNext(), Math.ceil(ms));
  }
}
