// Tries again what may work later, after a while that the server may have named.
//
// Why not undici's `retry` interceptor (8.12): a Retry-After beyond its longest wait is shortened instead of told, and
// the hub's own RateLimit header would be read by a policy of ours anyway; a body that breaks off is continued by a
// range of its own, which no check of ours sees; and its waits are timers that no test can skip.
import { InspectionError } from "../errors.ts";

/** Waits before another try; rejects when the signal is aborted. */
export type Wait = (milliseconds: number, signal: AbortSignal) => Promise<unknown>;

const maxTries = 3;
const firstRetryMs = 1000;
/** Longer than this a user should be told instead. */
const maxRetryWaitMs = 30_000;

/** Worth another try, after a while that the server may have named. */
export class RetryableError extends InspectionError {
  readonly afterMs: number | undefined;

  constructor(message: string, cause?: unknown, afterMs?: number) {
    super("unreachable", message, { cause });
    this.afterMs = afterMs;
  }
}

/** What `attempt` comes to, tried again while it throws RetryableError. @throws its last error, or the signal's reason */
export async function withRetries<T>(wait: Wait, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RetryableError) || tries === maxTries) throw error;
      const waitMs = error.afterMs ?? firstRetryMs * 2 ** (tries - 1);
      if (waitMs > maxRetryWaitMs) throw error;
      await wait(waitMs, signal).catch((error: unknown) => {
        // Timers reject with an error of their own; the abort's reason says who asked.
        signal.throwIfAborted();
        throw error;
      });
    }
  }
}
