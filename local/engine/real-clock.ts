// The process's own time, for everything outside tests.
import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "./process.ts";

export const realClock: Clock = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) => pause(Math.max(0, milliseconds), undefined, { signal }),
};
