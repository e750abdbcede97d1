// The clock of the simulated cluster: it counts the timers behind which work waits, so that a simulation knows when
// the cluster has come to rest. What repeats for ever, such as the back-off of a crashing container, is not counted.
import type { Clock } from "@llama-operator/kube-runtime";

type CancelTimer = () => void;

export class WorkClock {
  readonly #clock: Clock;
  #pending = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Timers behind which work waits. */
  get pending(): number {
    return this.#pending;
  }

  now(): number {
    return this.#clock.now();
  }

  setTimeout(callback: () => void, ms: number): CancelTimer {
    this.#pending += 1;
    let open = true;
    const close = (): void => {
      if (open) this.#pending -= 1;
      open = false;
    };
    const cancel = this.#clock.setTimeout(() => {
      close();
      callback();
    }, ms);
    return () => {
      close();
      cancel();
    };
  }

  /** A timer that nobody waits for. */
  setBackgroundTimeout(callback: () => void, ms: number): CancelTimer {
    return this.#clock.setTimeout(callback, ms);
  }
}
