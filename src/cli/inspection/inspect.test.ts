import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { findModel, type Architecture, parameterCount } from "@llama-operator/llama/catalog";
import { InspectionError } from "./errors.ts";
import { inspect } from "./inspect.ts";
import type { Target } from "./target.ts";
import {
  fp8Tensors,
  layerBytes,
  llamaConfig,
  llamaTensors,
  safetensorsHead,
  sharded,
  textFile,
  tinyLlama,
} from "./testing/checkpoint-files.ts";
import type { FileHead, TensorToWrite } from "./testing/checkpoint-files.ts";
import { ggufHead, llamaGgufTensors, llamaMetadata } from "./testing/gguf-writer.ts";
import { endings, inspectionContext } from "./testing/inspection-context.ts";
import { sparseFolder } from "./testing/sparse-folder.ts";

const root = mkdtempSync(join(tmpdir(), "llama-operator-inspection-"));
afterAll(() => rmSync(root, { recursive: true }));
const { onEnd, endAll } = endings();
afterEach(endAll);

const folderOf = (files: Iterable<readonly [string, FileHead]>) => sparseFolder(root, files);
const context = (signal = new AbortController().signal) => inspectionContext(onEnd, signal);
const local = (path: string): Target => ({ kind: "local", path });
const architectureOf = (name: string): Architecture => findModel(name)?.architecture ?? tinyLlama;

const checkpoint = (
  tensors: readonly TensorToWrite[],
  config: Readonly<Record<string, unknown>> = {},
  architecture = tinyLlama,
): readonly (readonly [string, FileHead])[] => [
  ["config.json", textFile(llamaConfig(architecture, config))],
  ["model.safetensors", safetensorsHead(tensors)],
];

const failure = async (promise: Promise<unknown>): Promise<InspectionError> => {
  const error: unknown = await promise.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(InspectionError);
  return error as InspectionError;
};

const compressedTensors = (bits: number, type: string) => ({
  quantization_config: {
    quant_method: "compressed-tensors",
    config_groups: {
      group_0: { targets: ["Linear"], weights: { num_bits: bits, type, strategy: "channel" } },
    },
    ignore: ["lm_head"],
    kv_cache_scheme: null,
  },
});

test("Llama 3.1 8B in BF16 has 16,060,522,496 bytes of tensors, in four shards as in one file", async () => {
  const architecture = architectureOf("llama-3.1-8b");
  const tensors = llamaTensors(architecture);
  const matrix = 128_256 * 4096 * 2;
  for (const files of [
    checkpoint(tensors, {}, architecture),
    [["config.json", textFile(llamaConfig(architecture))] as const, ...sharded(tensors, 4)],
  ]) {
    const { facts, known, readBytes } = await inspect(local(folderOf(files)), context());
    expect(Object.values(facts.storedBytes).reduce((sum, bytes) => sum + bytes, 0)).toBe(16_060_522_496);
    expect(facts.parameters).toBe(8_030_261_248);
    expect(facts.profile).toEqual({
      kind: "profile",
      profile: {
        ...architecture,
        weights: "bf16",
        weightBytes: { layers: layerBytes(architecture), embeddings: matrix, head: matrix + 4096 * 2 },
      },
    });
    expect(facts.notes).toEqual([]);
    expect(known).toMatchObject({
      by: "architecture",
      models: ["llama-3.1-8b", "llama-3.1-8b-instruct", "llama-guard-3-8b"],
    });
    expect(readBytes).toBeLessThan(200_000);
  }
});

test("a tied head takes no bytes, and the final norm counts with the layers", async () => {
  const architecture = architectureOf("llama-3.2-1b-instruct");
  const { facts } = await inspect(
    local(folderOf(checkpoint(llamaTensors(architecture), {}, architecture))),
    context(),
  );
  expect(facts.profile).toMatchObject({
    profile: {
      weightBytes: { layers: layerBytes(architecture) + 2048 * 2, embeddings: 128_256 * 2048 * 2, head: 0 },
    },
  });
  const total = parameterCount(architecture) * 2;
  expect(Object.values(facts.storedBytes).reduce((sum, bytes) => sum + bytes, 0)).toBe(total);
});

test("FP8 weights are known by their tensors, with their scales and what the configuration declares", async () => {
  const config = compressedTensors(8, "float");
  const { facts } = await inspect(local(folderOf(checkpoint(fp8Tensors(tinyLlama), config))), context());
  expect(facts.quantization).toEqual({
    method: "compressed-tensors",
    weights: "fp8",
    elements: "8-bit float",
    excluded: ["lm_head"],
    fp8KvCache: false,
  });
  // Rows of one layer: q 64, k 32, v 32, o 64, gate 128, up 128, down 64; two bytes each.
  expect(facts.storedBytes.layerScales).toBe(2 * 512 * 2);
  const linear = (layerBytes(tinyLlama) - 2 * 2 * 64 * 2) / 2;
  expect(facts.profile).toMatchObject({
    profile: {
      weights: "fp8",
      quantMethod: "compressed-tensors",
      weightBytes: { layers: linear + 2 * 2 * 64 * 2 + 2048 },
    },
  });
});

