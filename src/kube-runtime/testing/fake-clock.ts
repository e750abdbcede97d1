// A clock that moves only when a test says so.
import { setImmediate } from "node:timers/promises";
import { sleepOn, type CancelTimer, type Clock } from "../clock.ts";

interface FakeTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  readonly #epochMs: number;
  #elapsedMs = 0;
  #order = 0;
  readonly #timers = new Set<FakeTimer>();

  constructor(epochMs = Date.parse("2026-01-01T00:00:00Z")) {
    this.#epochMs = epochMs;
  }

  now(): number {
    return this.#epochMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  setTimeout(callback: () => void, ms: number): CancelTimer {
    const timer = { dueMs: this.#elapsedMs + Math.max(ms, 0), order: this.#order, callback };
    this.#order += 1;
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  /** Timers that wait. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves time on, running every timer that falls due in order, and lets what they woke settle. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms;
    await settle();
    for (let timer = this.#next(untilMs); timer !== undefined; timer = this.#next(untilMs)) {
      this.#timers.delete(timer);
      this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueMs);
      timer.callback();
      await settle();
    }
    this.#elapsedMs = untilMs;
  }

  /** Monotonic milliseconds of the timer that is due first; undefined while none waits. */
  get nextDueMs(): number | undefined {
    return this.#next(Number.POSITIVE_INFINITY)?.dueMs;
  }

  /** Moves time on to the timer that is due first and runs it; for those who settle what it woke by themselves. */
  runNext(): void {
    const timer = this.#next(Number.POSITIVE_INFINITY);
    if (timer === undefined) return;
    this.#timers.delete(timer);
    this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueMs);
    timer.callback();
  }

  /** Moves time on without running anything: the process was stopped and continued. */
  freeze(ms: number): void {
    this.#elapsedMs += ms;
  }

  #next(untilMs: number): FakeTimer | undefined {
    let next: FakeTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue;
      if (next === undefined || timer.dueMs < next.dueMs) next = timer;
      else if (timer.dueMs === next.dueMs && timer.order < next.order) next = timer;
    }
    return next;
  }
}

/** Lets promises that are ready run, several turns deep. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await setImmediate();
}
