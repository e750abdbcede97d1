import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { vllm } from "../vllm.ts";
import { readMetricsPage } from "./prometheus-text.ts";

/** The names of the series of a real vLLM 0.32 on a CPU; each gets its line's number as its value. */
const real = readFileSync(
  new URL("../../../../local/engine/serving/vllm-0.32.0-metrics.txt", import.meta.url),
  "utf8",
)
  .trim()
  .split("\n")
  .map((series, index) => `${series} ${index + 1}`);

const loadOf = (lines: readonly string[]) => vllm.load(readMetricsPage(lines.join("\n"), vllm.metricNames));

const busy = [
  'vllm:num_requests_running{engine="0"} 3.0',
  'vllm:num_requests_waiting{engine="0"} 2.0',
  'vllm:kv_cache_usage_perc{engine="0"} 0.25',
  'vllm:prompt_tokens_total{engine="0"} 1e+06',
  'vllm:generation_tokens_total{engine="0"} 500.0',
];

describe("vLLM's load", () => {
  test("is read from the names of a real 0.32", () => {
    const line = (name: string): number => real.findIndex((each) => each.startsWith(`${name}{`)) + 1;
    expect(loadOf(real)).toEqual({
      running: line("vllm:num_requests_running"),
      waiting: line("vllm:num_requests_waiting"),
      kvCacheUsage: line("vllm:kv_cache_usage_perc"),
      promptTokens: line("vllm:prompt_tokens_total"),
      generationTokens: line("vllm:generation_tokens_total"),
    });
  });

  test("is requests, the share of the KV cache, and tokens since the start", () => {
    expect(loadOf(busy)).toEqual({
      running: 3,
      waiting: 2,
      kvCacheUsage: 0.25,
      promptTokens: 1_000_000,
      generationTokens: 500,
    });
  });

  test("of several engines behind one address adds up, and the fullest cache counts", () => {
    const second = ['running{engine="1"} 4', 'waiting{engine="1"} 0'].map(
      (each) => `vllm:num_requests_${each}`,
    );
    const usage = 'vllm:kv_cache_usage_perc{engine="1"} 0.75';
    expect(loadOf([...busy, ...second, usage])).toMatchObject({
      running: 7,
      waiting: 2,
      kvCacheUsage: 0.75,
    });
  });

  test("knows the older name of the share of the KV cache, and prefers the newer", () => {
    const without = busy.filter((line) => !line.includes("kv_cache_usage"));
    const older = 'vllm:gpu_cache_usage_perc{engine="0"} 0.5';
    expect(loadOf([...without, older]).kvCacheUsage).toBe(0.5);
    expect(loadOf([older, ...busy]).kvCacheUsage).toBe(0.25);
  });

  test.each([
    ["a figure is missing", busy.slice(1), "the metrics hold no vllm:num_requests_running"],
    [
      "a figure is no number",
      [...busy.slice(1), "vllm:num_requests_running NaN"],
      "vllm:num_requests_running is no number: NaN",
    ],
    ["it is no page of metrics", ["<html>502 Bad Gateway</html>"], "hold no"],
  ])("is an error where %s", (_case, lines, message) => {
    expect(() => loadOf(lines)).toThrow(message);
  });
});
