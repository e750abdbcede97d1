import { describe, expect, test } from "vitest";
import { findGpu } from "../catalog/gpus.ts";
import { findModel } from "../catalog/models.ts";
import { bf16Layout, fp8Layout } from "../catalog/weight-bytes.ts";
import { decodeBound, prefillTokensPerSecond } from "./performance.ts";
import type { PerformanceInput } from "./performance.ts";

function on(model: string, format: "bf16" | "fp8", tensor: number, pipeline = 1): PerformanceInput {
  const architecture = findModel(model)?.architecture;
  const gpu = findGpu("nvidia-h100-80gb");
  if (architecture === undefined || gpu === undefined) throw new Error("not in the catalog");
  const layout = format === "bf16" ? bf16Layout : fp8Layout;
  return { architecture, layout, format, tensor, pipeline, kvCache: "bf16", gpu };
}

describe("a single request decodes no faster than the weights are read", () => {
  // Milliseconds per token at 3.35 TB/s, from the bytes of each layout: 405B FP8 over eight, 70B FP8 over two.
  test.each([
    ["llama-3.1-405b", "fp8", 8, 1, 15.3],
    ["llama-3.1-405b", "bf16", 8, 2, 30],
    ["llama-3.1-70b", "fp8", 2, 1, 10.8],
    ["llama-3.1-8b", "bf16", 1, 1, 4.8],
  ] as const)("%s in %s, tensor %d x pipeline %d", (model, format, tensor, pipeline, milliseconds) => {
    const { secondsPerToken } = decodeBound(on(model, format, tensor, pipeline), 1, 1);
    // The published floors read the embeddings too, which a step does not: up to a tenth less for the 8B.
    expect(secondsPerToken * 1000).toBeLessThan(milliseconds * 1.01);
    expect(secondsPerToken * 1000).toBeGreaterThan(milliseconds * 0.9);
  });
});

test("more requests give more tokens together and fewer each; longer ones give fewer of both", () => {
  const input = on("llama-3.1-70b", "fp8", 2);
  const few = decodeBound(input, 8, 2048);
  const many = decodeBound(input, 64, 2048);
  expect(many.tokensPerSecond).toBeGreaterThan(few.tokensPerSecond);
  expect(many.tokensPerSecondPerRequest).toBeLessThan(few.tokensPerSecondPerRequest);
  expect(decodeBound(input, 64, 16_384).tokensPerSecond).toBeLessThan(many.tokensPerSecond);
});

test("prompts are bounded by arithmetic: 405B in FP8 on eight H100 at most 19,500 tokens a second", () => {
  const rate = prefillTokensPerSecond(on("llama-3.1-405b", "fp8", 8), 1024);
  expect(rate).toBeGreaterThan(19_000);
  expect(rate).toBeLessThan(19_700);
  // TensorRT-LLM's published 3.5 requests of 2,048 tokens a second stay below it.
  expect(prefillTokensPerSecond(on("llama-3.1-405b", "fp8", 8), 2048)).toBeGreaterThan(3.5 * 2048);
});

test("stages hide behind each other for many requests, and add up for one", () => {
  const split = on("llama-3.1-405b", "bf16", 8, 2);
  const alone = decodeBound(split, 1, 1024);
  const two = decodeBound(split, 2, 1024);
  expect(two.tokensPerSecond / alone.tokensPerSecond).toBeCloseTo(2, 1);
});
