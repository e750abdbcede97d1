// Writes heads of GGUF files for tests, right ones and wrong ones. Source: ggml's docs/gguf.md.
import type { Architecture } from "@llama-operator/llama/catalog";
import type { FileHead } from "./checkpoint-files.ts";

/** A tensor to write; dimensions from the innermost, as GGUF counts. */
export interface GgufTensorToWrite {
  readonly name: string;
  readonly dimensions: readonly (number | bigint)[];
  readonly type: number;
  readonly bytes: number;
  /** Where it is said to be, instead of where it belongs. */
  readonly offset?: number;
}

export const ggufTypes = { f32: 0, f16: 1, q4K: 12, q6K: 14 } as const;

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

const float32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};

export const uint64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

export const text = (value: string): Buffer =>
  Buffer.concat([uint64(Buffer.byteLength(value)), Buffer.from(value)]);

/** One entry of the metadata, with its type. */
export const entry = {
  uint32: (key: string, value: number): Buffer => Buffer.concat([text(key), uint32(4), uint32(value)]),
  float32: (key: string, value: number): Buffer => Buffer.concat([text(key), uint32(6), float32(value)]),
  text: (key: string, value: string): Buffer => Buffer.concat([text(key), uint32(8), text(value)]),
  texts: (key: string, values: readonly string[]): Buffer =>
    Buffer.concat([text(key), uint32(9), uint32(8), uint64(values.length), ...values.map(text)]),
  numbers: (key: string, values: readonly number[]): Buffer =>
    Buffer.concat([text(key), uint32(9), uint32(4), uint64(values.length), ...values.map(uint32)]),
};

/** The head of a file; `counts` overrule what it says of itself. */
export function ggufHead(
  metadata: readonly Buffer[],
  tensors: readonly GgufTensorToWrite[],
  overrides: {
    readonly version?: number;
    readonly tensorCount?: bigint;
    readonly metadataCount?: bigint;
  } = {},
): FileHead {
  let next = 0;
  const infos = tensors.map(({ name, dimensions, type, bytes, offset }) => {
    const at = next;
    next = aligned(at + bytes);
    return Buffer.concat([
      text(name),
      uint32(dimensions.length),
      ...dimensions.map(uint64),
      uint32(type),
      uint64(offset ?? at),
    ]);
  });
  const head = Buffer.concat([
    Buffer.from("GGUF"),
    uint32(overrides.version ?? 3),
    uint64(overrides.tensorCount ?? BigInt(tensors.length)),
    uint64(overrides.metadataCount ?? BigInt(metadata.length)),
    ...metadata,
    ...infos,
  ]);
  return { head, sizeBytes: aligned(head.length) + next };
}

const aligned = (position: number) => Math.ceil(position / 32) * 32;

/** Metadata of a Llama, with a vocabulary of `tokens` words. */
export function llamaMetadata(architecture: Architecture, tokens = 16): readonly Buffer[] {
  return [
    entry.text("general.architecture", "llama"),
    entry.uint32("llama.block_count", architecture.layers),
    entry.uint32("llama.context_length", architecture.maxPositions),
    entry.uint32("llama.embedding_length", architecture.hiddenSize),
    entry.uint32("llama.feed_forward_length", architecture.feedForwardSize),
    entry.uint32("llama.attention.head_count", architecture.attentionHeads),
    entry.uint32("llama.attention.head_count_kv", architecture.keyValueHeads),
    entry.texts(
      "tokenizer.ggml.tokens",
      Array.from({ length: tokens }, (_, index) => `token${index}`),
    ),
    entry.numbers(
      "tokenizer.ggml.token_type",
      Array.from({ length: tokens }, () => 1),
    ),
  ];
}

/** The same tensors, their matrices in 16 bits. */
export function llamaF16Tensors(architecture: Architecture): readonly GgufTensorToWrite[] {
  return llamaGgufTensors(architecture).map((tensor) =>
    tensor.type === ggufTypes.f32
      ? tensor
      : {
          ...tensor,
          type: ggufTypes.f16,
          bytes: tensor.dimensions.reduce<number>((size, each) => size * Number(each), 2),
        },
  );
}

/** Tensors of a Llama as Q4_K_M writes them: most in Q4_K, the output in Q6_K, norms in F32. */
export function llamaGgufTensors(architecture: Architecture): readonly GgufTensorToWrite[] {
  const {
    hiddenSize,
    layers,
    feedForwardSize,
    vocabularySize,
    attentionHeads,
    keyValueHeads,
    headDimension,
  } = architecture;
  const q4 = (name: string, columns: number, rows: number): GgufTensorToWrite => ({
    name,
    dimensions: [columns, rows],
    type: ggufTypes.q4K,
    bytes: ((columns * rows) / 256) * 144,
  });
  const norm = (name: string): GgufTensorToWrite => ({
    name,
    dimensions: [hiddenSize],
    type: ggufTypes.f32,
    bytes: hiddenSize * 4,
  });
  const query = attentionHeads * headDimension;
  const keyValue = keyValueHeads * headDimension;
  return [
    q4("token_embd.weight", hiddenSize, vocabularySize),
    ...Array.from({ length: layers }, (_, layer) => [
      norm(`blk.${layer}.attn_norm.weight`),
      q4(`blk.${layer}.attn_q.weight`, hiddenSize, query),
      q4(`blk.${layer}.attn_k.weight`, hiddenSize, keyValue),
      q4(`blk.${layer}.attn_v.weight`, hiddenSize, keyValue),
      q4(`blk.${layer}.attn_output.weight`, query, hiddenSize),
      norm(`blk.${layer}.ffn_norm.weight`),
      q4(`blk.${layer}.ffn_gate.weight`, hiddenSize, feedForwardSize),
      q4(`blk.${layer}.ffn_up.weight`, hiddenSize, feedForwardSize),
      q4(`blk.${layer}.ffn_down.weight`, feedForwardSize, hiddenSize),
    ]).flat(),
    norm("output_norm.weight"),
    {
      name: "output.weight",
      dimensions: [hiddenSize, vocabularySize],
      type: ggufTypes.q6K,
      bytes: ((hiddenSize * vocabularySize) / 256) * 210,
    },
  ];
}
