// What the runtime measures, under controller-runtime's names so that existing dashboards and alerts fit, and the
// few kinds of instrument it needs to do so. A registry is handed in; every series starts at zero, because an
// alert on a rate cannot see the first increment of a series that did not exist.

export type Labels = Readonly<Record<string, string>>;

export interface InstrumentSpec {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** An instrument bound to its label values. */
export interface Counter {
  inc(by?: number): void;
}
export interface Gauge {
  set(value: number): void;
  inc(by?: number): void;
}
export interface Histogram {
  observe(value: number): void;
}

export interface Family<I> {
  /** The series of these label values; it appears, at zero, with this call. */
  with(labels: Labels): I;
}

/** Gauges whose series may go: what they measure is gone. */
export interface GaugeFamily extends Family<Gauge> {
  /** Drops every series. */
  clear(): void;
}

export interface MetricsRegistry {
  counter(spec: InstrumentSpec): Family<Counter>;
  gauge(spec: InstrumentSpec): GaugeFamily;
  histogram(spec: InstrumentSpec & { readonly buckets: readonly number[] }): Family<Histogram>;
  /** Calls back whenever the metrics are about to be read: for gauges that change by themselves. */
  beforeCollect(callback: () => void): void;
}

/** Measures nothing. */
export const noMetrics: MetricsRegistry = Object.freeze({
  counter: () => ({ with: () => ({ inc: () => undefined }) }),
  gauge: () => ({ with: () => ({ set: () => undefined, inc: () => undefined }), clear: () => undefined }),
  histogram: () => ({ with: () => ({ observe: () => undefined }) }),
  beforeCollect: () => undefined,
});

/** How a reconcile ended. */
export type ReconcileOutcome = "success" | "error" | "requeue_after";

export interface ControllerMetrics {
  readonly total: Readonly<Record<ReconcileOutcome, Counter>>;
  readonly errors: Counter;
  readonly panics: Counter;
  readonly timeSeconds: Histogram;
  readonly activeWorkers: Gauge;
  readonly staleSkips: Counter;
}

export interface QueueMetrics {
  readonly depth: Gauge;
  readonly adds: Counter;
  readonly retries: Counter;
  readonly queueSeconds: Histogram;
  readonly workSeconds: Histogram;
  readonly unfinishedSeconds: Gauge;
  readonly longestRunningSeconds: Gauge;
}

export interface CacheMetrics {
  readonly lists: Counter;
  readonly watches: Counter;
  readonly events: Counter;
  readonly failures: Counter;
  readonly handlerErrors: Counter;
  readonly objects: Gauge;
}

export interface WebhookMetrics {
  /** Requests answered with this HTTP status. */
  answered(code: number): Counter;
  readonly latencySeconds: Histogram;
  readonly inFlight: Gauge;
}

/** Seconds; controller-runtime's, thinned. */
const reconcileBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;
const queueBuckets = [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100] as const;

/** All instruments of the runtime. Make one per registry. */
export class RuntimeMetrics {
  readonly #registry: MetricsRegistry;
  readonly #families = new Map<string, Family<Counter | Gauge | Histogram>>();

  constructor(registry: MetricsRegistry) {
    this.#registry = registry;
  }

