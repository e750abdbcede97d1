import { expect, test } from "vitest";
import { findModel } from "../../../src/llama/catalog/models.ts";
import { bf16Layout, int4Layout } from "../../../src/llama/catalog/weight-bytes.ts";
import { llamaCppKvCache } from "./llama-cpp.ts";

const architecture = findModel("llama-3.1-8b")?.architecture;
if (architecture === undefined) throw new Error("not in the catalog");

test("the cache is the context asked for: 256 MiB for 2,048 tokens of an 8B in 16 bits", () => {
  const input = { architecture, layout: int4Layout, kvCache: "bf16", contextTokens: 2048 } as const;
  const { tokens, kvBytes, onGpu } = llamaCppKvCache({ ...input, visibleBytes: 24 * 2 ** 30 });
  expect({ tokens, kvBytes, onGpu }).toEqual({ tokens: 2048, kvBytes: 256 * 2 ** 20, onGpu: true });
});

test("what does not fit goes to the CPU instead of being refused", () => {
  const input = { architecture, layout: bf16Layout, kvCache: "bf16", contextTokens: 131_072 } as const;
  expect(llamaCppKvCache({ ...input, visibleBytes: 24 * 2 ** 30 }).onGpu).toBe(false);
});
