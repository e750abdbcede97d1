// Exponential backoff with jitter that forgets after a while of calm.
import type { Clock } from "./clock.ts";

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Adds up to this share of the delay, at random. Default 1. */
  readonly jitter?: number;
  /** Starts again at `initialMs` when the last failure is this long ago. */
  readonly resetAfterMs: number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #random: () => number;
  #nextMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(options: BackoffOptions, clock: Pick<Clock, "monotonic">, random: () => number) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#nextMs = options.initialMs;
  }

  /** The time to wait after one more failure. */
  nextMs(): number {
    const { initialMs, maxMs, resetAfterMs, jitter = 1 } = this.#options;
    const now = this.#clock.monotonic();
    if (now - this.#lastMs > resetAfterMs) this.#nextMs = initialMs;
    const delayMs = Math.min(this.#nextMs * (1 + jitter * this.#random()), maxMs);
    this.#nextMs = Math.min(this.#nextMs * 2, maxMs);
    this.#lastMs = now + delayMs;
    return delayMs;
  }

  reset(): void {
    this.#nextMs = this.#options.initialMs;
  }
}
