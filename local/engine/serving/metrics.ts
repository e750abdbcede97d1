// /metrics of vLLM 0.32 under its own names and labels (vllm/v1/metrics/loggers.py). What the simulation has no
// notion of (prefix hits, multi-modal, KV transfer, FLOP estimates) is exported and stays at zero. Times are
// those a client measures, so a speed-up shows in them.
import { Counter, Gauge, Histogram, Registry } from "@prometheus-io/client";
import type { SequenceFinish, StepReport } from "./scheduler.ts";

/** Bucket families of vllm/v1/metrics/buckets.py. */
const latencyBuckets = [
  0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680,
];
const firstTokenBuckets = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640,
  2560,
];
const interTokenBuckets = [
  0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
];
const iterationBuckets = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384];
const smallCountBuckets = [1, 2, 5, 10, 20];
const preemptionBuckets = [1, 2, 3, 4, 5, 10, 20];

/** 1, 2, 5, 10, … up to the longest request. */
function tokenBuckets(maxModelLen: number): number[] {
  const buckets: number[] = [];
  for (let power = 1; power <= maxModelLen; power *= 10) {
    buckets.push(...[1, 2, 5].map((mantissa) => mantissa * power).filter((bound) => bound <= maxModelLen));
  }
  return buckets;
}

export interface SchedulerGauges {
  readonly runningCount: number;
  readonly waitingCount: number;
  readonly kvCacheUsage: number;
}

export interface MetricsOptions {
  readonly modelName: string;
  readonly maxModelLen: number;
  /** Labels of vllm:cache_config_info, all of them, as vLLM prints its CacheConfig. */
  readonly cacheConfig: Readonly<Record<string, string>>;
  /** Read at every scrape. */
  readonly gauges: () => SchedulerGauges;
}

/** The series of one engine, in a registry of its own. */
export class EngineMetrics {
  readonly #registry = new Registry();
  readonly #labels: Readonly<Record<string, string>>;
  readonly #counters = new Map<string, Counter<string>>();
  readonly #histograms = new Map<string, Histogram<string>>();

