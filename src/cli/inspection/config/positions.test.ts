import { describe, expect, test } from "vitest";
import { positionsOf } from "./positions.ts";

const tokensOf = (fields: Readonly<Record<string, unknown>>) =>
  positionsOf("config.json", { max_position_embeddings: 4096, ...fields }).tokens;

describe("rotary scaling", () => {
  // What vLLM's _get_and_verify_max_len derives of 4,096 positions.
  test.each([
    ["linear", { type: "linear", factor: 4 }, 16_384],
    ["linear by another name of its type", { rope_type: "linear", factor: 4 }, 16_384],
    ["dynamic", { type: "dynamic", factor: 2 }, 8192],
    ["dynamic by alpha alone", { type: "dynamic", alpha: 1000 }, 4096],
    ["ntk", { rope_type: "ntk", factor: 2.5 }, 10_240],
    ["a factor that leaves a fraction", { rope_type: "linear", factor: 1.0001 }, 4096],
    ["deepseek_yarn", { rope_type: "deepseek_yarn", factor: 40 }, 163_840],
    [
      "yarn, from the original length",
      { rope_type: "yarn", factor: 4, original_max_position_embeddings: 2048 },
      8192,
    ],
    ["yarn without an original length", { rope_type: "yarn", factor: 4 }, 16_384],
    [
      "llama3, which is scaled already",
      { rope_type: "llama3", factor: 8, original_max_position_embeddings: 512 },
      4096,
    ],
    ["longrope", { rope_type: "longrope", factor: 32, short_factor: [1], long_factor: [2] }, 4096],
    ["su", { type: "su", factor: 32 }, 4096],
    ["su beside its new name", { type: "su", rope_type: "longrope", factor: 32 }, 4096],
    ["mrope", { type: "mrope", mrope_section: [16, 24, 24] }, 4096],
    ["mrope beside default", { type: "mrope", rope_type: "default", mrope_section: [16, 24, 24] }, 4096],
    ["default", { rope_type: "default" }, 4096],
    ["no factor", { rope_type: "linear", factor: null }, 4096],
    ["no type, with a factor", { factor: 2 }, 8192],
    ["nothing", null, 4096],
  ])("by %s", (_case, scaling, tokens) => {
    expect(tokensOf({ rope_scaling: scaling })).toBe(tokens);
    expect(tokensOf({ rope_parameters: scaling })).toBe(tokens);
  });

  test("takes rope_scaling where both are there, and an original length beside it before the one inside", () => {
    const parameters = { rope_type: "linear", factor: 8 };
    expect(tokensOf({ rope_scaling: { type: "linear", factor: 2 }, rope_parameters: parameters })).toBe(8192);
    const yarn = { rope_type: "yarn", factor: 2, original_max_position_embeddings: 2048 };
    expect(tokensOf({ rope_scaling: yarn, original_max_position_embeddings: 1024 })).toBe(2048);
  });

  test("may be one for each kind of layer", () => {
    const rope_parameters = {
      full_attention: { rope_type: "linear", factor: 8 },
      sliding_attention: { rope_type: "default" },
    };
    expect(tokensOf({ rope_parameters })).toBe(32_768);
  });

  test("is said, and so is a type that is not known", () => {
    const linear = positionsOf("config.json", {
      max_position_embeddings: 4096,
      rope_scaling: { type: "linear", factor: 4 },
    });
    expect(linear.notes).toEqual(["the context is 4,096 x 4 by rotary scaling (linear)"]);
    const strange = positionsOf("config.json", {
      max_position_embeddings: 4096,
      rope_scaling: { rope_type: "spiral", factor: 2 },
    });
    expect(strange.notes.join()).toContain('rotary scaling "spiral" is not known here');
  });

  test.each([
    [{ type: "linear", factor: "4.0" }, 'rope_scaling.factor is "4.0", and a factor is a number above 0'],
    [{ type: "linear", factor: 0 }, "rope_scaling.factor is 0,"],
    [{ type: "linear", factor: Infinity }, "rope_scaling.factor is Infinity,"],
    [{ type: "linear", rope_type: "yarn", factor: 2 }, 'says type "linear" and rope_type "yarn"'],
    [{ type: 4 }, "rope_scaling has the type 4"],
    ["linear", 'rope_scaling is "linear"'],
    [{ type: "linear", factor: 2 ** 40 }, "rotary scaling by 1099511627776 makes"],
  ])("as %j is refused with a sentence", (scaling, message) => {
    expect(() => tokensOf({ rope_scaling: scaling })).toThrow(message);
  });
});

describe("the context without scaling", () => {
  const of = (fields: Readonly<Record<string, unknown>>) => positionsOf("config.json", fields);

  test("is the smallest of the fields that bound it, as in vLLM", () => {
    expect(of({ max_position_embeddings: 4096, max_sequence_length: 2048 })).toEqual({
      tokens: 2048,
      notes: ["the context follows from max_sequence_length, as in the engine"],
    });
    expect(of({ max_position_embeddings: 4096, max_sequence_length: 8192 }).tokens).toBe(4096);
    expect(of({ max_position_embeddings: 4096, seq_length: 1024, n_positions: 512 }).tokens).toBe(512);
  });

  test("is model_max_length before all others, unless that says that there is no limit", () => {
    expect(of({ max_position_embeddings: 4096, model_max_length: 8192 }).tokens).toBe(8192);
    expect(of({ max_position_embeddings: 4096, model_max_length: 1e30 }).tokens).toBe(4096);
  });

  test("is 2,048 tokens where nothing says it, transformers' default for Llama, and it is said", () => {
    for (const fields of [{}, { max_position_embeddings: null }, { max_sequence_length: 8192 }]) {
      expect(of(fields).tokens).toBe(2048);
      expect(of(fields).notes.join()).toContain("has no max_position_embeddings: 2,048 tokens");
    }
    expect(of({ max_sequence_length: 1024 }).tokens).toBe(1024);
  });

  test("is scaled from there", () => {
    expect(of({ max_sequence_length: 1024, rope_scaling: { type: "linear", factor: 2 } }).tokens).toBe(2048);
  });
});
