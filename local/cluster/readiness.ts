// Waits until something answers, and no longer than it can.

import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { Agent, request } from "undici";

const betweenTriesMs = 50;

/**
 * Calls `attempt` until it returns without throwing.
 * @throws the signal's reason once it is aborted, with the last failure as its cause where it has none
 */
export async function untilSucceeds<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  let lastFailure: unknown;
  for (;;) {
    if (signal.aborted) {
      const { reason } = signal;
      if (reason instanceof Error && reason.cause === undefined) {
        reason.cause = lastFailure;
      }
      throw reason;
    }
    try {
      return await attempt();
    } catch (error) {
      // An attempt that the abort itself has cut says nothing about what was waited for.
      if (error !== signal.reason) {
        lastFailure = error;
      }
    }
    // An abort ends the sleep; the loop's head reports it.
    await sleep(betweenTriesMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Waits for a 2xx to a GET of `url`; https servers have to show a certificate of the authority in `caFile`. */
export async function untilAnswers(url: string, caFile: string, signal: AbortSignal): Promise<void> {
  const agent = new Agent({ connect: { ca: await readFile(caFile, "utf8") }, connections: 1 });
  try {
    await untilSucceeds(async () => {
      const response = await request(url, { dispatcher: agent, signal });
      const body = await response.body.text();
      if (response.statusCode < 200 || response.statusCode > 299) {
        throw new Error(`${url} answers ${response.statusCode}: ${body.slice(0, 200)}`);
      }
    }, signal);
  } finally {
    await agent.destroy();
  }
}
