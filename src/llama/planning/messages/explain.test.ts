import { expect, test } from "vitest";
import { examplePool, exampleSpec, h100Pool } from "../../testing/example-pools.ts";
import { explainMemory, explainReasons, explainSummary, summarize } from "./explain.ts";
import type { Plan, PoolFacts } from "../plan.ts";
import { plan } from "../planner.ts";

function planned(spec: Readonly<Record<string, unknown>>, pools: readonly PoolFacts[] = [h100Pool]): Plan {
  const result = plan({ spec: exampleSpec(spec), pools });
  if (result.kind === "refusal") throw new Error(result.message);
  return result;
}

test.each([
  [
    { model: { name: "llama-3.1-405b-instruct" } },
    "405B FP8 · 8 x H100 80GB on one node (tensor 8) · 47.8 GiB weights + 19.9 GiB KV per GPU · 330,992 tokens, 2.5 requests of 128K at once",
  ],
  [
    { model: { name: "llama-3.1-405b-instruct" }, quantization: { weights: "bf16" } },
    "405B BF16 · 16 x H100 80GB on two nodes (tensor 8 x pipeline 2) · 47.3 GiB weights + 20.6 GiB KV per GPU · 685,104 tokens, 5.2 requests of 128K at once",
  ],
  [
    { model: { name: "llama-3.1-8b-instruct" }, context: { maxTokens: 8000 } },
    "8B BF16 · 1 x H100 80GB on one node (tensor 1) · 15.0 GiB weights + 54.7 GiB KV per GPU · 448,048 tokens, 56.0 requests of 8,000 at once",
  ],
])("%j in one line", (spec, line) => {
  expect(summarize(planned(spec))).toBe(line);
});

test("a plan as a table", () => {
  const pool = examplePool("h100", {
    gpu: { product: "nvidia-h100-80gb", perNode: 8 },
    machineShape: "a3-highgpu-8g",
    fabric: { type: "tcpx" },
  });
  const plan = planned({ model: { name: "llama-3.1-405b-instruct" } }, [pool]);
  expect([explainSummary(plan), explainMemory(plan), explainReasons(plan)].join("\n\n")).toBe(
    `Model     Llama 3.1 405B Instruct
Weights   FP8, 381.9 GiB, from nvidia/Llama-3.1-405B-Instruct-FP8 @ a0a0bc4e698f
Layout    8 x H100 80GB on one node (tensor 8), pool h100
Engine    vllm 0.32.0
Limits    131,072 tokens a request, 1,024 sequences, 8,192 tokens a step, 0.92 of the GPU
KV cache  330,992 tokens in BF16 at least, 347,632 expected; 2.5 requests of 128K at once
Start-up  about 19 min with nothing cached

Memory of one GPU
  weights                          47.8 GiB   60 %
  KV cache                         19.9 GiB   25 %
  activations and sampler           1.9 GiB    2 %
  CUDA graphs                       1.4 GiB    2 %
  communication                     0.9 GiB    1 %
  margin of the planner             1.0 GiB    1 %
  outside the engine's budget       6.3 GiB    8 %
  total                            79.2 GiB  100 %

Why
  FP8 weights: BF16 would need more GPUs
  tensor 8: the fewest H100 80GB that hold the weights and 1 request of 128K tokens
  the overhead of vLLM 0.32.0 is derived, not measured: 1.0 GiB per GPU are left free for it`,
  );
});
