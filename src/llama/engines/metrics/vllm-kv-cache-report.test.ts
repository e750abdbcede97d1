import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readMetricsPage } from "./prometheus-text.ts";
import { vllmKvCacheReport } from "./vllm-kv-cache-report.ts";

const reportOf = (page: string) =>
  vllmKvCacheReport(readMetricsPage(page, new Set(["vllm:cache_config_info"])));

/** The series of a real vLLM 0.32 on a CPU. */
const real = readFileSync(
  new URL("../../../../local/engine/serving/vllm-0.32.0-metrics.txt", import.meta.url),
  "utf8",
)
  .split("\n")
  .map((series) => `${series} 1.0`)
  .join("\n");

const info = (labels: Readonly<Record<string, string>>): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return `vllm:cache_config_info{${pairs.join(",")}} 1.0`;
};

describe("vLLM's report of its KV cache", () => {
  test("is read from the metrics of a real 0.32", () => {
    expect(reportOf(real)).toEqual({
      tokens: 1_048_576,
      blocks: 8192,
      blockSize: 128,
      // Of its memory, a CPU gives the cache what it is told to.
      wasSet: true,
      maxConcurrency: 512,
      gpuMemoryUtilization: 0.92,
    });
  });

  test("is blocks times their size where an older version names no tokens", () => {
    const page = info({ block_size: "16", num_gpu_blocks: "573", gpu_memory_utilization: "0.9" });
    expect(reportOf(page)).toEqual({
      tokens: 9168,
      blocks: 573,
      blockSize: 16,
      gpuMemoryUtilization: 0.9,
    });
  });

  test("leaves out what Python prints as None or what makes no sense", () => {
    const page = info({
      kv_cache_size_tokens: "160",
      num_gpu_blocks: "None",
      block_size: "-16",
      kv_cache_max_concurrency: "inf",
      gpu_memory_utilization: "1.5",
    });
    expect(reportOf(page)).toEqual({ tokens: 160 });
  });

  test("says where a flag has set the size", () => {
    const page = info({
      kv_cache_size_tokens: "160",
      num_gpu_blocks_override: "10",
      kv_cache_memory_bytes: "None",
    });
    expect(reportOf(page)).toEqual({ tokens: 160, wasSet: true });
  });

  test("is that of the smallest cache where several engines share an address", () => {
    const page = [
      info({ engine: "0", kv_cache_size_tokens: "480" }),
      info({ engine: "1", kv_cache_size_tokens: "320" }),
      info({ engine: "2", num_gpu_blocks: "None", block_size: "16" }),
    ].join("\n");
    expect(reportOf(page)).toEqual({ tokens: 320 });
  });

  test.each([
    [
      "no such metric",
      'vllm:num_requests_running{engine="0"} 1',
      "the metrics hold no vllm:cache_config_info",
    ],
    [
      "neither tokens nor blocks",
      info({ block_size: "16", num_gpu_blocks: "None" }),
      "neither kv_cache_size_tokens nor num_gpu_blocks and block_size",
    ],
    ["what is no page of metrics", "<html>502 Bad Gateway</html>", "hold no"],
    ["a line that breaks off", 'vllm:cache_config_info{block_size="16', "cannot be read"],
  ])("is an error that names what is missing for %s", (_case, page, message) => {
    expect(() => reportOf(page)).toThrow(message);
  });
});