  controller(name: string, maxConcurrentReconciles: number): ControllerMetrics {
    const labels = { controller: name };
    const total = (result: ReconcileOutcome): Counter =>
      this.#counter("controller_runtime_reconcile_total", "Reconciliations by result.", {
        ...labels,
        result,
      });
    this.#gauge("controller_runtime_max_concurrent_reconciles", "Workers of the controller.", labels).set(
      maxConcurrentReconciles,
    );
    const outcomes = {
      success: total("success"),
      error: total("error"),
      requeue_after: total("requeue_after"),
    };
    const errors = this.#counter(
      "controller_runtime_reconcile_errors_total",
      "Reconciliations that failed.",
      labels,
    );
    // Dashboards made for controller-runtime read it. Here every error is tried again: it stays at zero.
    this.#counter(
      "controller_runtime_terminal_reconcile_errors_total",
      "Reconciliations that failed and will not be retried until something changes.",
      labels,
    );
    const panics = this.#counter(
      "controller_runtime_reconcile_panics_total",
      "Reconciliations that ended in a programming error.",
      labels,
    );
    // The same: no reconcile has a time limit.
    this.#counter(
      "controller_runtime_reconcile_timeouts_total",
      "Reconciliations that ran out of time.",
      labels,
    );
    return {
      total: outcomes,
      errors,
      panics,
      timeSeconds: this.#histogram(
        "controller_runtime_reconcile_time_seconds",
        "Time a reconciliation takes.",
        reconcileBuckets,
        labels,
      ),
      activeWorkers: this.#gauge("controller_runtime_active_workers", "Workers that are busy.", labels),
      staleSkips: this.#counter(
        "stale_sync_skips_total",
        "Reconciliations put off until the cache had seen the controller's own last write.",
        labels,
      ),
    };
  }

  queue(name: string): QueueMetrics {
    const labels = { name, controller: name };
    return {
      depth: this.#gauge("workqueue_depth", "Items ready to be worked on.", labels),
      adds: this.#counter("workqueue_adds_total", "Items added.", labels),
      retries: this.#counter("workqueue_retries_total", "Items added again after an error.", labels),
      queueSeconds: this.#histogram(
        "workqueue_queue_duration_seconds",
        "Time an item waits before it is worked on.",
        queueBuckets,
        labels,
      ),
      workSeconds: this.#histogram(
        "workqueue_work_duration_seconds",
        "Time an item is worked on.",
        queueBuckets,
        labels,
      ),
      unfinishedSeconds: this.#gauge(
        "workqueue_unfinished_work_seconds",
        "Sum of the time that items now being worked on have taken.",
        labels,
      ),
      longestRunningSeconds: this.#gauge(
        "workqueue_longest_running_processor_seconds",
        "Time that the oldest item now being worked on has taken.",
        labels,
      ),
    };
  }

  cache(resource: string): CacheMetrics {
    const labels = { resource };
    return {
      lists: this.#counter("reflector_lists_total", "Lists from the API server.", labels),
      watches: this.#counter("reflector_watches_total", "Watches opened.", labels),
      events: this.#counter("reflector_events_total", "Watch events received, without bookmarks.", labels),
      failures: this.#counter("reflector_failures_total", "Lists and watches that failed.", labels),
      handlerErrors: this.#counter("informer_handler_errors_total", "Event handlers that threw.", labels),
      objects: this.#gauge("informer_objects", "Objects in the cache.", labels),
    };
  }

  webhook(path: string): WebhookMetrics {
    const labels = { webhook: path };
    const answered = (code: number): Counter =>
      this.#counter("controller_runtime_webhook_requests_total", "Admission requests by HTTP status.", {
        ...labels,
        code: String(code),
      });
    for (const code of [200, 500]) answered(code);
    return {
      answered,
      latencySeconds: this.#histogram(
        "controller_runtime_webhook_latency_seconds",
        "Time an admission request takes.",
        reconcileBuckets,
        labels,
      ),
      inFlight: this.#gauge(
        "controller_runtime_webhook_requests_in_flight",
        "Admission requests being answered.",
        labels,
      ),
    };
  }

  leader(lease: string): Gauge {
    return this.#gauge("leader_election_master_status", "1 while this process holds the lease.", {
      name: lease,
    });
  }

  eventLoopStallSeconds(): Gauge {
    return this.#gauge("event_loop_max_delay_seconds", "Longest stall of the event loop, last 10 s.", {});
  }

  events(result: "sent" | "dropped" | "failed"): Counter {
    return this.#counter("event_recorder_events_total", "Kubernetes events by fate.", { result });
  }

  beforeCollect(callback: () => void): void {
    this.#registry.beforeCollect(callback);
  }

  #counter(name: string, help: string, labels: Labels): Counter {
    return this.#family(name, () => this.#registry.counter({ name, help, labels: Object.keys(labels) })).with(
      labels,
    );
  }

  #gauge(name: string, help: string, labels: Labels): Gauge {
    return this.#family(name, () => this.#registry.gauge({ name, help, labels: Object.keys(labels) })).with(
      labels,
    );
  }

  #histogram(name: string, help: string, buckets: readonly number[], labels: Labels): Histogram {
    return this.#family(name, () =>
      this.#registry.histogram({ name, help, buckets, labels: Object.keys(labels) }),
    ).with(labels);
  }

  #family<I extends Counter | Gauge | Histogram>(name: string, make: () => Family<I>): Family<I> {
    const known = this.#families.get(name);
    // A name always goes with the same kind of instrument: see the callers, all in this file.
    if (known !== undefined) return known as Family<I>;
    const made = make();
    this.#families.set(name, made);
    return made;
  }
}
