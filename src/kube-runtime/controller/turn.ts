// Keeps the turns of the event loop short. Passes that find nothing to do wait for nothing, so that a thousand of them
// after a restart would run in one turn, with the Lease, the probes and the watches waiting behind them.
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../clock.ts";

/** Long enough that giving way costs nothing, short enough that nobody notices. */
const maxTurnMs = 20;

/** Shared by all workers of a controller: the time is theirs together, not each one's. */
export class TurnLimit {
  readonly #clock: Pick<Clock, "monotonic">;
  #startedAtMs: number;
  #next: Promise<void> | undefined;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
    this.#startedAtMs = clock.monotonic();
  }

  /** Whether others should have their turn now. Also true where this turn began with an answer waited for long. */
  get isOver(): boolean {
    return this.#clock.monotonic() - this.#startedAtMs >= maxTurnMs;
  }

  /** Gives way until the next turn. */
  async next(): Promise<void> {
    this.#next ??= this.#begin();
    await this.#next;
  }

  async #begin(): Promise<void> {
    await setImmediate();
    this.#next = undefined;
    this.#startedAtMs = this.#clock.monotonic();
  }
}
