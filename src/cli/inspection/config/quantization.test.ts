import { describe, expect, test } from "vitest";
import { readQuantization } from "./quantization.ts";

const read = (config: unknown) => readQuantization("config.json", config);
const group = (weights: Readonly<Record<string, unknown>>) => ({
  quant_method: "compressed-tensors",
  config_groups: { group_0: { targets: ["Linear"], weights } },
});

describe("what shares one scale", () => {
  test.each([
    ["FP8 blocks", { quant_method: "fp8", weight_block_size: [128, 128] }, { outputs: 128, inputs: 128 }],
    ["other FP8 blocks", { quant_method: "fp8", weight_block_size: [64, 256] }, { outputs: 64, inputs: 256 }],
    ["FP8 of whole matrices", { quant_method: "fp8", weight_block_size: null }, undefined],
    ["AWQ", { quant_method: "awq", bits: 4, group_size: 64 }, { outputs: 1, inputs: 64 }],
    ["AWQ of old", { quant_method: "awq", w_bit: 4, q_group_size: 32 }, { outputs: 1, inputs: 32 }],
    ["GPTQ of whole rows", { quant_method: "gptq", bits: 4, group_size: -1 }, { outputs: 1 }],
    ["AutoRound", { quant_method: "intel/auto-round", bits: 4, group_size: 32 }, { outputs: 1, inputs: 32 }],
    [
      "compressed-tensors in blocks",
      group({ num_bits: 8, type: "float", strategy: "block", block_structure: [128, 64] }),
      { outputs: 128, inputs: 64 },
    ],
    [
      "compressed-tensors in blocks, as it was written at first",
      group({ num_bits: 8, type: "float", strategy: "block", block_structure: "128x128" }),
      { outputs: 128, inputs: 128 },
    ],
    [
      "compressed-tensors in groups",
      group({ num_bits: 4, type: "int", strategy: "group", group_size: 32 }),
      { outputs: 1, inputs: 32 },
    ],
    [
      "compressed-tensors by channel",
      group({ num_bits: 4, type: "int", strategy: "channel" }),
      { outputs: 1 },
    ],
    [
      "compressed-tensors FP8 by channel",
      group({ num_bits: 8, type: "float", strategy: "channel" }),
      undefined,
    ],
    [
      "ModelOpt's FP8 per block",
      { quant_method: "modelopt", quant_algo: "FP8_PB_WO" },
      { outputs: 128, inputs: 128 },
    ],
    ["bitsandbytes", { quant_method: "bitsandbytes", load_in_4bit: true }, undefined],
  ])("in %s", (_case, config, block) => {
    expect(read(config).block).toEqual(block);
  });

  test("has two sides", () => {
    expect(() => read({ quant_method: "fp8", weight_block_size: [128] })).toThrow(
      "weight_block_size is [128], and a block of weights has two sides",
    );
    expect(() =>
      read(group({ num_bits: 8, type: "float", strategy: "block", block_structure: "128 by 128" })),
    ).toThrow("a block of weights has two sides");
  });
});

test("blocks with static scales of the activations are no plan", () => {
  const config = { quant_method: "fp8", weight_block_size: [128, 128] };
  expect(read({ ...config, activation_scheme: "dynamic" }).problem).toBeUndefined();
  expect(read({ ...config, activation_scheme: "static" }).problem).toContain("vLLM does not load");
});

describe("the method", () => {
  test.each([
    ["COMPRESSED_TENSORS", "compressed-tensors"],
    ["FP8", "fp8"],
    ["intel/auto-round", "auto-round"],
  ])("%s is %s", (written, method) => {
    expect(read({ quant_method: written }).method).toBe(method);
  });

  test.each(["torchao", "hqq", "quip", "eetq", "deepspeedfp", "quark", "aqlm", "higgs", "vptq", "bitnet"])(
    "%s is not known, and said by its name",
    (quant_method) => {
      expect(read({ quant_method, bits: 4 })).toMatchObject({
        weights: undefined,
        problem: expect.stringContaining(`quantisation method "${quant_method}" is not known`),
      });
    },
  );

  test.each([[{}], [{ quant_method: null }], [{ quant_method: "" }], [{ bits: 4, group_size: 64 }]])(
    "of %j is missing, which gets a sentence",
    (config) => {
      expect(() => read(config)).toThrow("config.json: quantization_config does not say its quant_method");
    },
  );

  test.each([
    [{ quant_method: 7 }, "quantization_config.quant_method is 7, and text belongs there"],
    [[], "quantization_config is [], and an object belongs there"],
    [{ quant_method: "gptq", bits: "4" }, 'quantization_config.bits is "4", and a number belongs there'],
  ])("or a field of another type gets one too: %j", (config, message) => {
    expect(() => read(config)).toThrow(`config.json: ${message}`);
  });
});

describe("ModelOpt", () => {
  const inner = { quant_algo: "FP8", kv_cache_quant_algo: "FP8", exclude_modules: ["lm_head"] };
  test.each([
    ["flat", { quant_method: "modelopt", ...inner }],
    ["nested", { quant_method: "modelopt", quantization: inner }],
    ["named by its producer alone", { producer: { name: "modelopt", version: "0.33" }, quantization: inner }],
  ])("is read %s", (_case, config) => {
    expect(read(config)).toEqual({
      method: "modelopt",
      weights: "fp8",
      elements: "8-bit float",
      excluded: ["lm_head"],
      fp8KvCache: true,
    });
  });

  test.each([
    ["FP8_PER_CHANNEL_PER_TOKEN", "fp8"],
    ["NVFP4", undefined],
    ["W4A8_AWQ", undefined],
    ["MXFP8", undefined],
    ["MIXED_PRECISION", undefined],
  ])("%s is what vLLM makes of it", (quant_algo, weights) => {
    expect(read({ quant_method: "modelopt", quant_algo }).weights).toBe(weights);
  });
});

describe("an FP8 KV cache", () => {
  const fp8 = { num_bits: 8, type: "float" };
  test.each([
    ["by scheme", { ...group(fp8), kv_cache_scheme: { ...fp8, strategy: "tensor", dynamic: false } }, true],
    ["by a word", { quant_method: "fp8", kv_cache_scheme: "static" }, true],
    ["not", { ...group(fp8), kv_cache_scheme: null }, false],
    ["not, but integers", { ...group(fp8), kv_cache_scheme: { num_bits: 8, type: "int" } }, false],
  ])("is declared %s", (_case, config, declared) => {
    expect(read(config).fp8KvCache).toBe(declared);
  });

  test("may be all that is quantised", () => {
    const scheme = { kv_cache_scheme: fp8, config_groups: {} };
    expect(read({ quant_method: "compressed-tensors", ...scheme })).toMatchObject({
      weights: "bf16",
      fp8KvCache: true,
    });
    expect(
      read({ quant_method: "modelopt", quantization: { quant_algo: null, kv_cache_quant_algo: "FP8" } }),
    ).toMatchObject({ weights: "bf16", fp8KvCache: true });
  });
});

test("sparse weights, and groups that differ, have no profile", () => {
  const sparse = {
    ...group({ num_bits: 8, type: "float" }),
    sparsity_config: { format: "sparse-24-bitmask" },
  };
  expect(read(sparse).problem).toContain("sparse");
  const mixed = {
    quant_method: "compressed-tensors",
    config_groups: {
      a: { weights: { num_bits: 4, type: "int", group_size: 128 } },
      b: { weights: { num_bits: 4, type: "int", group_size: 32 } },
    },
  };
  expect(read(mixed)).toMatchObject({ weights: undefined, elements: "several formats" });
});
