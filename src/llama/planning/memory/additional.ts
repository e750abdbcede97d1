// What LoRA slots and speculative decoding take of a GPU beside the model: adapters are allocated whole at start,
// a draft model brings weights and a KV cache of its own.
import { bf16Layout, bytesPerWeight } from "../../catalog/weight-bytes.ts";
import type { Architecture } from "../../catalog/models.ts";
import type { KvCacheFormat } from "../../catalog/weight-bytes.ts";
import { kvBytesPerToken } from "./kv-cache.ts";
import { keyValueHeadsPerRank, stagesOf, stageWeightBytes } from "./weights.ts";
import type { Stage } from "./weights.ts";

/** `--enable-lora` with its sizes. */
export interface LoraSlots {
  /** Adapters that are on the GPU at once: `--max-loras`. */
  readonly slots: number;
  /** `--max-lora-rank`. */
  readonly rank: number;
}

/** Speculative decoding, as far as memory goes. */
export interface Speculation {
  /** Tokens proposed a step: `num_speculative_tokens`. */
  readonly tokens: number;
  readonly draft:
    | { readonly kind: "none" }
    | { readonly kind: "model"; readonly architecture: Architecture }
    /** EAGLE: one decoder layer over the target's hidden states, and a head. */
    | { readonly kind: "eagle" };
}

/** Features that take memory beside the model's own. */
export interface AdditionalMemory {
  readonly lora?: LoraSlots;
  readonly speculation?: Speculation;
}

/**
 * Bytes of LoRA slots on each GPU of a stage: A (rank x input) and B (output x rank) in BF16 for the seven linear
 * layers of each decoder layer. Column-parallel layers split B, row-parallel layers split A over the ranks.
 * Source: vllm/lora/layers (create_lora_weights), without `--fully-sharded-loras`.
 */
export function loraBytes(
  architecture: Architecture,
  tensor: number,
  stage: Stage,
  { slots, rank }: LoraSlots,
): number {
  const { hiddenSize, attentionHeads, headDimension } = architecture;
  const query = (attentionHeads * headDimension) / tensor;
  const keyValue = keyValueHeadsPerRank(architecture, tensor) * headDimension;
  const feedForward = architecture.feedForwardSize / tensor;
  const columnParallel = 5 * hiddenSize + query + 2 * keyValue + 2 * feedForward;
  const rowParallel = query + hiddenSize + feedForward + hiddenSize;
  return stage.layers * slots * rank * (columnParallel + rowParallel) * bytesPerWeight.bf16;
}

function eagleWeightBytes(architecture: Architecture, tensor: number): number {
  const oneLayer: Architecture = { ...architecture, layers: 1, tiedEmbeddings: true };
  const [stage] = stagesOf(oneLayer, 1);
  // Three hidden states of the target are joined and projected back to one.
  const projection = (3 * architecture.hiddenSize * architecture.hiddenSize * bytesPerWeight.bf16) / tensor;
  return stage === undefined ? 0 : stageWeightBytes(oneLayer, bf16Layout, stage, tensor) + projection;
}

/** Bytes of a draft's weights on each GPU of the last stage; drafts are split as their target is. */
export function draftWeightBytes(architecture: Architecture, tensor: number, { draft }: Speculation): number {
  switch (draft.kind) {
    case "none":
      return 0;
    case "eagle":
      return eagleWeightBytes(architecture, tensor);
    case "model": {
      const [stage] = stagesOf(draft.architecture, 1);
      return stage === undefined ? 0 : stageWeightBytes(draft.architecture, bf16Layout, stage, tensor);
    }
    default:
      return draft satisfies never;
  }
}

/** Bytes that each token of the target takes in the draft's KV cache, on each GPU. */
export function draftKvBytesPerToken(
  architecture: Architecture,
  tensor: number,
  format: KvCacheFormat,
  { draft }: Speculation,
): number {
  switch (draft.kind) {
    case "none":
      return 0;
    case "eagle":
      return kvBytesPerToken(architecture, 1, tensor, format);
    case "model":
      return kvBytesPerToken(draft.architecture, draft.architecture.layers, tensor, format);
    default:
      return draft satisfies never;
  }
}
