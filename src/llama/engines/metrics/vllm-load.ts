// Reads from vLLM's metrics how busy it is. Source: vllm/v1/metrics/loggers.py at 0.32; its page is in
// local/engine/serving/vllm-0.32.0-metrics.txt.
import type { EngineLoad } from "./engine-load.ts";
import { MetricsPageError, type MetricsPage } from "./prometheus-text.ts";

/**
 * The names of each figure, today's first. A page holds one of them: which one is seen on the page itself, because
 * the version in the spec says nothing sure of an image that a user built.
 */
const names: Readonly<Record<keyof EngineLoad, readonly string[]>> = {
  running: ["vllm:num_requests_running"],
  waiting: ["vllm:num_requests_waiting"],
  // Called so by the V0 engine, and beside the new name by early versions of V1.
  kvCacheUsage: ["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"],
  promptTokens: ["vllm:prompt_tokens_total"],
  generationTokens: ["vllm:generation_tokens_total"],
};

/** Every metric that {@link vllmLoad} reads. */
export const vllmLoadMetrics: readonly string[] = Object.values(names).flat();

/**
 * Of several engines behind one address (data parallel, label `engine`) requests and tokens add up; the fullest KV cache
 * counts, because its engine is the one that makes requests wait.
 * @throws MetricsPageError where a figure is missing or is no number
 */
export function vllmLoad(page: MetricsPage): EngineLoad {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    running: sum(valuesOf(page, "running")),
    waiting: sum(valuesOf(page, "waiting")),
    kvCacheUsage: Math.max(...valuesOf(page, "kvCacheUsage")),
    promptTokens: sum(valuesOf(page, "promptTokens")),
    generationTokens: sum(valuesOf(page, "generationTokens")),
  };
}

function valuesOf({ samples }: MetricsPage, figure: keyof EngineLoad): readonly number[] {
  const name = names[figure].find((each) => samples.has(each));
  const found = name === undefined ? undefined : samples.get(name);
  if (found === undefined) {
    throw new MetricsPageError("missing", `the metrics hold no ${names[figure].join(" or ")}`);
  }
  const values = found.map(({ value }) => value);
  if (values.every((value) => Number.isFinite(value) && value >= 0)) return values;
  throw new MetricsPageError("missing", `${name ?? figure} is no number: ${values.join(", ")}`);
}
