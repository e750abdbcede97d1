import { describe, expect, test } from "vitest";
import { parseEngineVersion } from "../../catalog/engines/version.ts";
import { vllmRegime } from "../../catalog/engines/vllm-regimes.ts";
import { findModel } from "../../catalog/models.ts";
import type { Architecture } from "../../catalog/models.ts";
import { bf16Layout, fbgemmLayout, fp8Layout } from "../../catalog/weight-bytes.ts";
import type { WeightLayout } from "../../catalog/weight-bytes.ts";
import { kvBytesPerToken } from "./kv-cache.ts";
import { accountMemory } from "./memory.ts";
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

describe("overhead", () => {
  test.each([
    ["llama-3.1-8b", 1, 0.72],
    ["llama-3.1-70b", 1, 1.44],
    ["llama-3.1-70b", 4, 0.47],
    ["llama-3.1-405b", 8, 0.7],
  ])("the forward pass of %s with tensor %d peaks at %d GiB", (name, tensor, gib) => {
    expect(forwardPassBytes(architectureOf(name), tensor, 8192) / gibibyte).toBeCloseTo(gib, 1);
  });

  test("U is 0.489 GiB at 1024 rows", () => {
    expect(logitsUnitBytes(architectureOf("llama-3.1-8b"), limits) / gibibyte).toBeCloseTo(0.489, 3);
  });

  test("51 batch sizes are captured up to 512, fewer with fewer sequences, more on Blackwell", () => {
    expect(capturedSizes(1024, "hopper")).toBe(51);
    expect(capturedSizes(16, "hopper")).toBe(7);
    expect(capturedSizes(1024, "blackwell")).toBe(83);
  });
});

describe("public start-up logs", () => {
  const logs = [
    {
      id: "8B BF16, H100, 0.11.0",
      model: "llama-3.1-8b",
      layout: bf16Layout,
      architecture: "hopper",
      visibleGib: 79.18,
      tensor: 1,
      version: "0.11.0",
      eager: false,
      limits: { ...limits, maxModelLen: 16_000, gpuMemoryUtilization: 0.9 },
      tokens: 420_900,
    },
    {
      id: "70B BF16, 4 x H200, 0.13.0",
      model: "llama-3.3-70b-instruct",
      layout: bf16Layout,
      architecture: "hopper",
      visibleGib: 139.8,
      tensor: 4,
      version: "0.13.0",
      eager: false,
      limits: { ...limits, maxModelLen: 8192 },
      tokens: 1_182_608,
    },
    {
      id: "70B FP8, 4 x H200, 0.11.2",
      model: "llama-3.3-70b-instruct",
      layout: fp8Layout,
      architecture: "hopper",
      visibleGib: 139.8,
      tensor: 4,
      version: "0.11.2",
      eager: false,
      limits: { ...limits, maxModelLen: 8192 },
      tokens: 1_391_344,
    },
    {
      id: "70B BF16, 4 x H200, 0.18.0",
      model: "llama-3.3-70b-instruct",
      layout: bf16Layout,
      architecture: "hopper",
      visibleGib: 139.8,
      tensor: 4,
      version: "0.18.0",
      eager: false,
      limits: { ...limits, maxModelLen: 8192 },
      tokens: 1_200_192,
    },
    {
      id: "8B BF16, A100 40GB, 0.15.1",
      model: "llama-3.1-8b",
      layout: bf16Layout,
      architecture: "ampere",
      visibleGib: 39.39,
      tensor: 1,
      version: "0.15.1",
      eager: true,
      limits: { ...limits, maxNumSeqs: 256, maxNumBatchedTokens: 2048, gpuMemoryUtilization: 0.9 },
      tokens: 157_936,
    },
  ] as const;

  test.each(logs)("$id is met within 3 %", (log) => {
    const version = parseEngineVersion(log.version);
    const regime = version && vllmRegime(version, log.layout !== bf16Layout);
    if (regime === undefined) throw new Error("no regime");
    const account = accountMemory({
      architecture: architectureOf(log.model),
      layout: log.layout,
      tensor: log.tensor,
      pipeline: 1,
      kvCache: "bf16",
      gpu: { visibleBytes: log.visibleGib * gibibyte, architecture: log.architecture },
      regime,
      marginBytes: 0,
      limits: log.limits,
      eager: log.eager,
      minConcurrency: 1,
    });
    expect(Math.abs(account.kvCacheTokens / log.tokens - 1)).toBeLessThan(0.03);
  });
});
