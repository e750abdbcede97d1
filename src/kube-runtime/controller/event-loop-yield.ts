// Keeps the iterations of the event loop short. Passes that find nothing to do wait for nothing, so that a thousand of
// them after a restart would run in one iteration, with the Lease, the probes and the watches waiting behind them.
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../clock.ts";

/** Long enough that giving way costs nothing, short enough to go unnoticed. */
const maxIterationMs = 20;

/** Shared by all workers of a controller: the time is theirs together, not each one's. */
export class EventLoopYield {
  readonly #clock: Pick<Clock, "monotonic">;
  #startedAtMs: number;
  #next: Promise<void> | undefined;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
    this.#startedAtMs = clock.monotonic();
  }

  /** Whether to give way now. Also true where this iteration began with an answer waited for long. */
  get isDue(): boolean {
    return this.#clock.monotonic() - this.#startedAtMs >= maxIterationMs;
  }

  /** Waits for the next iteration, so that timers, sockets and other callbacks run first. */
  async giveWay(): Promise<void> {
    this.#next ??= this.#begin();
    await this.#next;
  }

  async #begin(): Promise<void> {
    await setImmediate();
    this.#next = undefined;
    this.#startedAtMs = this.#clock.monotonic();
  }
}
