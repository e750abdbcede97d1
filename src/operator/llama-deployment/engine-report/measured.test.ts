import { describe, expect, test } from "vitest";
import type { PromisedMemory } from "@llama-operator/llama/planning";
import { isShort, measuredOf } from "./measured.ts";

const gibibyte = 2 ** 30;

/** An 8B on an H100, in round numbers: 1000 blocks of 2 MiB. */
const plan: PromisedMemory = {
  limits: {
    maxModelLen: 1000,
    maxNumSeqs: 256,
    maxNumBatchedTokens: 2048,
    gpuMemoryUtilization: 0.5,
    blockSize: 16,
  },
  memoryPerGpu: {
    total: 40 * gibibyte,
    weights: 15 * gibibyte,
    kvCache: 1000 * 2 * 2 ** 20,
  },
  kvCacheTokens: 16_000,
};

describe("what status says of a report", () => {
  test("is the engine's own figures, the drift, and what the budget left to neither weights nor cache", () => {
    const report = {
      tokens: 15_600,
      blocks: 980,
      blockSize: 16,
      maxConcurrency: 15.5678,
      gpuMemoryUtilization: 0.5,
    };
    expect(measuredOf(plan, report)).toEqual({
      kvCacheTokens: 15_600,
      driftPercent: "-2.0",
      maxConcurrency: "15.56",
      blockSize: 16,
      gpuMemoryUtilization: "0.5",
      overheadBytes: 20 * gibibyte - 15 * gibibyte - 980 * 2 * 2 ** 20,
    });
  });

  test("counts whole blocks, so that what the engine rounds away is no drift", () => {
    // 1000 blocks, 63 of them for a request of 1000 tokens: the engine prints int(1000 / 63 x 1000).
    expect(measuredOf(plan, { tokens: 15_873, blocks: 1000, blockSize: 16 })?.driftPercent).toBe("0.0");
  });

  test("goes by tokens where the engine names no blocks, and has no minus before a zero", () => {
    expect(measuredOf(plan, { tokens: 15_999 })).toMatchObject({
      kvCacheTokens: 15_999,
      driftPercent: "0.0",
    });
    expect(measuredOf(plan, { tokens: 17_000 })?.driftPercent).toBe("6.3");
  });

  test("has what LoRA slots and drafts take in none of it", () => {
    const withSlots = { ...plan, memoryPerGpu: { ...plan.memoryPerGpu, additional: gibibyte } };
    const overhead = (given: PromisedMemory) => measuredOf(given, { tokens: 16_000 })?.overheadBytes ?? 0;
    expect(overhead(plan) - overhead(withSlots)).toBe(gibibyte);
  });

  test("has no overhead where the engine got more than the plan's budget", () => {
    expect(measuredOf(plan, { tokens: 16_000_000 })).not.toHaveProperty("overheadBytes");
  });

  test("has no overhead where a flag has set the size of the cache", () => {
    expect(measuredOf(plan, { tokens: 8000, wasSet: true })).toEqual({
      kvCacheTokens: 8000,
      driftPercent: "-50.0",
    });
  });

  test("is nothing where the plan promised no cache", () => {
    expect(measuredOf({ ...plan, kvCacheTokens: 0 }, { tokens: 100 })).toBeUndefined();
  });
});

test("an engine is short of KV cache beyond three percent", () => {
  const short = (driftPercent: string) => isShort({ kvCacheTokens: 1, driftPercent });
  expect(["2.0", "0.0", "-3.0", "-3.1"].map(short)).toEqual([false, false, false, true]);
});
