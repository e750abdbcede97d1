import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { InspectionError } from "./errors.ts";
import { inspect } from "./inspect.ts";
import {
  llamaConfig,
  llamaTensors,
  safetensorsHead,
  textFile,
  tinyLlama,
} from "./testing/checkpoint-files.ts";
import type { FileHead } from "./testing/checkpoint-files.ts";
import { entry, ggufHead, llamaF16Tensors, llamaMetadata } from "./testing/gguf-writer.ts";
import { endings, inspectionContext } from "./testing/inspection-context.ts";
import { sparseFolder } from "./testing/sparse-folder.ts";

const root = mkdtempSync(join(tmpdir(), "llama-operator-true-names-"));
afterAll(() => rmSync(root, { recursive: true }));
const { onEnd, endAll } = endings();
afterEach(endAll);

type Files = readonly (readonly [string, FileHead])[];

const look = (files: Files, file = "") =>
  inspect({ kind: "local", path: join(sparseFolder(root, files), file) }, inspectionContext(onEnd));

async function told(files: Files, file?: string): Promise<string> {
  const error: unknown = await look(files, file).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(InspectionError);
  return error instanceof Error ? error.message : "";
}

const weights = safetensorsHead(llamaTensors(tinyLlama));
const config = (more: Readonly<Record<string, unknown>> = {}) =>
  ["config.json", textFile(llamaConfig(tinyLlama, more))] as const;
const json = (value: unknown) => textFile(JSON.stringify(value));

describe("a folder is called what it is:", () => {
  const lora = json({ peft_type: "LORA", base_model_name_or_path: "some/llama", r: 16 });
  const pair = safetensorsHead([
    { name: "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", dtype: "F32", shape: [16, 64] },
  ]);
  const serveIt =
    'is a LoRA adapter of some/llama, not a model: serve some/llama with engine.args enable-lora "", max-lora-rank "16" and lora-modules name=path; or merge the adapter';

  test.each<readonly [string, Files, string]>([
    [
      "a LoRA adapter",
      [
        ["adapter_config.json", lora],
        ["adapter_model.safetensors", pair],
      ],
      serveIt,
    ],
    [
      "a LoRA adapter in pickles",
      [
        ["adapter_config.json", lora],
        ["adapter_model.bin", textFile("x")],
      ],
      serveIt,
    ],
    [
      "a LoRA adapter with a strange file",
      [
        ["adapter_config.json", lora],
        ["model.safetensors", pair],
      ],
      serveIt,
    ],
    [
      "a LoRA adapter beside its base's config.json",
      [config(), ["adapter_config.json", lora], ["adapter_model.safetensors", pair]],
      serveIt,
    ],
    [
      "a LoRA adapter of nothing that it names",
      [["adapter_config.json", json({ peft_type: "LORA" })]],
      "is a LoRA adapter of a model that it does not name",
    ],
    [
      "a LoRA adapter without its configuration",
      [["adapter_model.safetensors", pair]],
      "is a LoRA adapter of a model that it does not name",
    ],
    [
      "another adapter",
      [["adapter_config.json", json({ peft_type: "IA3", base_model_name_or_path: "some/llama" })]],
      'is an adapter ("IA3") of some/llama, not a model, and vLLM loads LoRA alone',
    ],
    [
      "an adapter's tensors under a model's name",
      [config(), ["model.safetensors", pair]],
      "is a LoRA adapter of",
    ],
    ["a tokenizer", [["tokenizer.json", json({})]], "holds a tokenizer, a vocabulary without weights"],
    [
      "Meta's own format",
      [
        ["params.json", json({})],
        ["tokenizer.model", textFile("x")],
      ],
      "in its maker's own format",
    ],
    ["ONNX", [["model.onnx", textFile("x")]], "holds ONNX graphs"],
    [
      "MLX",
      [
        config({
          quantization: { group_size: 64, bits: 4 },
          quantization_config: { group_size: 64, bits: 4 },
        }),
        ["model.safetensors", weights],
      ],
      "was made by MLX; vLLM does not load it",
    ],
    [
      "a split GGUF",
      [
        ["m-00001-of-00002.gguf", textFile("x")],
        ["m-00002-of-00002.gguf", textFile("x")],
      ],
      "is one of 2 parts of a split GGUF; merge them first (llama-gguf-split --merge m-00001-of-00002.gguf m.gguf)",
    ],
  ])("%s", async (_case, files, message) => {
    expect(await told(files)).toContain(message);
  });

  test("a model with the leftover of an adapter is a model", async () => {
    const files: Files = [config(), ["model.safetensors", weights], ["adapter_config.json", lora]];
    expect((await look(files)).facts.parameters).toBeGreaterThan(0);
  });

  test("of several GGUF files a whole one is proposed, not a part", async () => {
    const names = ["a-00001-of-00002.gguf", "a-00002-of-00002.gguf", "b.gguf"];
    expect(await told(names.map((name) => [name, textFile("x")] as const))).toMatch(
      /name one, such as .*\/b\.gguf$/,
    );
  });
});

