import { describe, expect, test } from "vitest";
import { findGpu } from "../gpus.ts";
import { compareVersions, parseEngineVersion } from "./version.ts";
import { vllmRegime } from "./vllm-regimes.ts";
import { batchDefaults, supportsFp8KvCache } from "./vllm.ts";

describe("engine versions", () => {
  test("are compared number by number", () => {
    expect(compareVersions([0, 9, 2], [0, 32, 0])).toBeLessThan(0);
    expect(compareVersions([1, 0, 0], [0, 32, 0])).toBeGreaterThan(0);
    expect(compareVersions([0, 32, 0], [0, 32, 0])).toBe(0);
    expect(parseEngineVersion("0.32")).toBeUndefined();
  });

  test("quantised checkpoints keep the V1 rule until 0.25", () => {
    expect(vllmRegime([0, 24, 0], false)?.name).toBe("V2 0.23 to 0.28");
    expect(vllmRegime([0, 24, 0], true)?.name).toBe("V1 0.20 to 0.22");
    expect(vllmRegime([0, 32, 0], true)?.name).toBe("V2 0.29 and later");
    expect(vllmRegime([0, 8, 3], false)?.name).toBe("V1 0.8 to 0.16");
    expect(vllmRegime([0, 3, 3], false)).toBeUndefined();
  });

  test("an FP8 KV cache is sound on Hopper from 0.19.1, and never on Ampere", () => {
    expect(supportsFp8KvCache([0, 19, 0], "hopper")).toBe(false);
    expect(supportsFp8KvCache([0, 19, 1], "hopper")).toBe(true);
    expect(supportsFp8KvCache([0, 32, 0], "ampere")).toBe(false);
  });
});

test.each([
  ["nvidia-h100-80gb", 1024, 8192],
  ["nvidia-h200-141gb", 1024, 8192],
  ["nvidia-b200", 1024, 16_384],
  ["nvidia-a100-80gb", 256, 2048],
  ["nvidia-l40s", 256, 2048],
  ["nvidia-rtx-pro-6000", 1024, 8192],
  ["nvidia-b300", 1024, 16_384],
  ["nvidia-rtx-3090", 256, 2048],
])("%s starts with %d sequences and %d tokens a step", (name, maxNumSeqs, maxNumBatchedTokens) => {
  const gpu = findGpu(name);
  expect(gpu && batchDefaults({ gpu, version: [0, 32, 0], maxModelLen: 131_072 })).toEqual({
    maxNumSeqs,
    maxNumBatchedTokens,
  });
});

test("an A100 with 80 GB started as an H100 does before 0.9", () => {
  const gpu = findGpu("nvidia-a100-80gb");
  const at = (version: readonly [number, number, number]) =>
    gpu && batchDefaults({ gpu, version, maxModelLen: 131_072 }).maxNumSeqs;
  expect([at([0, 8, 5]), at([0, 9, 0])]).toEqual([1024, 256]);
});

test("GPUs are found by their clouds' and drivers' names too", () => {
  expect(findGpu("NVIDIA-H100-80GB-HBM3")?.name).toBe("nvidia-h100-80gb");
  expect(findGpu("nvidia-h100-mega-80gb")?.label).toBe("H100 80GB");
  expect(findGpu("NVIDIA-B300-SXM6-AC")?.label).toBe("B300 288GB");
  expect(findGpu("NVIDIA-GH200-480GB")?.label).toBe("GH200 96GB");
  expect(findGpu("NVIDIA-GeForce-RTX-4090")?.name).toBe("nvidia-rtx-4090");
  expect(findGpu("NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition")?.name).toBe("nvidia-rtx-pro-6000");
  expect(findGpu("AMD-Instinct-MI325X-OAM")?.name).toBe("amd-mi325x");
  expect(findGpu("nvidia-a10")).toBeUndefined();
  expect(findGpu("intel-gaudi-3")).toBeUndefined();
});
