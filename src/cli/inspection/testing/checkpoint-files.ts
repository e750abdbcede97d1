// Files of checkpoints for tests: small ones byte by byte, and heads of real sizes whose weights are never written.
import { layerParameters, type Architecture } from "@llama-operator/llama/catalog";

/** One tensor of a header to write. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** A file whose weights are left out: its first bytes and its whole size. */
export interface FileHead {
  readonly head: Buffer;
  readonly sizeBytes: number;
}

const bytesOfType: Readonly<Record<string, number>> = {
  BF16: 2,
  F16: 2,
  F32: 4,
  F8_E4M3: 1,
  I8: 1,
  U8: 1,
  I32: 4,
  I64: 8,
};

const elements = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

/** A safetensors file of those tensors, one after the other. */
export function safetensorsHead(tensors: readonly TensorToWrite[]): FileHead {
  let end = 0;
  const entries = tensors.map(({ name, dtype, shape }) => {
    const begin = end;
    end += elements(shape) * (bytesOfType[dtype] ?? 1);
    return [name, { dtype, shape, data_offsets: [begin, end] }] as const;
  });
  return rawSafetensors(
    JSON.stringify({ __metadata__: { format: "pt" }, ...Object.fromEntries(entries) }),
    end,
  );
}

/** A safetensors file with that text as its header, whatever it is. */
export function rawSafetensors(header: string | Buffer, dataBytes: number): FileHead {
  const json = Buffer.from(header);
  const head = Buffer.alloc(8 + json.length);
  head.writeBigUInt64LE(BigInt(json.length));
  json.copy(head, 8);
  return { head, sizeBytes: head.length + dataBytes };
}

/** The tensors of LlamaForCausalLM in BF16, layer by layer. */
export function llamaTensors(architecture: Architecture): readonly TensorToWrite[] {
  const { hiddenSize, layers, feedForwardSize, vocabularySize, tiedEmbeddings } = architecture;
  const query = architecture.attentionHeads * architecture.headDimension;
  const keyValue = architecture.keyValueHeads * architecture.headDimension;
  const bf16 = (name: string, ...shape: readonly number[]): TensorToWrite => ({ name, dtype: "BF16", shape });
  return [
    bf16("model.embed_tokens.weight", vocabularySize, hiddenSize),
    ...Array.from({ length: layers }, (_, layer) => [
      bf16(`model.layers.${layer}.input_layernorm.weight`, hiddenSize),
      bf16(`model.layers.${layer}.mlp.down_proj.weight`, hiddenSize, feedForwardSize),
      bf16(`model.layers.${layer}.mlp.gate_proj.weight`, feedForwardSize, hiddenSize),
      bf16(`model.layers.${layer}.mlp.up_proj.weight`, feedForwardSize, hiddenSize),
      bf16(`model.layers.${layer}.post_attention_layernorm.weight`, hiddenSize),
      bf16(`model.layers.${layer}.self_attn.k_proj.weight`, keyValue, hiddenSize),
      bf16(`model.layers.${layer}.self_attn.o_proj.weight`, hiddenSize, query),
      bf16(`model.layers.${layer}.self_attn.q_proj.weight`, query, hiddenSize),
      bf16(`model.layers.${layer}.self_attn.v_proj.weight`, keyValue, hiddenSize),
    ]).flat(),
    bf16("model.norm.weight", hiddenSize),
    ...(tiedEmbeddings ? [] : [bf16("lm_head.weight", vocabularySize, hiddenSize)]),
  ];
}

/** The same with FP8 linear layers and a scale for each row, as Red Hat writes them. */
export function fp8Tensors(architecture: Architecture): readonly TensorToWrite[] {
  return llamaTensors(architecture).flatMap((tensor) => {
    if (!tensor.name.endsWith("_proj.weight")) return [tensor];
    return [
      { ...tensor, dtype: "F8_E4M3" },
      { name: `${tensor.name}_scale`, dtype: "BF16", shape: [tensor.shape[0] ?? 1, 1] },
    ];
  });
}

/** config.json of an architecture. */
export function llamaConfig(
  architecture: Architecture,
  more: Readonly<Record<string, unknown>> = {},
): string {
  return JSON.stringify({
    architectures: ["LlamaForCausalLM"],
    hidden_size: architecture.hiddenSize,
    num_hidden_layers: architecture.layers,
    num_attention_heads: architecture.attentionHeads,
    num_key_value_heads: architecture.keyValueHeads,
    head_dim: architecture.headDimension,
    intermediate_size: architecture.feedForwardSize,
    vocab_size: architecture.vocabularySize,
    max_position_embeddings: architecture.maxPositions,
    tie_word_embeddings: architecture.tiedEmbeddings,
    torch_dtype: "bfloat16",
    ...more,
  });
}

/** Tensors over `count` shards, and the index that names them. */
export function sharded(tensors: readonly TensorToWrite[], count: number): ReadonlyMap<string, FileHead> {
  const name = (shard: number) =>
    `model-${String(shard + 1).padStart(5, "0")}-of-${String(count).padStart(5, "0")}.safetensors`;
  const start = (shard: number) => Math.floor((shard * tensors.length) / count);
  const shards = Array.from({ length: count }, (_, shard) => tensors.slice(start(shard), start(shard + 1)));
  const total = tensors.reduce(
    (sum, { dtype, shape }) => sum + elements(shape) * (bytesOfType[dtype] ?? 1),
    0,
  );
  const map = Object.fromEntries(
    shards.flatMap((tensors, shard) => tensors.map((tensor) => [tensor.name, name(shard)])),
  );
  const index = textFile(JSON.stringify({ metadata: { total_size: total }, weight_map: map }));
  return new Map([
    ["model.safetensors.index.json", index],
    ...shards.map((tensors, shard) => [name(shard), safetensorsHead(tensors)] as const),
  ]);
}

/** A whole small file. */
export function textFile(text: string): FileHead {
  const head = Buffer.from(text);
  return { head, sizeBytes: head.length };
}

/** A Llama of two layers, small enough to be written whole. */
export const tinyLlama: Architecture = {
  hiddenSize: 64,
  layers: 2,
  attentionHeads: 4,
  keyValueHeads: 2,
  headDimension: 16,
  feedForwardSize: 128,
  vocabularySize: 320,
  maxPositions: 2048,
  tiedEmbeddings: false,
};

/** Bytes of the layers of `architecture` in BF16. */
export function layerBytes(architecture: Architecture): number {
  const { query, output, keyValue, feedForward, norms } = layerParameters(architecture);
  return architecture.layers * (query + output + keyValue + feedForward + norms) * 2;
}
