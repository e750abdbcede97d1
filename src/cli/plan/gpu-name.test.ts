import { describe, expect, test } from "vitest";
import { gpus } from "@llama-operator/llama/catalog";
import { namedGpu } from "./gpu-name.ts";

describe("a card is found", () => {
  test.each([
    ["h100", "nvidia-h100-80gb"],
    ["H100 80GB", "nvidia-h100-80gb"],
    ["nvidia-h100-80gb-hbm3", "nvidia-h100-80gb"],
    ["h100-nvl", "nvidia-h100-nvl-94gb"],
    ["h200", "nvidia-h200-141gb"],
    ["l4", "nvidia-l4"],
    ["L40S", "nvidia-l40s"],
    ["a100-40gb", "nvidia-a100-40gb"],
    ["mi300x", "amd-mi300x"],
  ])("%s is %s", (text, product) => {
    expect(namedGpu(text)).toEqual({ product });
  });

  test("by each of its names in the catalog", () => {
    for (const { name, aliases } of gpus) {
      for (const each of [name, ...aliases]) expect(namedGpu(each)).toEqual({ product: name });
    }
  });
});

describe("a name is never completed into another card:", () => {
  // Cards that are or were sold, and beginnings of names.
  test.each(["a10", "h20", "h10", "l40", "l", "a1", "h1000", "b20", "mi3", "t4", "v100", "nvidia-h20", ""])(
    "%j",
    (text) => {
      expect(namedGpu(text)).toHaveProperty("problem");
    },
  );

  test("the nearest names are offered", () => {
    expect(namedGpu("h10")).toMatchObject({ problem: expect.stringContaining("nvidia-h100-80gb") });
    expect(namedGpu("h20")).toMatchObject({ problem: expect.stringContaining("nvidia-h200-141gb") });
  });

  test("a card that is sold in two sizes is asked for by its size", () => {
    expect(namedGpu("a100")).toEqual({
      problem: "may be any of nvidia-a100-80gb, nvidia-a100-40gb: say which",
    });
  });
});
