// The reader of metrics against what the Prometheus client library prints: on a page of the simulated engine, and on
// pages of any labels and values.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EngineMetrics } from "../../../../local/engine/serving/metrics.ts";
import { PrometheusRegistry } from "../../../operator/telemetry/metrics.ts";
import { vllm } from "../vllm.ts";
import { readMetricsPage } from "./prometheus-text.ts";

test("a whole page of the simulated engine is read, and its load from it", async () => {
  const engine = new EngineMetrics({
    modelName: 'llama "3"\\8b',
    maxModelLen: 8192,
    cacheConfig: { kv_cache_size_tokens: "440000", num_gpu_blocks: "None" },
    gauges: () => ({ runningCount: 3, waitingCount: 2, kvCacheUsage: 0.25 }),
  });
  engine.recordStep({
    prefillTokens: 100,
    generatedTokens: 7,
    preemptions: 0,
    firstTokenMs: [20],
    interTokenMs: [],
  });
  const { body } = await engine.scrape();
  const page = readMetricsPage(body);
  const lines = body.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  expect([...page.samples.values()].flat()).toHaveLength(lines.length);
  expect(page.types.get("vllm:time_to_first_token_seconds")).toBe("histogram");
  expect(page.samples.get("vllm:num_requests_running")?.[0]?.labels["model_name"]).toBe('llama "3"\\8b');
  const wanted = readMetricsPage(body, vllm.metricNames);
  expect(vllm.load(wanted)).toEqual({
    running: 3,
    waiting: 2,
    kvCacheUsage: 0.25,
    promptTokens: 100,
    generationTokens: 7,
  });
  expect(vllm.kvCacheReport(wanted)).toEqual({ tokens: 440_000 });
});

test("any labels and values come back as they were given", async () => {
  const text = fc.string({ unit: "grapheme" }).map((given) => given.toWellFormed());
  const value = fc.double({ noDefaultInfinity: false });
  const series = fc.uniqueArray(fc.tuple(text, text, value), {
    selector: ([a, b]) => JSON.stringify([a, b]),
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(series, text, async (given, help) => {
      const registry = new PrometheusRegistry();
      const gauge = registry.gauge({ name: "llama:things", help: `about ${help}.`, labels: ["a", "b"] });
      for (const [a, b, number] of given) gauge.with({ a, b }).set(number);
      const page = readMetricsPage((await registry.page()).text);
      const found = (page.samples.get("llama:things") ?? []).map(({ labels, value }) => [
        labels["a"],
        labels["b"],
        value,
      ]);
      // The client prints no sign of a zero.
      expect(found).toEqual(given.map(([a, b, number]) => [a, b, number === 0 ? 0 : number]));
      expect(page.help.get("llama:things")).toBe(`about ${help}.`);
    }),
  );
});
