// A checkpoint in GGUF: one file that holds its own configuration.
// Source of the keys: ggml's docs/gguf.md, "LLaMA"; of their defaults: llama.cpp, src/llama-model.cpp.
import type { Architecture } from "@llama-operator/llama/catalog";
import { InspectionError, malformed, quoted } from "./errors.ts";
import { bitsPerWeight } from "./formats/ggml-types.ts";
import { readGguf } from "./formats/gguf.ts";
import type { GgufHead } from "./formats/gguf.ts";
import type { ProfileWeights, Quantization } from "./hugging-face-config.ts";
import type { Checkpoint } from "./profile.ts";
import type { ByteSource } from "./reading/byte-source.ts";

/** Reads the head of a file. @throws InspectionError for what is no whole Llama. */
export async function readGgufCheckpoint(source: ByteSource, signal: AbortSignal): Promise<Checkpoint> {
  const head = await readGguf(source, signal);
  const file = source.name;
  const architectureName = head.metadata.get("general.architecture");
  if (architectureName !== "llama") {
    throw new InspectionError(
      "unsupported",
      `${file}: its architecture is ${typeof architectureName === "string" ? quoted(architectureName) : "not said"}, and the operator serves llama`,
    );
  }
  if (head.metadata.has("llama.expert_count") && number(file, head, "llama.expert_count") > 0) {
    throw new InspectionError(
      "unsupported",
      `${file}: a mixture of experts, and the operator serves dense Llamas`,
    );
  }
  const parts = head.metadata.has("split.count") ? number(file, head, "split.count") : 1;
  if (parts > 1) {
    throw new InspectionError(
      "unsupported",
      `${file}: one of ${parts} parts of a split GGUF; merge them first (llama-gguf-split --merge)`,
    );
  }
  const quantization = quantizationOf(head);
  return {
    name: file,
    format: "GGUF",
    architecture: architectureOf(file, head),
    tensors: head.tensors,
    quantization,
    notes: [],
    weightsOf,
  };
}

function architectureOf(file: string, head: GgufHead): Architecture {
  const { metadata, tensors } = head;
  const required = (key: string) => number(file, head, `llama.${key}`);
  const optional = (key: string) => (metadata.has(`llama.${key}`) ? required(key) : undefined);
  const hiddenSize = required("embedding_length");
  const attentionHeads = required("attention.head_count");
  return {
    hiddenSize,
    layers: required("block_count"),
    attentionHeads,
    keyValueHeads: optional("attention.head_count_kv") ?? attentionHeads,
    headDimension: optional("attention.key_length") ?? Math.floor(hiddenSize / attentionHeads),
    feedForwardSize: required("feed_forward_length"),
    vocabularySize:
      optional("vocab_size") ?? tensors.find(({ name }) => name === "token_embd.weight")?.shape[0] ?? 0,
    maxPositions: required("context_length"),
    tiedEmbeddings: !tensors.some(({ name }) => name === "output.weight"),
  };
}

function number(file: string, { metadata }: GgufHead, key: string): number {
  const value = metadata.get(key);
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 2_147_483_647) {
    if (value > 0 || key.startsWith("split.") || key.endsWith("expert_count")) return value;
  }
  throw malformed(file, value === undefined ? `has no ${key}` : `its ${key} is no count that makes sense`);
}

function quantizationOf({ tensors }: GgufHead): Quantization | undefined {
  const types = new Set(tensors.map(({ type }) => type).filter((type) => weightsOf(type) !== "bf16"));
  if (types.size === 0) return undefined;
  return {
    method: "gguf",
    weights: undefined,
    elements: [...types].toSorted().join(", "),
    excluded: [],
    fp8KvCache: false,
  };
}

/** GGUF has a dozen widths: below five bits a weight it is int4, above int8, and the bytes are exact. */
function weightsOf(type: string): ProfileWeights | undefined {
  const bits = bitsPerWeight(type);
  if (bits === undefined) return undefined;
  if (bits >= 16) return "bf16";
  return bits < 5 ? "int4" : "int8";
}