test("ModelOpt's second file tells of FP8 weights and an FP8 KV cache", async () => {
  const sidecar = {
    producer: { name: "modelopt" },
    quantization: { quant_algo: "FP8", kv_cache_quant_algo: "FP8", exclude_modules: ["lm_head"] },
  };
  const files = [
    ...checkpoint(fp8Tensors(tinyLlama)),
    ["hf_quant_config.json", textFile(JSON.stringify(sidecar))] as const,
  ];
  const { facts } = await inspect(local(folderOf(files)), context());
  expect(facts.quantization).toMatchObject({ method: "modelopt", weights: "fp8", fp8KvCache: true });
});

test("integers of four bits are known by the configuration, as their tensors are packed", async () => {
  const packed = llamaTensors(tinyLlama).flatMap((tensor): readonly TensorToWrite[] => {
    const [rows = 1, columns = 1] = tensor.shape;
    if (!tensor.name.endsWith("_proj.weight")) return [tensor];
    const base = tensor.name.slice(0, -".weight".length);
    return [
      { name: `${base}.weight_packed`, dtype: "I32", shape: [rows, columns / 8] },
      { name: `${base}.weight_scale`, dtype: "BF16", shape: [rows, 1] },
      { name: `${base}.weight_shape`, dtype: "I64", shape: [2] },
    ];
  });
  const files = checkpoint(packed, compressedTensors(4, "int"));
  const { facts } = await inspect(local(folderOf(files)), context());
  expect(facts.profile).toMatchObject({ kind: "profile", profile: { weights: "int4" } });
});

test("weights in FP4 have facts and no profile, and the reason is said", async () => {
  const fp4 = llamaTensors(tinyLlama).map((tensor): TensorToWrite => {
    const [rows = 1, columns = 1] = tensor.shape;
    return tensor.name.endsWith("_proj.weight")
      ? { ...tensor, dtype: "U8", shape: [rows, columns / 2] }
      : tensor;
  });
  const config = { quantization_config: { quant_method: "modelopt", quant_algo: "NVFP4" } };
  const { facts } = await inspect(local(folderOf(checkpoint(fp4, config))), context());
  expect(facts.profile).toMatchObject({ kind: "none" });
  expect(facts.profile).toHaveProperty("reason", expect.stringContaining("4-bit float, stored as U8"));
});

test("weights in FP8 that nothing declares have no profile: an engine would not know them", async () => {
  const { facts } = await inspect(local(folderOf(checkpoint(fp8Tensors(tinyLlama)))), context());
  expect(facts.profile).toEqual({
    kind: "none",
    reason:
      "its configuration does not say how its weights (F8_E4M3) are quantised, and no engine reads them without that",
  });
});

test("32-bit weights are counted as engines load them", async () => {
  const wide = llamaTensors(tinyLlama).map((tensor): TensorToWrite => ({ ...tensor, dtype: "F32" }));
  const { facts } = await inspect(local(folderOf(checkpoint(wide))), context());
  expect(facts.profile).toMatchObject({
    profile: { weights: "bf16", weightBytes: { layers: layerBytes(tinyLlama) } },
  });
  expect(facts.notes.join()).toContain("32-bit weights");
});