  constructor(options: MetricsOptions) {
    const { modelName, maxModelLen, cacheConfig, gauges } = options;
    this.#labels = { model_name: modelName, engine: "0" };
    this.#gauges(gauges);
    this.#constant("vllm:cache_config_info", "Information of the LLMEngine CacheConfig", {
      ...cacheConfig,
      engine: "0",
    });
    for (const state of ["awake", "weights_offloaded", "discard_all"]) {
      this.#constant(
        "vllm:engine_sleep_state",
        "Engine sleep state.",
        { ...this.#labels, sleep_state: state },
        state === "awake" ? 1 : 0,
      );
    }
    for (const [name, label, values] of counters) {
      const series = values.map((value) => (label === undefined ? {} : { [label]: value }));
      this.#addCounter(name, series, name === "vllm:admission_rejections_total");
    }
    const tokens = tokenBuckets(maxModelLen);
    for (const [name, buckets] of histograms) this.#addHistogram(name, buckets ?? tokens);
  }

  /** Prometheus text format. */
  async scrape(): Promise<{ readonly contentType: string; readonly body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  recordStep(step: StepReport): void {
    this.#count("vllm:prompt_tokens_total", step.prefillTokens);
    this.#count("vllm:prompt_tokens_by_source_total", step.prefillTokens, { source: "local_compute" });
    this.#count("vllm:prefix_cache_queries_total", step.prefillTokens);
    this.#count("vllm:generation_tokens_total", step.generatedTokens);
    this.#count("vllm:num_preemptions_total", step.preemptions);
    this.#observe("vllm:iteration_tokens_total", step.prefillTokens + step.generatedTokens);
    for (const ms of step.firstTokenMs) this.#observe("vllm:time_to_first_token_seconds", ms / 1000);
    for (const ms of step.interTokenMs) this.#observe("vllm:inter_token_latency_seconds", ms / 1000);
  }

  recordFinish(finish: SequenceFinish, maxTokens: number | undefined, n: number): void {
    const { arrivedAt, finishedAt, generatedTokens } = finish;
    const scheduledAt = finish.scheduledAt ?? finishedAt;
    const firstTokenAt = finish.firstTokenAt ?? finishedAt;
    const decodeSeconds = (finishedAt - firstTokenAt) / 1000;
    this.#count("vllm:request_success_total", 1, { finished_reason: finish.reason });
    this.#observe("vllm:e2e_request_latency_seconds", (finishedAt - arrivedAt) / 1000);
    this.#observe("vllm:request_queue_time_seconds", (scheduledAt - arrivedAt) / 1000);
    this.#observe("vllm:request_prefill_time_seconds", (firstTokenAt - scheduledAt) / 1000);
    this.#observe("vllm:request_decode_time_seconds", decodeSeconds);
    this.#observe("vllm:request_inference_time_seconds", (finishedAt - scheduledAt) / 1000);
    this.#observe(
      "vllm:request_time_per_output_token_seconds",
      decodeSeconds / Math.max(1, generatedTokens - 1),
    );
    this.#observe("vllm:request_prompt_tokens", finish.promptTokens);
    this.#observe("vllm:request_generation_tokens", generatedTokens);
    this.#observe("vllm:request_max_num_generation_tokens", generatedTokens);
    this.#observe("vllm:request_prefill_kv_computed_tokens", finish.promptTokens);
    this.#observe("vllm:request_num_preemptions", finish.preemptions);
    this.#observe("vllm:request_params_n", n);
    if (maxTokens !== undefined) this.#observe("vllm:request_params_max_tokens", maxTokens);
  }

  recordRejection(reason: "max_num_queued_reqs"): void {
    this.#counters.get("vllm:admission_rejections_total")?.inc({
      model_name: this.#labels["model_name"] ?? "",
      reason,
    });
  }

  #gauges(read: () => SchedulerGauges): void {
    const labels = this.#labels;
    const add = (name: string, help: string, value: () => number): void => {
      const gauge: Gauge<string> = new Gauge({
        name,
        help,
        labelNames: Object.keys(labels),
        registers: [this.#registry],
        collect: (): void => gauge.set(labels, value()),
      });
    };
    add(
      "vllm:num_requests_running",
      "Number of requests in model execution batches.",
      () => read().runningCount,
    );
    add(
      "vllm:num_requests_waiting",
      "Number of requests waiting to be processed.",
      () => read().waitingCount,
    );
    add("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", () => read().kvCacheUsage);
    const byReason: Gauge<string> = new Gauge({
      name: "vllm:num_requests_waiting_by_reason",
      help: "Number of waiting requests by reason.",
      labelNames: [...Object.keys(labels), "reason"],
      registers: [this.#registry],
      collect: (): void => {
        byReason.set({ ...labels, reason: "capacity" }, read().waitingCount);
        byReason.set({ ...labels, reason: "deferred" }, 0);
      },
    });
  }

  #constant(name: string, help: string, labels: Readonly<Record<string, string>>, value = 1): void {
    const existing = this.#registry.getSingleMetric(name);
    const gauge =
      existing instanceof Gauge
        ? existing
        : new Gauge({ name, help, labelNames: Object.keys(labels), registers: [this.#registry] });
    gauge.set(labels, value);
  }

  #addCounter(
    name: string,
    series: readonly Readonly<Record<string, string>>[],
    withoutEngine: boolean,
  ): void {
    const base = withoutEngine ? { model_name: this.#labels["model_name"] ?? "" } : this.#labels;
    const labelNames = [...Object.keys(base), ...Object.keys(series[0] ?? {})];
    const counter = new Counter({ name, help: name, labelNames, registers: [this.#registry] });
    for (const labels of series) counter.inc({ ...base, ...labels }, 0);
    this.#counters.set(name, counter);
  }

  #addHistogram(name: string, buckets: readonly number[]): void {
    const histogram = new Histogram({
      name,
      help: name,
      labelNames: Object.keys(this.#labels),
      buckets: [...buckets],
      registers: [this.#registry],
    });
    histogram.zero(this.#labels);
    this.#histograms.set(name, histogram);
  }

  #count(name: string, value: number, labels: Readonly<Record<string, string>> = {}): void {
    if (value > 0) this.#counters.get(name)?.inc({ ...this.#labels, ...labels }, value);
  }

  #observe(name: string, value: number): void {
    this.#histograms.get(name)?.observe(this.#labels, value);
  }
}

/** Name, and where there is one, the label that splits it and its values. */
const counters: readonly (readonly [string, string | undefined, readonly string[]])[] = [
  ["vllm:admission_rejections_total", "reason", ["max_num_queued_reqs", "max_num_queued_tokens"]],
  ["vllm:prompt_tokens_total", undefined, [""]],
  ["vllm:generation_tokens_total", undefined, [""]],
  ["vllm:num_preemptions_total", undefined, [""]],
  ["vllm:prefix_cache_queries_total", undefined, [""]],
  ["vllm:prefix_cache_hits_total", undefined, [""]],
  ["vllm:external_prefix_cache_queries_total", undefined, [""]],
  ["vllm:external_prefix_cache_hits_total", undefined, [""]],
  ["vllm:mm_cache_queries_total", undefined, [""]],
  ["vllm:mm_cache_hits_total", undefined, [""]],
  ["vllm:prompt_tokens_cached_total", undefined, [""]],
  ["vllm:estimated_flops_per_gpu_total", undefined, [""]],
  ["vllm:estimated_read_bytes_per_gpu_total", undefined, [""]],
  ["vllm:estimated_write_bytes_per_gpu_total", undefined, [""]],
  [
    "vllm:prompt_tokens_by_source_total",
    "source",
    ["local_compute", "local_cache_hit", "external_kv_transfer"],
  ],
  [
    "vllm:prompt_tokens_cached_by_source_total",
    "source",
    ["device", "host", "disk", "p2p", "external_unspecified"],
  ],
  ["vllm:request_success_total", "finished_reason", ["stop", "length", "abort", "error", "repetition"]],
];

/** Name and buckets; without buckets, those of token counts up to the longest request. */
const histograms: readonly (readonly [string, readonly number[] | undefined])[] = [
  ["vllm:time_to_first_token_seconds", firstTokenBuckets],
  ["vllm:inter_token_latency_seconds", interTokenBuckets],
  ["vllm:request_time_per_output_token_seconds", interTokenBuckets],
  ["vllm:e2e_request_latency_seconds", latencyBuckets],
  ["vllm:request_queue_time_seconds", latencyBuckets],
  ["vllm:request_inference_time_seconds", latencyBuckets],
  ["vllm:request_prefill_time_seconds", latencyBuckets],
  ["vllm:request_decode_time_seconds", latencyBuckets],
  ["vllm:iteration_tokens_total", iterationBuckets],
  ["vllm:request_params_n", smallCountBuckets],
  ["vllm:request_num_preemptions", preemptionBuckets],
  ["vllm:request_prompt_tokens", undefined],
  ["vllm:request_generation_tokens", undefined],
  ["vllm:request_max_num_generation_tokens", undefined],
  ["vllm:request_params_max_tokens", undefined],
  ["vllm:request_prefill_kv_computed_tokens", undefined],
];
