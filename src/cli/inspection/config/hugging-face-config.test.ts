import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InspectionError } from "../errors.ts";
import { llamaConfig, tinyLlama } from "../testing/checkpoint-files.ts";
import { readConfig } from "./hugging-face-config.ts";

const read = (more: Readonly<Record<string, unknown>>, sidecar?: unknown) =>
  readConfig(
    { name: "config.json", text: llamaConfig(tinyLlama, more) },
    sidecar === undefined ? undefined : { name: "hf_quant_config.json", text: JSON.stringify(sidecar) },
  );

describe("odd forms that are legal are read as the engine reads them:", () => {
  test.each([
    ["sizes as floats", { hidden_size: 64.0, vocab_size: 320.0 }],
    ["nulls where there is a default", { num_key_value_heads: 2, head_dim: null, tie_word_embeddings: null }],
    ["the first spelling of the class", { architectures: ["LLaMAForCausalLM"] }],
    ["no quantisation, said twice", { quantization_config: null, compression_config: null }],
    ["an empty scaling", { rope_scaling: {}, rope_parameters: {} }],
  ])("%s", (_case, more) => {
    const { architecture, quantization, notes } = read(more);
    expect(architecture).toEqual(tinyLlama);
    expect(quantization).toBeUndefined();
    expect(notes).toEqual([]);
  });

  test("compressed-tensors under its first key, without a name", () => {
    const compression_config = { config_groups: { group_0: { weights: { num_bits: 8, type: "float" } } } };
    expect(read({ compression_config }).quantization).toMatchObject({
      method: "compressed-tensors",
      weights: "fp8",
    });
  });

  test("what config.json declares goes before the file beside it", () => {
    const sidecar = { quantization: { quant_algo: "NVFP4" } };
    expect(read({ quantization_config: { quant_method: "fp8" } }, sidecar).quantization?.method).toBe("fp8");
    expect(read({}, sidecar).quantization?.elements).toBe("4-bit float");
  });
});

/** What an InspectionError says; any other error is thrown on. */
function sentence(run: () => unknown): string {
  try {
    run();
    return "config.json: read";
  } catch (error) {
    if (error instanceof InspectionError) return error.message;
    throw error;
  }
}

test("whatever a field holds, there is an answer or a sentence that names it", () => {
  const field = fc.constantFrom(
    "architectures",
    "hidden_size",
    "num_hidden_layers",
    "num_key_value_heads",
    "head_dim",
    "vocab_size",
    "max_position_embeddings",
    "model_max_length",
    "rope_scaling",
    "rope_parameters",
    "sliding_window",
    "layer_types",
    "tie_word_embeddings",
    "quantization_config",
    "quantization",
    "compression_config",
  );
  const inner = fc.dictionary(
    fc.constantFrom(
      "quant_method",
      "bits",
      "group_size",
      "weight_block_size",
      "config_groups",
      "quantization",
      "type",
      "factor",
      "rope_type",
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  fc.assert(
    fc.property(field, fc.oneof(fc.jsonValue({ maxDepth: 3 }), inner), (name, value) => {
      const said = sentence(() => read({ [name]: value }));
      expect(said).toMatch(/^config\.json: (?:was made by MLX|[a-z])/);
      // The validator's own words are for its users.
      expect(said).not.toMatch(/Invalid input|expected |received /);
      expect(said.length).toBeLessThan(600);
    }),
    { numRuns: 500 },
  );
});
