// Waiting with a limit and a name, so that a demo that hangs says what it hung on.
import { setTimeout as sleep } from "node:timers/promises";

/** The demo cannot go on; the message says what and what was seen last. */
export class DemoError extends Error {
  override readonly name = "DemoError";
  readonly code = "DemoFailed";
}

export interface Wait {
  /** Completes "waited 60 s for …". */
  readonly what: string;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

const pollMs = 250;

/**
 * Asks `probe` until it answers something and returns that.
 * @throws DemoError after the time-out; whatever `probe` throws; the signal's reason.
 */
export async function until<T>(wait: Wait, probe: () => Promise<T | undefined>): Promise<T> {
  const endMs = performance.now() + wait.timeoutSeconds * 1000;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() > endMs) {
      throw new DemoError(`waited ${wait.timeoutSeconds} s for ${wait.what}`);
    }
    await sleep(pollMs, undefined, { signal: wait.signal }).catch(() => wait.signal.throwIfAborted());
  }
}
