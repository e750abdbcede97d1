import { describe, expect, test } from "vitest";
import { gpus } from "./gpus.ts";
import type { Gpu } from "./gpus.ts";

const gibibyte = 2 ** 30;

test("GPUs have names of their own, in lower case", () => {
  const names = gpus.flatMap(({ name, aliases }) => [name, ...aliases]);
  expect(names).toEqual(names.map((name) => name.toLowerCase()));
  expect(new Set(names).size).toBe(names.length);
});

describe.each(gpus.map((gpu) => [gpu.name, gpu] as const))("%s", (_, gpu) => {
  test("shows less memory than its label says, by no more than a tenth", () => {
    const labelled = Number(/(\d+)GB$/.exec(gpu.label)?.[1]);
    expect(gpu.visibleBytes / gibibyte / labelled).toBeLessThan(1.0001);
    expect(gpu.visibleBytes / gibibyte / labelled).toBeGreaterThan(0.9);
  });

  test("has the compute capability of its architecture, and the arithmetic of both", () => {
    const ofArchitecture = {
      ampere: /^8\.[06]$/,
      ada: /^8\.9$/,
      hopper: /^9\.0$/,
      blackwell: /^1[02]\.[03]$/,
    };
    const capability = { ...ofArchitecture, cdna3: /^none$/ }[gpu.architecture];
    expect(gpu.computeCapability ?? "none").toMatch(capability);
    expect(gpu.fp8Flops === undefined).toBe(gpu.architecture === "ampere");
    expect(gpu.fp4Flops === undefined).toBe(gpu.architecture !== "blackwell");
  });

  test("computes twice as fast in FP8 as in BF16, and at least that again in FP4", () => {
    const { bf16Flops, fp8Flops = 2 * bf16Flops, fp4Flops = 2 * fp8Flops }: Gpu = gpu;
    expect(fp8Flops / bf16Flops).toBeCloseTo(2, 1);
    expect(fp4Flops / fp8Flops).toBeGreaterThanOrEqual(2);
  });
});
