// The metrics registry of the process, on the client of the Prometheus organisation.
import { Counter, Gauge, Histogram, Registry } from "@prometheus-io/client";
import type * as runtime from "@llama-operator/kube-runtime";

/** One registry; pass it to whatever measures, and its page to the health server. */
export class PrometheusRegistry implements runtime.MetricsRegistry {
  readonly #registry = new Registry();
  readonly #beforeCollect: (() => void)[] = [];

  counter(spec: runtime.InstrumentSpec): runtime.Family<runtime.Counter> {
    const { name, help, labels } = spec;
    const counter = new Counter({ name, help, labelNames: [...labels], registers: [this.#registry] });
    return {
      with: (values) => {
        const series = counter.labels(values);
        series.inc(0);
        return series;
      },
    };
  }

  gauge(spec: runtime.InstrumentSpec): runtime.GaugeFamily {
    const { name, help, labels } = spec;
    const gauge = new Gauge({ name, help, labelNames: [...labels], registers: [this.#registry] });
    return {
      with: (values) => {
        const series = gauge.labels(values);
        series.set(0);
        return series;
      },
      clear: () => gauge.reset(),
    };
  }

  histogram(
    spec: runtime.InstrumentSpec & { readonly buckets: readonly number[] },
  ): runtime.Family<runtime.Histogram> {
    const { name, help, labels, buckets } = spec;
    const histogram = new Histogram({
      name,
      help,
      labelNames: [...labels],
      buckets: [...buckets],
      registers: [this.#registry],
    });
    return {
      with: (values) => {
        histogram.zero(values);
        return histogram.labels(values);
      },
    };
  }

  beforeCollect(callback: () => void): void {
    this.#beforeCollect.push(callback);
  }

  /** The page that Prometheus scrapes. */
  async page(): Promise<{ readonly contentType: string; readonly text: string }> {
    for (const callback of this.#beforeCollect) callback();
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}
