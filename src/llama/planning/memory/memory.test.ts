import { describe, expect, test } from "vitest";
import { vllmRegime } from "../../catalog/engines/vllm-regimes.ts";
import { findModel } from "../../catalog/models.ts";
import type { Architecture } from "../../catalog/models.ts";
import { bf16Layout, fbgemmLayout, fp8Layout } from "../../catalog/weight-bytes.ts";
import type { WeightLayout } from "../../catalog/weight-bytes.ts";
import { kvBytesPerToken } from "./kv-cache.ts";
import { accountMemory } from "./memory.ts";
import type { MemoryInput } from "./memory.ts";
import { capturedSizes, forwardPassBytes, logitsUnitBytes } from "./overhead.ts";
import { stageLayers, stagesOf, stageWeightBytes } from "./weights.ts";

const gibibyte = 2 ** 30;

function architectureOf(name: string): Architecture {
  const model = findModel(name);
  if (model === undefined) throw new Error(`${name} is not in the catalog`);
  return model.architecture;
}

const limits = {
  maxModelLen: 131_072,
  maxNumSeqs: 1024,
  maxNumBatchedTokens: 8192,
  gpuMemoryUtilization: 0.92,
  blockSize: 16,
} as const;

describe("weights of one GPU", () => {
  // Logged: 14.99, 131.6, 32.8894, 67.72, 33.88 and 16.96 GiB. The 405B rows follow from the exact parameters.
  const cases: readonly (readonly [string, string, WeightLayout, number, number, number])[] = [
    ["8B BF16", "llama-3.1-8b", bf16Layout, 1, 1, 14.99],
    ["70B BF16", "llama-3.3-70b-instruct", bf16Layout, 1, 1, 131.45],
    ["70B BF16", "llama-3.3-70b-instruct", bf16Layout, 4, 1, 32.89],
    ["70B FP8", "llama-3.3-70b-instruct", fp8Layout, 1, 1, 67.7],
    ["70B FP8", "llama-3.3-70b-instruct", fp8Layout, 2, 1, 33.87],
    ["70B FP8", "llama-3.3-70b-instruct", fp8Layout, 4, 1, 16.95],
    ["405B FP8", "llama-3.1-405b", fp8Layout, 8, 1, 47.77],
    ["405B FBGEMM", "llama-3.1-405b", fbgemmLayout, 8, 1, 56.75],
    ["405B BF16", "llama-3.1-405b", bf16Layout, 8, 1, 94.53],
    ["405B BF16", "llama-3.1-405b", bf16Layout, 8, 2, 47.28],
  ];
  test.each(cases)("%s (%s) with tensor %# is near the logs", (_, name, layout, tensor, pipeline, gib) => {
    const architecture = architectureOf(name);
    const bytes = stagesOf(architecture, pipeline).map((stage) =>
      stageWeightBytes(architecture, layout, stage, tensor),
    );
    expect(Math.max(...bytes) / gibibyte).toBeCloseTo(gib, 1);
  });

  test("layers that do not divide go to the middle stages", () => {
    expect(stageLayers(126, 4)).toEqual([31, 32, 32, 31]);
    expect(stageLayers(126, 2)).toEqual([63, 63]);
    expect(stageLayers(32, 3)).toEqual([11, 11, 10]);
    expect(stageLayers(80, 1)).toEqual([80]);
  });

  test("tied embeddings are held once on one stage, and on both ends of several", () => {
    const architecture = architectureOf("llama-3.2-1b-instruct");
    const whole = stagesOf(architecture, 1).map((stage) =>
      stageWeightBytes(architecture, bf16Layout, stage, 1),
    );
    const split = stagesOf(architecture, 2).map((stage) =>
      stageWeightBytes(architecture, bf16Layout, stage, 1),
    );
    const sum = (bytes: readonly number[]) => bytes.reduce((total, each) => total + each, 0);
    const matrix = 128_256 * 2048 * 2;
    const rotaryTable = 131_072 * 64 * 2;
    expect(sum(split) - sum(whole)).toBe(matrix + rotaryTable);
  });

  test("ranks beyond the key-value heads each hold a copy of one", () => {
    const architecture = architectureOf("llama-3.1-405b");
    const [stage] = stagesOf(architecture, 1);
    if (stage === undefined) throw new Error("no stage");
    const bytesOfAllRanks = (tensor: number) =>
      stageWeightBytes(architecture, bf16Layout, stage, tensor) * tensor;
    const oneHead = 126 * 2 * (16_384 * 128) * 2;
    const normsAndRotaryTable = (126 * 2 + 1) * 16_384 * 2 + 131_072 * 128 * 2;
    expect(bytesOfAllRanks(16) - bytesOfAllRanks(8)).toBe(8 * (oneHead + normsAndRotaryTable));
    expect(kvBytesPerToken(architecture, 126, 16, "bf16")).toBe(
      kvBytesPerToken(architecture, 126, 8, "bf16"),
    );
  });
});

