// Reads vLLM's own account of its KV cache from its metrics: `vllm:cache_config_info` has the fields of its
// CacheConfig as labels, printed by Python (`None`, `0.92`). Source: vllm/v1/metrics/loggers.py, vllm/config/cache.py.
import type { KvCacheReport } from "./kv-cache-report.ts";
import { MetricsPageError, type MetricSample, type MetricsPage } from "./prometheus-text.ts";

const metric = "vllm:cache_config_info";

/** Every metric that {@link vllmKvCacheReport} reads. */
export const vllmKvCacheMetrics: readonly string[] = [metric];

/**
 * The KV cache of a replica from its engine's metrics. `kv_cache_size_tokens` is what 0.32 prints in its log as "GPU KV
 * cache size": blocks / blocks of the longest request x its tokens. Older versions lack the label; there it is blocks x
 * tokens of a block. Of several engines behind one address the one with the smallest cache counts.
 * @throws MetricsPageError where the page does not say it
 */
export function vllmKvCacheReport({ samples }: MetricsPage): KvCacheReport {
  const series = samples.get(metric) ?? [];
  if (series.length === 0) throw new MetricsPageError("missing", `the metrics hold no ${metric}`);
  const [first, ...others] = series.flatMap(({ labels }) => reportOf(labels) ?? []);
  if (first === undefined) {
    throw new MetricsPageError(
      "missing",
      `${metric} has neither kv_cache_size_tokens nor num_gpu_blocks and block_size`,
    );
  }
  return others.reduce((least, report) => (report.tokens < least.tokens ? report : least), first);
}

function reportOf(labels: MetricSample["labels"]): KvCacheReport | undefined {
  const blocks = whole(labels["num_gpu_blocks"]);
  const blockSize = whole(labels["block_size"]);
  const counted = blocks === undefined || blockSize === undefined ? undefined : blocks * blockSize;
  const tokens = whole(labels["kv_cache_size_tokens"]) ?? counted;
  if (tokens === undefined || !Number.isSafeInteger(tokens)) return undefined;
  const wasSet = ["num_gpu_blocks_override", "kv_cache_memory_bytes"].some((name) => whole(labels[name]));
  const maxConcurrency = decimal(labels["kv_cache_max_concurrency"]);
  const gpuMemoryUtilization = decimal(labels["gpu_memory_utilization"]);
  return {
    tokens,
    ...(blocks === undefined ? {} : { blocks }),
    ...(blockSize === undefined ? {} : { blockSize }),
    ...(wasSet ? { wasSet } : {}),
    ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
    ...(gpuMemoryUtilization === undefined || gpuMemoryUtilization > 1 ? {} : { gpuMemoryUtilization }),
  };
}

/** A whole number above zero, small enough for a status; `None` and anything else is no answer. */
function whole(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  return value > 0 ? value : undefined;
}

/** A number above zero as Python prints it: `512.0`, `3.4504`, `1e-05`. */
function decimal(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,9}(\.\d{1,20})?(e[+-]?\d{1,2})?$/.test(text)) return undefined;
  const value = Number(text);
  return value > 0 && value < 1e12 ? value : undefined;
}
