// Waiting for what has no condition that kubectl could wait for.
import { setTimeout as sleep } from "node:timers/promises";

/** Looks until there is something, every 100 ms. @throws after `seconds`, naming what was waited for */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  seconds = 40,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(100);
  }
}
