import { describe, expect, test } from "vitest";
import type { MeasuredOverhead } from "../../api/measured-overheads.ts";
import { exampleSpec, h100Pool } from "../../testing/example-pools.ts";
import {
  largestOverheads,
  measuredOverheadFor,
  measuredOverheadOf,
  overheadBytesOf,
  overheadKeyOf,
} from "./measured-overheads.ts";
import type { Plan } from "../plan.ts";
import { plan as planDeployment } from "../planner.ts";

function planned(spec: Readonly<Record<string, unknown>>): Plan {
  const result = planDeployment({ spec: exampleSpec(spec), pools: [h100Pool] });
  if (result.kind === "refusal") throw new Error(result.message);
  return result;
}

const eightB = planned({ model: { name: "llama-3.1-8b-instruct" } });
const groupOf405b = planned({
  model: { name: "llama-3.1-405b-instruct" },
  quantization: { weights: "bf16" },
  context: { maxTokens: 32_768 },
});

describe("the overhead of a running engine", () => {
  test("is what its budget leaves to neither weights nor KV blocks", () => {
    const { limits, memoryPerGpu } = eightB;
    // 32 layers x 8 heads x 128 x 2 (key and value) x 2 B.
    const blockBytes = 131_072 * limits.blockSize;
    const budget = Math.ceil(0.92 * memoryPerGpu.total);
    expect(overheadBytesOf(eightB, 28_000)).toBe(budget - memoryPerGpu.weights - 28_000 * blockBytes);
  });

  test("of an engine that has what was planned is the planned one, margin included", () => {
    const { memoryPerGpu, limits, kvCacheTokens } = groupOf405b;
    const { total, weights, kvCache } = memoryPerGpu;
    const planned = Math.ceil(limits.gpuMemoryUtilization * total) - weights - kvCache;
    expect(overheadBytesOf(groupOf405b, kvCacheTokens / limits.blockSize)).toBe(planned);
  });

  test("grows by a block's bytes for every block that is missing", () => {
    const blocks = eightB.kvCacheTokens / eightB.limits.blockSize;
    const [all = 0, less = 0] = [blocks, blocks - 100].map((each) => overheadBytesOf(eightB, each));
    expect(less - all).toBe(100 * 131_072 * 16);
  });
});

describe("a measurement", () => {
  const measured = measuredOverheadOf(eightB, 2_000_000_000);
  const key = overheadKeyOf(eightB);

  test("names the settings of its plan", () => {
    expect(measured).toEqual({
      engine: "vllm",
      version: "0.32.0",
      gpu: "nvidia-h100-80gb",
      tensor: 1,
      pipeline: 1,
      model: "llama-3.1-8b-instruct",
      weights: "bf16",
      maxNumSeqs: 1024,
      maxNumBatchedTokens: 8192,
      overheadBytes: 2_000_000_000,
    });
  });

  test("applies to its own settings, and to another catalog model of the same size", () => {
    expect(measuredOverheadFor([measured], key)).toBe(measured);
    expect(measuredOverheadFor([measured], { ...key, model: "llama-guard-3-8b" })).toBe(measured);
  });

  test.each<[string, Partial<MeasuredOverhead>]>([
    ["version", { version: "0.31.0" }],
    ["GPU", { gpu: "nvidia-h200-141gb" }],
    ["tensor degree", { tensor: 2 }],
    ["pipeline degree", { pipeline: 2 }],
    ["size", { model: "llama-3.1-70b-instruct" }],
    ["model that the catalog lacks", { model: "my-8b" }],
    ["format", { weights: "fp8" }],
    ["number of sequences", { maxNumSeqs: 256 }],
    ["step", { maxNumBatchedTokens: 16_384 }],
  ])("of another %s says nothing", (_what, other) => {
    expect(measuredOverheadFor([{ ...measured, ...other }], key)).toBeUndefined();
  });

  test("of a model that the catalog lacks applies to that name alone", () => {
    const own = { ...measured, model: "my-8b" };
    expect(measuredOverheadFor([own], { ...key, model: "my-8b" })).toBe(own);
    expect(measuredOverheadFor([own], { ...key, model: "your-8b" })).toBeUndefined();
  });

  test("that is the largest of several counts", () => {
    const larger = { ...measured, overheadBytes: 3_000_000_000 };
    expect(measuredOverheadFor([measured, larger, measured], key)).toBe(larger);
    expect(largestOverheads([measured, larger, { ...measured, tensor: 2 }])).toEqual([
      larger,
      { ...measured, tensor: 2 },
    ]);
  });
});