describe("a class that is not served is called what it is:", () => {
  test.each([
    ["MllamaForConditionalGeneration", "a multimodal model"],
    ["Llama4ForConditionalGeneration", "a multimodal model"],
    ["LlavaLlamaForCausalLM", "a multimodal model"],
    ["NemotronHForCausalLM", "a hybrid of attention and state-space layers"],
    ["BambaForCausalLM", "a hybrid of attention and state-space layers"],
    ["MixtralForCausalLM", "a mixture of experts"],
    ["Llama4ForCausalLM", "a mixture of experts"],
    ["LlamaForSequenceClassification", "a Llama that classifies or embeds text"],
    ["LlamaForCausalLMEagle3", "a draft head for speculative decoding"],
    ["Qwen3ForCausalLM", "another family of models"],
  ])("%s is %s", async (name, what) => {
    const message = await told([config({ architectures: [name] }), ["model.safetensors", weights]]);
    expect(message).toContain(`its architecture is "${name}", ${what}`);
    expect(message).toContain("which is not Llama's architecture; the operator serves LlamaForCausalLM");
  });

  test("none, which no engine takes", async () => {
    expect(await told([config({ architectures: null }), ["model.safetensors", weights]])).toContain(
      "architectures names no class",
    );
  });
});

describe("sizes get a sentence where they are", () => {
  test.each([
    ["null", { hidden_size: null }, "config.json: hidden_size is null, and the model's sizes are not known"],
    ["missing", { vocab_size: undefined }, "config.json: vocab_size is missing"],
    [
      "text",
      { num_hidden_layers: "2" },
      'config.json: num_hidden_layers is "2", and a size is a whole number',
    ],
    ["0", { num_attention_heads: 0 }, "config.json: num_attention_heads is 0, and a size"],
    [
      "no flag",
      { tie_word_embeddings: "no" },
      'tie_word_embeddings is "no", and true or false belongs there',
    ],
    ["different by layer", { num_key_value_heads: [2, 4] }, "num_key_value_heads differs by layer (2, 4)"],
  ])("%s", async (_case, more, message) => {
    expect(await told([config(more), ["model.safetensors", weights]])).toContain(message);
  });

  test("and are read where all layers have the same, or engines derive them", async () => {
    const more = { num_key_value_heads: [2, 2], intermediate_size: [128, 128], head_dim: 0 };
    const { facts } = await look([config(more), ["model.safetensors", weights]]);
    expect(facts.architecture).toEqual(tinyLlama);
  });
});

test("layers that attend to a window are counted whole, which is said", async () => {
  const notes = async (more: Readonly<Record<string, unknown>>) =>
    (await look([config(more), ["model.safetensors", weights]])).facts.notes.join();
  const layer_types = ["sliding_attention", "full_attention"];
  expect(await notes({ sliding_window: 512, layer_types })).toContain(
    "1 of 2 layers attend to a window of 512 tokens",
  );
  expect(await notes({ sliding_window: 512 })).toContain("all layers attend to a window of 512 tokens");
  expect(await notes({ sliding_window: null })).toBe("");
  expect(await notes({ sliding_window: 512, use_sliding_window: false })).toBe("");
});