describe("KV cache", () => {
  test.each([
    ["llama-3.1-8b", 32, 131_072],
    ["llama-3.1-70b", 80, 327_680],
    ["llama-3.1-405b", 126, 516_096],
    ["llama-3.2-1b-instruct", 16, 32_768],
    ["llama-3.2-3b-instruct", 28, 114_688],
  ])("%s takes %d layers' keys and values: %d bytes a token", (name, layers, bytes) => {
    const architecture = architectureOf(name);
    expect(kvBytesPerToken(architecture, layers, 1, "bf16")).toBe(bytes);
    expect(kvBytesPerToken(architecture, layers, 1, "fp8")).toBe(bytes / 2);
    expect(kvBytesPerToken(architecture, layers, 8, "bf16")).toBe(bytes / 8);
  });
});

/** An 8B alone on an H100, with what a test changes. */
function start(
  version: readonly [number, number, number],
  changes: Partial<MemoryInput> = {},
): ReturnType<typeof accountMemory> {
  const regime = vllmRegime(version, changes.layout !== undefined && changes.layout !== bf16Layout);
  if (regime === undefined) throw new Error("no regime");
  return accountMemory({
    architecture: architectureOf("llama-3.1-8b"),
    layout: bf16Layout,
    tensor: 1,
    pipeline: 1,
    kvCache: "bf16",
    gpu: {
      visibleBytes: 79.18 * gibibyte,
      architecture: "hopper",
      computeCapability: "9.0",
      nvlink: "switch",
    },
    regime,
    marginBytes: 0,
    limits,
    eager: false,
    minConcurrency: 1,
    ...changes,
  });
}

const overheadGib = (account: ReturnType<typeof accountMemory>): number => account.overheadBytes / gibibyte;

describe("overhead", () => {
  test.each([
    ["llama-3.1-8b", 1, 8192, 0.906],
    ["llama-3.1-70b", 1, 8192, 1.813],
    ["llama-3.1-70b", 4, 8192, 0.828],
    ["llama-3.1-405b", 8, 8192, 1.305],
    ["llama-3.1-8b", 1, 4096, 0.453],
  ])("the forward pass of %s with tensor %d and %d tokens peaks at %d GiB", (name, tensor, tokens, gib) => {
    expect(forwardPassBytes(architectureOf(name), tensor, tokens) / gibibyte).toBeCloseTo(gib, 3);
  });

  test("U is 0.489 GiB at 1024 rows", () => {
    expect(logitsUnitBytes(architectureOf("llama-3.1-8b"), limits) / gibibyte).toBeCloseTo(0.489, 3);
  });

  test("51 batch sizes are captured up to 512, fewer with fewer sequences or as told, more on B200", () => {
    expect(capturedSizes(1024, { computeCapability: "9.0" })).toBe(51);
    expect(capturedSizes(16, { computeCapability: "9.0" })).toBe(7);
    expect(capturedSizes(1024, { computeCapability: "9.0" }, 32)).toBe(7);
    expect(capturedSizes(1024, { computeCapability: "10.0" })).toBe(83);
    expect(capturedSizes(1024, { computeCapability: "12.0" })).toBe(51);
  });

  test("the profile of 0.11 peaks where its debug logs say: 4.76 GiB and 0.13 outside torch", () => {
    expect(overheadGib(start([0, 11, 0]))).toBeCloseTo(4.76 + 0.13, 2);
  });

  test("a cold torch.compile is charged from 0.20 on, where it is higher than a step, and not in eager mode", () => {
    const few = { limits: { ...limits, maxNumSeqs: 256, maxNumBatchedTokens: 2048 } };
    const cold = start([0, 28, 0], few);
    const warm = start([0, 28, 0], { ...few, compileCache: "warm" });
    expect(cold).toEqual(start([0, 28, 0], { ...few, compileCache: "cold" }));
    // Embeddings 0.979, hidden states 0.016 and 0.09 GiB, in the place of 0.277 GiB of a step.
    expect(overheadGib(cold) - overheadGib(warm)).toBeCloseTo(0.808, 2);
    expect(start([0, 28, 0], { ...few, eager: true }).overheadBytes).toBe(warm.overheadBytes);
    const before = start([0, 16, 0], few);
    expect(before).toEqual(start([0, 16, 0], { ...few, compileCache: "warm" }));
  });

  test("more tokens a step hide a cold torch.compile", () => {
    const many = { limits: { ...limits, maxNumBatchedTokens: 16_384 } };
    expect(start([0, 32, 0], many)).toEqual(start([0, 32, 0], { ...many, compileCache: "warm" }));
  });

  test("several ranks take NCCL's memory over NVLink, and none over PCIe", () => {
    const over = (nvlink: "switch" | "none") =>
      start([0, 16, 0], {
        tensor: 2,
        gpu: { visibleBytes: 44.39 * gibibyte, architecture: "ada", computeCapability: "8.9", nvlink },
      }).perGpu.communication / gibibyte;
    expect(over("switch")).toBeCloseTo(0.55, 3);
    expect(over("none")).toBeCloseTo(0.05, 3);
  });

  test("graphs that the engine does not count must fit outside its budget", () => {
    const uncounted = start([0, 28, 0]);
    const counted = start([0, 29, 0]);
    expect(uncounted.perGpu.graphs).toBe(0);
    expect(counted.perGpu.graphs / gibibyte).toBeCloseTo(0.367, 2);
    expect(uncounted.outsideNeededBytes - counted.outsideNeededBytes).toBe(counted.perGpu.graphs);
    expect(start([0, 29, 0], { largestGraph: 32 }).perGpu.graphs).toBeLessThan(counted.perGpu.graphs / 4);
  });
});
