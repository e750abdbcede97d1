// The KV cache of llama.cpp, and so of Ollama, which the operator does not run: it is here to be compared with logs.
// Allocated whole at start, as large as the context asked for. What does not fit on the GPU goes to the CPU, layer by
// layer, instead of being refused.
import type { Architecture } from "../../../src/llama/catalog/models.ts";
import type { KvCacheFormat, WeightLayout } from "../../../src/llama/catalog/weight-bytes.ts";
import { kvBytesPerToken } from "../../../src/llama/planning/memory/kv-cache.ts";
import { stagesOf, stageWeightBytes } from "../../../src/llama/planning/memory/weights.ts";

/**
 * Bytes of the compute buffer of a micro-batch: its logits in fp32, and the widest pair of feed-forward tensors.
 * Source: llama-context.cpp (graph_reserve), 512 tokens by default.
 */
function computeBufferBytes(architecture: Architecture, microBatchTokens: number): number {
  const { vocabularySize, hiddenSize, feedForwardSize } = architecture;
  return microBatchTokens * (vocabularySize + 2 * hiddenSize + 2 * feedForwardSize) * 4;
}

const defaultMicroBatchTokens = 512;

/** What decides whether all layers stay on the GPU. */
export interface LlamaCppInput {
  readonly architecture: Architecture;
  readonly layout: WeightLayout;
  readonly kvCache: KvCacheFormat;
  /** `--ctx-size`: tokens of all slots together. */
  readonly contextTokens: number;
  readonly visibleBytes: number;
}

/** Tokens of the cache, which are those asked for, and whether everything lies on the GPU. */
export function llamaCppKvCache(input: LlamaCppInput): {
  readonly tokens: number;
  readonly kvBytes: number;
  readonly onGpu: boolean;
} {
  const { architecture, layout, kvCache, contextTokens, visibleBytes } = input;
  const [stage] = stagesOf(architecture, 1);
  const weights = stage === undefined ? 0 : stageWeightBytes(architecture, layout, stage, 1);
  const kvBytes = contextTokens * kvBytesPerToken(architecture, architecture.layers, 1, kvCache);
  const needed = weights + kvBytes + computeBufferBytes(architecture, defaultMicroBatchTokens);
  return { tokens: contextTokens, kvBytes, onGpu: needed <= visibleBytes };
}
