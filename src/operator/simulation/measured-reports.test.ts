// What a running engine reports of its KV cache: asked for once a revision, of one pod, and written once.
import { expect, test } from "vitest";
import { oneGpu } from "../testing/example-specs.ts";
import { simulate } from "../testing/simulation.ts";

/** A page of vLLM's metrics with a KV cache of so many tokens. */
function page(tokens: number): string {
  const labels = `block_size="16",num_gpu_blocks="${tokens / 16}",gpu_memory_utilization="0.92"`;
  return `vllm:cache_config_info{${labels}} 1.0\n`;
}

test("the first pod that answers is asked once, and status holds what it said", async () => {
  const asked: string[] = [];
  const sim = simulate({
    metricsPage: ({ address }) => {
      asked.push(address);
      return page(448_000);
    },
  });
  sim.llama("chat", { ...oneGpu, replicas: 2 });
  await sim.settle();
  expect(asked).toHaveLength(1);
  expect(sim.status("chat").plan?.measured).toMatchObject({ kvCacheTokens: 448_000 });
  sim.forgetWrites();
  sim.restartOperator();
  sim.failPod(sim.pods("chat")[0]);
  await sim.settle();
  expect(asked).toHaveLength(1);
  expect(sim.effects()).toEqual([]);
});

test("a cache much smaller than planned is an event", async () => {
  const sim = simulate({ metricsPage: () => page(160_000) });
  sim.llama("chat", oneGpu);
  await sim.settle();
  expect(sim.events("chat")).toContain("Warning KvCacheSmallerThanPlanned");
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("a new revision is asked anew", async () => {
  let tokens = 448_000;
  const sim = simulate({ metricsPage: () => page(tokens) });
  sim.llama("chat", oneGpu);
  await sim.settle();
  tokens = 450_000 - (450_000 % 16);
  sim.edit("chat", { context: { maxTokens: 65_536 } });
  await sim.settle();
  expect(sim.status("chat").plan?.measured).toMatchObject({ kvCacheTokens: tokens });
});

test("an engine that does not say it is asked a few times and then left", async () => {
  let asked = 0;
  const sim = simulate({
    metricsPage: () => {
      asked += 1;
      return undefined;
    },
  });
  sim.llama("chat", oneGpu);
  await sim.pass(3600);
  expect(asked).toBe(4);
  expect(sim.status("chat").plan).not.toHaveProperty("measured");
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});
