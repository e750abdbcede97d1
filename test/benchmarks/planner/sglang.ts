// The KV pool of SGLang, which the operator does not run: it is here to be compared with logs. What is free after the
// weights, less a share of what was free before them. Activations, graphs and NCCL's growth live in that share, so no
// profile decides. Holds to 0.01 GiB on public logs of 0.3 to 0.4.8.
import type { Architecture } from "../../../src/llama/catalog/models.ts";
import type { KvCacheFormat, WeightLayout } from "../../../src/llama/catalog/weight-bytes.ts";
import { kvBytesPerToken } from "../../../src/llama/planning/memory/kv-cache.ts";
import { stagesOf, stageWeightBytes } from "../../../src/llama/planning/memory/weights.ts";

const gibibyte = 2 ** 30;

/** What the CUDA context, and NCCL with several ranks, take before SGLang looks at what is free: 79.2 to 78.6 GiB. */
export const sglangContextBytes = { alone: 0.55 * gibibyte, several: 1.3 * gibibyte } as const;
/** What loading leaves taken beside the weights: 0.01 to 0.12 GiB in logs. */
const loadingBytes = 0.07 * gibibyte;

/** What decides the size of the pool. */
export interface SglangInput {
  readonly architecture: Architecture;
  readonly layout: WeightLayout;
  readonly tensor: number;
  readonly pipeline: number;
  readonly kvCache: KvCacheFormat;
  /** Bytes that are free before the weights are loaded: SGLang logs them as `avail mem`. */
  readonly freeBytes: number;
  /** `--mem-fraction-static`. */
  readonly memoryFraction: number;
}

/**
 * Tokens of the pool: floor((free after load - free before load x (1 - fraction)) / bytes per token), of the stage
 * that holds the fewest. Source: ModelRunner.profile_max_num_token.
 */
export function sglangKvTokens(input: SglangInput): number {
  const { architecture, layout, tensor, pipeline, kvCache, freeBytes, memoryFraction } = input;
  const tokens = stagesOf(architecture, pipeline).map((stage) => {
    const weights = stageWeightBytes(architecture, layout, stage, tensor) + loadingBytes;
    const pool = freeBytes * memoryFraction - weights;
    return Math.floor(pool / kvBytesPerToken(architecture, stage.layers, tensor, kvCache));
  });
  return Math.max(0, Math.min(...tokens));
}
