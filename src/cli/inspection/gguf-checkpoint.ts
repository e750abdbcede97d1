// A checkpoint in GGUF: one file that holds its own configuration.
// Source of the keys: ggml's docs/gguf.md, "LLaMA", and gguf-py/gguf/constants.py; of their defaults: llama.cpp,
// src/llama-model.cpp.
import type { Architecture } from "@llama-operator/llama/catalog";
import { scaledPositions } from "./config/positions.ts";
import type { Positions } from "./config/positions.ts";
import { slidingNote } from "./config/hugging-face-config.ts";
import type { ProfileWeights, Quantization } from "./config/quantization.ts";
import { maxSize, sizeOfLayers } from "./config/sizes.ts";
import { ggufNotServed } from "./config/unserved.ts";
import { InspectionError, malformed } from "./errors.ts";
import { bitsPerWeight } from "./formats/ggml-types.ts";
import { readGguf } from "./formats/gguf.ts";
import type { GgufHead } from "./formats/gguf.ts";
import type { Checkpoint } from "./profile.ts";
import type { ByteSource } from "./reading/byte-source.ts";
import { adapterMessage, splitMessage } from "./true-names.ts";

/** Reads the head of a file. @throws InspectionError for what is no whole Llama. */
export async function readGgufCheckpoint(source: ByteSource, signal: AbortSignal): Promise<Checkpoint> {
  const head = await readGguf(source, signal);
  const file = source.name;
  requireWholeLlama(file, head);
  const { architecture, notes } = architectureOf(file, head);
  return {
    name: file,
    format: "GGUF",
    architecture,
    tensors: head.tensors,
    quantization: quantizationOf(head),
    notes,
    weightsOf,
  };
}

/** @throws InspectionError that says what the file is instead. */
function requireWholeLlama(file: string, head: GgufHead): void {
  const unsupported = (what: string) => new InspectionError("unsupported", `${file}: ${what}`);
  const text = (key: string) => {
    const value = head.metadata.get(key);
    return typeof value === "string" ? value : undefined;
  };
  const type = text("general.type");
  const name = text("general.architecture");
  if (type === "adapter") {
    const base = text("general.base_model.0.name") ?? text("general.base_model.0.repo_url");
    throw unsupported(adapterMessage(text("adapter.type"), base));
  }
  if (type === "mmproj" || name === "clip") {
    throw unsupported(
      "is the part of a multimodal model that reads images or sound (mmproj), and the operator serves Llamas for text",
    );
  }
  if (type === "imatrix" || name === "imatrix" || name === "controlvector") {
    throw unsupported(`is no model but what belongs to one (${type ?? name})`);
  }
  if (name === undefined) throw unsupported("does not say its architecture, and the operator serves llama");
  if (name !== "llama") throw ggufNotServed(file, name);
  if (head.metadata.has("llama.expert_count") && count(file, head, "llama.expert_count") > 0) {
    throw unsupported("a mixture of experts, and the operator serves dense Llamas");
  }
  const parts = head.metadata.has("split.count") ? count(file, head, "split.count") : 1;
  if (parts > 1) throw unsupported(splitMessage(file, parts));
  if (head.tensors.length === 0) {
    throw unsupported("holds a vocabulary and no weights: name the file of the model itself");
  }
}

function architectureOf(
  file: string,
  head: GgufHead,
): { readonly architecture: Architecture; readonly notes: readonly string[] } {
  const { metadata, tensors } = head;
  const required = (key: string) => size(file, head, `llama.${key}`);
  const optional = (key: string) => (metadata.has(`llama.${key}`) ? required(key) : undefined);
  const hiddenSize = required("embedding_length");
  const attentionHeads = required("attention.head_count");
  const layers = required("block_count");
  const positions = positionsOf(file, head, required("context_length"));
  const window = metadata.has("llama.attention.sliding_window")
    ? count(file, head, "llama.attention.sliding_window")
    : 0;
  return {
    architecture: {
      hiddenSize,
      layers,
      attentionHeads,
      keyValueHeads: optional("attention.head_count_kv") ?? attentionHeads,
      headDimension: optional("attention.key_length") ?? Math.floor(hiddenSize / attentionHeads),
      feedForwardSize: required("feed_forward_length"),
      vocabularySize:
        optional("vocab_size") ?? tensors.find(({ name }) => name === "token_embd.weight")?.shape[0] ?? 0,
      maxPositions: positions.tokens,
      tiedEmbeddings: !tensors.some(({ name }) => name === "output.weight"),
    },
    notes: [...positions.notes, ...(window > 0 ? [slidingNote(window, layers, layers)] : [])],
  };
}

/** The context, scaled as config.json's would be; `none` scales nothing, whatever its factor. */
function positionsOf(file: string, head: GgufHead, contextLength: number): Positions {
  const { metadata } = head;
  const type = metadata.get("llama.rope.scaling.type");
  // Before types were written, a linear scale was.
  const factor = metadata.get("llama.rope.scaling.factor") ?? metadata.get("llama.rope.scale_linear");
  if (type === "none" || (type === undefined && factor === undefined))
    return { tokens: contextLength, notes: [] };
  const isFactor = typeof factor === "number" && factor > 0 && Number.isFinite(factor);
  if (factor !== undefined && !isFactor)
    throw malformed(file, "its rope.scaling.factor is no number above 0");
  const originalKey = "llama.rope.scaling.original_context_length";
  return scaledPositions(file, contextLength, [
    {
      type: typeof type === "string" ? type : "linear",
      factor: isFactor ? factor : undefined,
      original: metadata.has(originalKey) ? size(file, head, originalKey) : undefined,
    },
  ]);
}

/** A size that all layers have: newer files hold a list of one for each layer. */
function size(file: string, head: GgufHead, key: string): number {
  const value = head.metadata.get(key);
  if (typeof value === "object" && value.numbers !== undefined) return sizeOfLayers(file, key, value.numbers);
  const found = count(file, head, key);
  if (found > 0) return found;
  throw malformed(file, `its ${key} is 0`);
}

/** A whole number, 0 among them. */
function count(file: string, { metadata }: GgufHead, key: string): number {
  const value = metadata.get(key);
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= maxSize) return value;
  throw malformed(file, value === undefined ? `has no ${key}` : `its ${key} is no count that makes sense`);
}

/** GGUF is a method of its own in every width: engines that read safetensors do not read it in 16 bits either. */
function quantizationOf({ tensors }: GgufHead): Quantization {
  const types = new Set(tensors.map(({ type }) => type));
  const packed = [...types].filter((type) => weightsOf(type) !== "bf16");
  const half = [...types].filter((type) => type !== "F32");
  const named = packed.length > 0 ? packed : half.length > 0 ? half : [...types];
  return {
    method: "gguf",
    weights: undefined,
    elements: named.toSorted().join(", "),
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
