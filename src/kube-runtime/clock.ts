// Time as a parameter. Everything that waits or measures takes a Clock, so that tests run hours in milliseconds
// and a lease can be judged by a clock that is never set.

import { orAborted } from "./abort.ts";

export interface Clock {
  /** Milliseconds since 1970. For what people read; it may jump. */
  now(): number;
  /** Milliseconds since some moment; never goes back. For durations and deadlines. */
  monotonic(): number;
  /** Calls back once after `ms`, unless cancelled. */
  setTimeout(callback: () => void, ms: number): CancelTimer;
  /** @throws the signal's reason when it is aborted first */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export type CancelTimer = () => void;

/** Node's timers take at most this many milliseconds (2^31 - 1); more fires at once. */
const longestTimerMs = 2_147_483_647;

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(callback: () => void, ms: number): CancelTimer {
    // What is due already is due now: Node would warn of a negative time.
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), longestTimerMs));
    return () => clearTimeout(timer);
  },
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(systemClock, ms, signal);
  },
});

/** `sleep` for any clock that has `setTimeout`. */
export async function sleepOn(
  clock: Pick<Clock, "setTimeout">,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.setTimeout(resolve, ms);
  try {
    await orAborted(promise, signal);
  } finally {
    cancel();
  }
}
