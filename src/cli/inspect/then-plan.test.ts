// What a user does with a checkpoint of their own: inspect it, paste spec.model, plan it. Each checkpoint here is one
// that a public maker's tool writes, and each answer is what vLLM would say of it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Architecture } from "@llama-operator/llama/catalog";
import { exitCodes } from "../exit-codes.ts";
import {
  llamaConfig,
  llamaTensors,
  safetensorsHead,
  textFile,
} from "../inspection/testing/checkpoint-files.ts";
import type { FileHead, TensorToWrite } from "../inspection/testing/checkpoint-files.ts";
import { ggufHead, llamaF16Tensors, llamaMetadata } from "../inspection/testing/gguf-writer.ts";
import { sparseFolder } from "../inspection/testing/sparse-folder.ts";
import { runCommandLine } from "../testing/run-command-line.ts";

const root = mkdtempSync(join(tmpdir(), "llama-operator-then-plan-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Two heads of 128; the feed-forward width splits into two by three blocks of 128, which is one and a half. */
const small: Architecture = {
  hiddenSize: 256,
  layers: 1,
  attentionHeads: 2,
  keyValueHeads: 2,
  headDimension: 128,
  feedForwardSize: 384,
  vocabularySize: 64,
  maxPositions: 4096,
  tiedEmbeddings: false,
};

const isLinear = ({ name }: TensorToWrite) => name.endsWith("_proj.weight");
const sides = ({ shape: [rows = 1, columns = 1] }: TensorToWrite) => ({ rows, columns });

/** bitsandbytes packs two weights a byte, and keeps its scales beside them. */
function bitsandbytesTensors(architecture: Architecture): readonly TensorToWrite[] {
  return llamaTensors(architecture).flatMap((tensor): readonly TensorToWrite[] => {
    if (!isLinear(tensor)) return [tensor];
    const { rows, columns } = sides(tensor);
    const weights = rows * columns;
    return [
      { name: tensor.name, dtype: "U8", shape: [weights / 2, 1] },
      { name: `${tensor.name}.absmax`, dtype: "U8", shape: [weights / 64] },
      { name: `${tensor.name}.quant_map`, dtype: "F32", shape: [16] },
      { name: `${tensor.name}.quant_state.bitsandbytes__nf4`, dtype: "U8", shape: [120] },
    ];
  });
}

/** DeepSeek's FP8: a scale for each block. */
function blockTensors(architecture: Architecture, block: number): readonly TensorToWrite[] {
  return llamaTensors(architecture).flatMap((tensor): readonly TensorToWrite[] => {
    if (!isLinear(tensor)) return [tensor];
    const { rows, columns } = sides(tensor);
    return [
      { ...tensor, dtype: "F8_E4M3" },
      {
        name: `${tensor.name}_scale_inv`,
        dtype: "F32",
        shape: [Math.ceil(rows / block), Math.ceil(columns / block)],
      },
    ];
  });
}

/** ModelOpt's FP8: two scales a matrix, and those of the KV cache. */
function modeloptTensors(architecture: Architecture): readonly TensorToWrite[] {
  return llamaTensors(architecture).flatMap((tensor): readonly TensorToWrite[] => {
    if (!isLinear(tensor)) return [tensor];
    const module = tensor.name.slice(0, -".weight".length);
    const scale = (name: string): TensorToWrite => ({ name: `${module}.${name}`, dtype: "F32", shape: [1] });
    const ofCache = /\.([kv])_proj$/.exec(module)?.[1];
    return [
      { ...tensor, dtype: "F8_E4M3" },
      scale("weight_scale"),
      scale("input_scale"),
      ...(ofCache === undefined ? [] : [scale(`${ofCache}_scale`)]),
    ];
  });
}

const checkpoint = (
  config: Readonly<Record<string, unknown>> = {},
  tensors = llamaTensors(small),
): readonly (readonly [string, FileHead])[] => [
  ["config.json", textFile(llamaConfig(small, config))],
  ["model.safetensors", safetensorsHead(tensors)],
];

const inspect = (path: string) => runCommandLine(["inspect", path, "-o", "json"]);
const folderOf = (files: Iterable<readonly [string, FileHead]>) => sparseFolder(root, files);

interface Planned {
  readonly kind: "plan" | "refusal";
  readonly reason?: string;
  readonly message?: string;
  readonly tensor?: number;
  readonly because?: readonly string[];
  readonly alternatives?: readonly { readonly patch: unknown }[];
}

/** The plan of what `inspect` prints, with more of a spec beside it. */
async function planOf(path: string, more: Readonly<Record<string, unknown>> = {}) {
  const { code, out, err } = await inspect(path);
  if (code !== exitCodes.ok) throw new Error(err);
  const { model } = JSON.parse(out) as { readonly model: unknown };
  const file = join(mkdtempSync(join(root, "spec-")), "llama.json");
  const kind = { apiVersion: "llama-operator.dev/v1alpha1", kind: "LlamaDeployment" };
  writeFileSync(file, JSON.stringify({ ...kind, metadata: { name: "ours" }, spec: { model, ...more } }));
  const planned = await runCommandLine(["plan", "-f", file, "-o", "json"]);
  const { items } = JSON.parse(planned.out) as { readonly items: readonly { readonly result: Planned }[] };
  const [item] = items;
  if (item === undefined) throw new Error(planned.err);
  return item.result;
}

const tensor = (degree: number) => ({ parallelism: { tensor: degree } });

describe("planned from what inspect prints", () => {
  test("bitsandbytes with tensor 2 is refused by its name, and tensor 1 is offered", async () => {
    const quantization_config = {
      quant_method: "bitsandbytes",
      load_in_4bit: true,
      bnb_4bit_quant_type: "nf4",
    };
    const folder = folderOf(checkpoint({ quantization_config }, bitsandbytesTensors(small)));
    const refused = await planOf(folder, tensor(2));
    expect(refused.message).toContain("cannot split a checkpoint that is quantised by bitsandbytes");
    expect(refused.alternatives?.[0]?.patch).toEqual(tensor(1));
    expect(await planOf(folder)).toMatchObject({ kind: "plan", tensor: 1 });
  });

  test("blocks of 128 x 128 are not cut by tensor 2; blocks of 64 are whole", async () => {
    const blocks = (size: number) => {
      const quantization_config = { quant_method: "fp8", weight_block_size: [size, size] };
      return folderOf(checkpoint({ quantization_config }, blockTensors(small, size)));
    };
    expect(await planOf(blocks(128), tensor(2))).toMatchObject({
      reason: "IllegalParallelism",
      message: expect.stringContaining("gate_proj has 192 outputs on each GPU, which 128 does not divide"),
    });
    expect(await planOf(blocks(64), tensor(2))).toMatchObject({ kind: "plan", tensor: 2 });
  });

  test.each([
    ["rope_scaling", { type: "linear", factor: 4 }],
    ["rope_parameters", { rope_type: "linear", factor: 4, rope_theta: 10_000 }],
  ])("a context of 4 x 4,096 tokens fits by %s", async (key, scaling) => {
    const folder = folderOf(checkpoint({ [key]: scaling }));
    expect(await planOf(folder, { context: { maxTokens: 16_384 } })).toMatchObject({ kind: "plan" });
    expect(await planOf(folder, { context: { maxTokens: 16_385 } })).toMatchObject({
      reason: "ContextTooLong",
    });
  });

  test("ModelOpt's nested FP8 keeps its KV cache's, and the plan says what it would hold", async () => {
    const quantization = { quant_algo: "FP8", kv_cache_quant_algo: "FP8", exclude_modules: ["lm_head"] };
    const quantization_config = { quant_method: "modelopt", quantization };
    const result = await planOf(folderOf(checkpoint({ quantization_config }, modeloptTensors(small))));
    expect(result.because?.join("\n")).toContain("the checkpoint declares an FP8 KV cache");
  });

  test("GGUF in 16 bits is refused as every other GGUF is", async () => {
    const llama = { ...small, feedForwardSize: 512 };
    const folder = folderOf([["tiny-f16.gguf", ggufHead(llamaMetadata(llama), llamaF16Tensors(llama))]]);
    expect(await planOf(join(folder, "tiny-f16.gguf"))).toMatchObject({
      reason: "InvalidSpec",
      message: expect.stringContaining("vLLM loads no GGUF files"),
    });
  });
});

describe("inspect ends with a sentence for", () => {
  test("a method that is not known, whatever the tensors look like", async () => {
    const quantization_config = { quant_method: "torchao", quant_type: "int8_weight_only" };
    const { code, out, err } = await inspect(folderOf(checkpoint({ quantization_config })));
    expect(code).toBe(exitCodes.error);
    expect(err).toContain('quantisation method "torchao" is not known to the operator');
    expect(JSON.parse(out)).not.toHaveProperty("model");
  });

  test("another model, although its configuration holds Python's Infinity", async () => {
    const { err } = await inspect(folderOf(infinite({ architectures: ["NemotronHForCausalLM"] })));
    expect(err).toContain(
      'its architecture is "NemotronHForCausalLM", a hybrid of attention and state-space layers, which is not Llama\'s architecture',
    );
  });
});

test("a Llama whose configuration holds Python's Infinity and a byte order mark is read", async () => {
  expect((await inspect(folderOf(infinite()))).code).toBe(exitCodes.ok);
});

/** A checkpoint whose config.json only Python takes for JSON. */
function infinite(config: Readonly<Record<string, unknown>> = {}): readonly (readonly [string, FileHead])[] {
  const [, weights] = checkpoint();
  const json = llamaConfig(small, config).replace("{", '{"time_step_limit": [0.0, Infinity],');
  return [["config.json", textFile(`\ufeff${json}`)], ...(weights === undefined ? [] : [weights])];
}
