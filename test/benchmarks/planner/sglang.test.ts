import { expect, test } from "vitest";
import { sglangMemoryFraction } from "./sglang-defaults.ts";
import { findModel } from "../../../src/llama/catalog/models.ts";
import { bf16Layout } from "../../../src/llama/catalog/weight-bytes.ts";
import { sglangKvTokens } from "./sglang.ts";

const gibibyte = 2 ** 30;

// 8B in BF16, mem-fraction-static 0.88: MI300X testing notes (0.3.3), SGLang's docs (0.4.1) and a pull request (0.4.4).
test.each([
  ["MI300X", 191.33, 1_256_440],
  ["H100", 78.81, 444_500],
  ["H100", 78.59, 442_750],
])("the pool on an %s with %d GiB free is as logged within 0.2 %%", (_, freeGib, logged) => {
  const architecture = findModel("llama-3.1-8b")?.architecture;
  if (architecture === undefined) throw new Error("not in the catalog");
  const tokens = sglangKvTokens({
    architecture,
    layout: bf16Layout,
    tensor: 1,
    pipeline: 1,
    kvCache: "bf16",
    freeBytes: freeGib * gibibyte,
    memoryFraction: 0.88,
  });
  expect(Math.abs(tokens / logged - 1)).toBeLessThan(0.002);
});

test.each([
  [[0, 4, 1], 81_559, 1, 0.88],
  // (9.5 + 1/2) GiB of an 80 GB card are kept.
  [[0, 5, 0], 81_559, 1, 0.874],
  // 512 + 1.5 x 8192 + 2 x 256 + 1/8 GiB.
  [[0, 5, 6], 81_559, 1, 0.835],
] as const)(
  "version %j keeps so much of a card of %d MiB that %d rank may take %d",
  (version, capacityMib, tensor, fraction) => {
    expect(sglangMemoryFraction({ version, capacityMib, tensor, pipeline: 1 })).toBeCloseTo(fraction, 2);
  },
);
