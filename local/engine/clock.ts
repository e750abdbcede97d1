// How time passes for a simulated process: handed in, so that tests decide.
import { setTimeout as pause } from "node:timers/promises";

/** Milliseconds and pauses. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** @throws the signal's reason when aborted */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** The process's own time, for everything outside tests. */
export const realClock: Clock = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) => pause(Math.max(0, milliseconds), undefined, { signal }),
};
