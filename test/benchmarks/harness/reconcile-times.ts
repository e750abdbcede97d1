// A metrics registry that keeps each duration of one controller's passes, where a real one keeps only buckets.
import { setTimeout as sleep } from "node:timers/promises";
import {
  noMetrics,
  type Counter,
  type Family,
  type GaugeFamily,
  type Histogram,
  type InstrumentSpec,
  type MetricsRegistry,
} from "../../../src/kube-runtime/metrics.ts";

const passSeries = "controller_runtime_reconcile_time_seconds";

export class ReconcileTimes implements MetricsRegistry {
  readonly #controller: string;
  #milliseconds: number[] = [];

  constructor(controller: string) {
    this.#controller = controller;
  }

  counter(spec: InstrumentSpec): Family<Counter> {
    return noMetrics.counter(spec);
  }

  gauge(spec: InstrumentSpec): GaugeFamily {
    return noMetrics.gauge(spec);
  }

  beforeCollect(): void {
    // Nothing is collected.
  }

  histogram(spec: Parameters<MetricsRegistry["histogram"]>[0]): Family<Histogram> {
    if (spec.name !== passSeries) return noMetrics.histogram(spec);
    return {
      with: ({ controller }) => ({
        observe: (seconds) => {
          if (controller === this.#controller) this.#milliseconds.push(seconds * 1000);
        },
      }),
    };
  }

  /** Waits for at least so many passes and returns how long each took, in milliseconds. */
  async collect(count: number, signal: AbortSignal): Promise<readonly number[]> {
    while (this.#milliseconds.length < count) await sleep(1, undefined, { signal });
    return [...this.#milliseconds];
  }

  clear(): void {
    this.#milliseconds = [];
  }
}
