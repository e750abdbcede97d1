import { expect, test } from "vitest";
import { models } from "./models.ts";
import { ollamaTagsOf } from "./ollama-tags.ts";
import { parameterCount } from "./weight-bytes.ts";

const instruct = models.filter(({ name }) => name.endsWith("-instruct") || name.includes("guard"));

test.each(instruct)(
  "$name has a tag of about the size that its quantisation makes",
  ({ name, architecture }) => {
    const tags = ollamaTagsOf(name);
    expect(tags.length).toBeGreaterThan(0);
    for (const { quantisation, bytes, digest } of tags) {
      // Bits a weight of whole files, by llama.cpp's quantize README: 4.89, 8.5 and 16; small models store their
      // output head apart, which adds up to a fifth.
      const bits = { Q4_K_M: 4.89, Q8_0: 8.5, F16: 16 }[quantisation];
      const expected = (parameterCount(architecture) * bits) / 8;
      expect(bytes / expected).toBeGreaterThan(0.95);
      expect(bytes / expected).toBeLessThan(1.25);
      expect(digest ?? `sha256:${"0".repeat(64)}`).toMatch(/^sha256:[0-9a-f]{64}$/);
    }
  },
);

test("base models have none", () => {
  expect(ollamaTagsOf("llama-3.1-8b")).toEqual([]);
});