describe("a GGUF file", () => {
  const gguf = (metadata: readonly Buffer[], tensors = llamaF16Tensors(tinyLlama)): Files => [
    ["m.gguf", ggufHead(metadata, tensors)],
  ];
  const llama = llamaMetadata(tinyLlama);
  const without = (...keys: readonly string[]) =>
    llama.filter((each) => !keys.some((key) => each.includes(Buffer.from(key))));
  const read = async (metadata: readonly Buffer[]) => (await look(gguf(metadata), "m.gguf")).facts;

  test("with the same heads in all layers is read, and with others says that they differ", async () => {
    const key = "llama.attention.head_count_kv";
    const facts = await read([...without(key), entry.numbers(key, [2, 2])]);
    expect(facts.architecture).toEqual(tinyLlama);
    expect(await told(gguf([...without(key), entry.numbers(key, [2, 1])]), "m.gguf")).toContain(
      `${key} differs by layer (2, 1), and the planner counts all layers alike`,
    );
  });

  test.each([
    [
      "linear",
      [entry.text("llama.rope.scaling.type", "linear"), entry.float32("llama.rope.scaling.factor", 4)],
      8192,
    ],
    ["of old", [entry.float32("llama.rope.scale_linear", 2)], 4096],
    [
      "none",
      [entry.text("llama.rope.scaling.type", "none"), entry.float32("llama.rope.scaling.factor", 4)],
      2048,
    ],
    [
      "yarn",
      [
        entry.text("llama.rope.scaling.type", "yarn"),
        entry.float32("llama.rope.scaling.factor", 4),
        entry.uint32("llama.rope.scaling.original_context_length", 1024),
      ],
      4096,
    ],
    [
      "longrope",
      [entry.text("llama.rope.scaling.type", "longrope"), entry.float32("llama.rope.scaling.factor", 4)],
      2048,
    ],
  ])("has the context that its rotary scaling makes: %s", async (_case, scaling, tokens) => {
    expect((await read([...llama, ...scaling])).architecture.maxPositions).toBe(tokens);
  });

  test("with a window says it", async () => {
    const facts = await read([...llama, entry.uint32("llama.attention.sliding_window", 512)]);
    expect(facts.notes.join()).toContain("all layers attend to a window of 512 tokens");
  });

  test("in 16 bits is GGUF by its method as in any other width", async () => {
    const facts = await read(llama);
    expect(facts.quantization).toMatchObject({ method: "gguf", elements: "F16" });
    expect(facts.profile).toMatchObject({ profile: { weights: "bf16", quantMethod: "gguf" } });
  });

  test.each<readonly [string, readonly Buffer[], string]>([
    [
      "a LoRA adapter",
      [
        entry.text("general.type", "adapter"),
        entry.text("adapter.type", "lora"),
        entry.text("general.base_model.0.name", "Llama-3-8B"),
        ...llama,
      ],
      "is a LoRA adapter of Llama-3-8B",
    ],
    ["the eyes of a model", [entry.text("general.architecture", "clip")], "reads images or sound (mmproj)"],
    [
      "another model",
      [entry.text("general.architecture", "qwen2")],
      'its architecture is "qwen2", another family of models, which is not Llama\'s',
    ],
  ])("may be %s", async (_case, metadata, message) => {
    expect(await told(gguf(metadata), "m.gguf")).toContain(message);
  });

  test.each([
    ["nemotron_h", "a hybrid of attention and state-space layers"],
    ["falcon-h1", "a hybrid of attention and state-space layers"],
    ["qwen2vl", "a multimodal model"],
    ["mllama", "a multimodal model"],
    ["llama4", "a mixture of experts"],
    ["deepseek2", "a mixture of experts"],
  ])("of %s is %s", async (architecture, what) => {
    const metadata = [entry.text("general.architecture", architecture)];
    expect(await told(gguf(metadata), "m.gguf")).toContain(`its architecture is "${architecture}", ${what}`);
  });

  test("may be a vocabulary alone", async () => {
    expect(await told(gguf(llama, []), "m.gguf")).toContain("holds a vocabulary and no weights");
  });

  test("that is split says so alike, named by its folder or by itself", async () => {
    const name = "m-00001-of-00002.gguf";
    const part = ggufHead([...llama, entry.uint32("split.count", 2)], llamaF16Tensors(tinyLlama));
    const files: Files = [
      [name, part],
      ["m-00002-of-00002.gguf", part],
    ];
    const words = (message: string) => message.replace(/^.*?\.gguf: /, "");
    expect(words(await told(files, name))).toBe(words(await told(files)));
  });
});