describe("a checkpoint is refused with a clear message when", () => {
  const tensors = llamaTensors(tinyLlama);
  const without = (name: string) => tensors.filter((tensor) => tensor.name !== name);
  const index = (change: (map: Record<string, string>) => void) => {
    const files = new Map(sharded(tensors, 2));
    const parsed = JSON.parse(files.get("model.safetensors.index.json")?.head.toString() ?? "") as {
      weight_map: Record<string, string>;
    };
    change(parsed.weight_map);
    files.set("model.safetensors.index.json", textFile(JSON.stringify(parsed)));
    return [["config.json", textFile(llamaConfig(tinyLlama))] as const, ...files];
  };
  const doubled = new Map(sharded(tensors, 2));
  doubled.set("model-00002-of-00002.safetensors", safetensorsHead(tensors));

  test.each<readonly [string, readonly (readonly [string, FileHead])[], string]>([
    [
      "it is another model",
      checkpoint(tensors, { architectures: ["MixtralForCausalLM"] }),
      'its architecture is "MixtralForCausalLM"',
    ],
    ["it has no config.json", checkpoint(tensors).slice(1), "has no config.json"],
    [
      "config.json is no JSON",
      [["config.json", textFile("{")], ...checkpoint(tensors).slice(1)],
      "config.json: not JSON",
    ],
    ["config.json lacks a size", checkpoint(tensors, { hidden_size: undefined }), "config.json: hidden_size"],
    [
      "config.json has a size of 2^60",
      checkpoint(tensors, { vocab_size: 2 ** 60 }),
      "config.json: vocab_size",
    ],
    ["key-value heads differ", checkpoint(tensors, { num_key_value_heads: 4 }), "(4 key-value heads of 16)"],
    [
      "a layer is missing",
      checkpoint(tensors.filter(({ name }) => !name.includes("layers.1."))),
      "layer 1 has 0 linear modules of 7",
    ],
    [
      "it has more layers than declared",
      checkpoint(tensors, { num_hidden_layers: 1 }),
      "has a tensor of layer 1",
    ],
    [
      "a matrix is missing",
      checkpoint(without("model.layers.1.mlp.up_proj.weight")),
      "layer 1 has 6 linear modules of 7",
    ],
    ["the embeddings are missing", checkpoint(without("model.embed_tokens.weight")), "has no embeddings"],
    ["the head is missing and not tied", checkpoint(without("lm_head.weight")), "has no output head"],
    [
      "a tensor is no Llama's",
      checkpoint([...tensors, { name: "vision.weight", dtype: "BF16", shape: [1] }]),
      'tensor "vision.weight" is no part',
    ],
    [
      "weights are not what is declared",
      checkpoint(tensors, compressedTensors(8, "float")),
      "declares 8-bit float (compressed-tensors), and most weights are BF16",
    ],
    [
      "the index names a file elsewhere",
      index((map) => (map["lm_head.weight"] = "../model.safetensors")),
      "no safetensors file beside it",
    ],
    [
      "the index names a file that is not there",
      index((map) => (map["lm_head.weight"] = "x.safetensors")),
      'names "x.safetensors", which is not there',
    ],
    [
      "the index names a tensor that is not there",
      index((map) => (map["ghost"] = "model-00001-of-00002.safetensors")),
      'says that "ghost" is in',
    ],
    ["a tensor is in two shards", [["config.json", textFile(llamaConfig(tinyLlama))], ...doubled], "is in"],
    [
      "it has pickled weights only",
      [
        ["config.json", textFile("{}")],
        ["pytorch_model.bin", textFile("x")],
      ],
      "pickled weights only",
    ],
    [
      "it has several GGUF files",
      [
        ["a.gguf", textFile("x")],
        ["b.gguf", textFile("x")],
      ],
      "has 2 GGUF files; name one",
    ],
    ["it has nothing", [["README.md", textFile("x")]], "has no config.json"],
  ])("%s", async (_case, files, message) => {
    const error = await failure(inspect(local(folderOf(files)), context()));
    expect(error.message).toContain(message);
  });

  test("one shard of several is named", async () => {
    const folder = folderOf([["config.json", textFile(llamaConfig(tinyLlama))], ...sharded(tensors, 3)]);
    const shard = join(folder, "model-00002-of-00003.safetensors");
    expect((await failure(inspect(local(shard), context()))).message).toContain(
      "is this one file of several?",
    );
  });
});

test("a GGUF file gives its architecture, its exact bytes and a tied head where it has none", async () => {
  const llama = { ...tinyLlama, hiddenSize: 256, headDimension: 64, feedForwardSize: 512 };
  const tensors = llamaGgufTensors(llama);
  const bytes = (filter: (name: string) => boolean) =>
    tensors.filter(({ name }) => filter(name)).reduce((sum, { bytes }) => sum + bytes, 0);
  const path = join(
    folderOf([["model-Q4_K_M.gguf", ggufHead(llamaMetadata(llama), tensors)]]),
    "model-Q4_K_M.gguf",
  );
  const { facts } = await inspect(local(path), context());
  expect(facts).toMatchObject({
    format: "GGUF",
    architecture: llama,
    profile: {
      profile: {
        weights: "int4",
        quantMethod: "gguf",
        weightBytes: {
          layers: bytes((name) => name.startsWith("blk.")),
          embeddings: bytes((name) => name === "token_embd.weight"),
          head: bytes((name) => name.startsWith("output")),
        },
      },
    },
  });
  const tied = tensors.filter(({ name }) => name !== "output.weight");
  const other = join(folderOf([["tied.gguf", ggufHead(llamaMetadata(llama), tied)]]), "tied.gguf");
  expect((await inspect(local(other), context())).facts.architecture.tiedEmbeddings).toBe(true);
});

test("the first broken shard ends the reading of all, and an abort ends it with its reason", async () => {
  const shards = new Map(sharded(llamaTensors(tinyLlama), 12));
  shards.set("model-00003-of-00012.safetensors", textFile("not a header"));
  const folder = folderOf([["config.json", textFile(llamaConfig(tinyLlama))], ...shards]);
  expect((await failure(inspect(local(folder), context()))).message).toContain(
    "model-00003-of-00012.safetensors",
  );
  await expect(
    inspect(local(folder), context(AbortSignal.abort(new Error("stopped by hand")))),
  ).rejects.toThrow("stopped by hand");
});
