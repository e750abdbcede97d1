// Bounds of speed: what bandwidth and arithmetic allow at most. No engine reaches them. They rank models and layouts,
// and they show what cannot be.
// Method: the roofline of Williams, Waterman and Patterson (CACM 52/4, 2009), over one GPU of each pipeline stage.
import type { Gpu } from "../catalog/gpus.ts";
import type { Architecture } from "../catalog/models.ts";
import { bytesPerWeight, layerParameters, vocabularyParameters } from "../catalog/weight-bytes.ts";
import type { KvCacheFormat, WeightFormat, WeightLayout } from "../catalog/weight-bytes.ts";
import { kvBytesPerToken } from "./memory/kv-cache.ts";
import { stagesOf, stageWeightBytes } from "./memory/weights.ts";
import type { Stage } from "./memory/weights.ts";

/** What runs, and on what. */
export interface PerformanceInput {
  readonly architecture: Architecture;
  readonly layout: WeightLayout;
  readonly format: WeightFormat;
  readonly tensor: number;
  readonly pipeline: number;
  readonly kvCache: KvCacheFormat;
  readonly gpu: Pick<Gpu, "memoryBytesPerSecond" | "bf16Flops" | "fp8Flops">;
}

/** Upper bounds; tokens are of the whole replica unless said. */
export interface DecodeBound {
  /** Seconds between two tokens of a request: inter-token latency, at least. */
  readonly secondsPerToken: number;
  /** Answer tokens a second of one request, at most. */
  readonly tokensPerSecondPerRequest: number;
  /** Answer tokens a second of all requests together, at most. */
  readonly tokensPerSecond: number;
}

/** Operations a second of one GPU at the format of the weights; INT4 and INT8 weights are computed in BF16. */
function peakFlops({ gpu, format }: PerformanceInput): number {
  return format === "fp8" ? (gpu.fp8Flops ?? gpu.bf16Flops) : gpu.bf16Flops;
}

/** Multiplications and additions of one token in the layers of a stage, with so many tokens before it. */
function layerFlopsPerToken(architecture: Architecture, layers: number, contextTokens: number): number {
  const { query, output, keyValue, feedForward } = layerParameters(architecture);
  const matrices = 2 * (query + output + keyValue + feedForward);
  const attention = 4 * architecture.attentionHeads * architecture.headDimension * contextTokens;
  return layers * (matrices + attention);
}

/** Bytes that one GPU of a stage reads of its weights for a step: all but the embeddings, of which it reads rows. */
function weightReadBytes({ architecture, layout, tensor }: PerformanceInput, stage: Stage): number {
  const embeddings = (vocabularyParameters(architecture) * bytesPerWeight.bf16) / tensor;
  const isSeparate = stage.first && !(architecture.tiedEmbeddings && stage.last);
  return stageWeightBytes(architecture, layout, stage, tensor) - (isSeparate ? embeddings : 0);
}

/** Seconds that a stage needs for one step of `sequences` requests that are `contextTokens` long, at least. */
function stageSeconds(
  input: PerformanceInput,
  stage: Stage,
  sequences: number,
  contextTokens: number,
): number {
  const { architecture, tensor, kvCache, gpu } = input;
  const kvBytes = sequences * contextTokens * kvBytesPerToken(architecture, stage.layers, tensor, kvCache);
  const head = stage.last ? 2 * vocabularyParameters(architecture) : 0;
  const flops = sequences * (layerFlopsPerToken(architecture, stage.layers, contextTokens) + head);
  return Math.max(
    (weightReadBytes(input, stage) + kvBytes) / gpu.memoryBytesPerSecond,
    flops / tensor / peakFlops(input),
  );
}

/**
 * Decode: every step reads the weights once and each request's KV cache, whichever of bandwidth and arithmetic is
 * slower. Stages work on different requests at the same time, so many requests hide them; a single one waits for all.
 */
export function decodeBound(input: PerformanceInput, requests: number, contextTokens: number): DecodeBound {
  const { architecture, pipeline } = input;
  const inStage = Math.ceil(requests / pipeline);
  const seconds = stagesOf(architecture, pipeline).map((stage) =>
    stageSeconds(input, stage, inStage, contextTokens),
  );
  const through = seconds.reduce((sum, each) => sum + each, 0);
  const secondsPerToken = requests < pipeline ? through : Math.max(through, pipeline * Math.max(...seconds));
  return {
    secondsPerToken,
    tokensPerSecondPerRequest: 1 / secondsPerToken,
    tokensPerSecond: requests / secondsPerToken,
  };
}

/** Prefill: prompt tokens a second of the replica, at most, for prompts of that length; all GPUs at full arithmetic. */
export function prefillTokensPerSecond(input: PerformanceInput, promptTokens: number): number {
  const { architecture, tensor, pipeline } = input;
  const flops = layerFlopsPerToken(architecture, architecture.layers, promptTokens / 2);
  return (tensor * pipeline * peakFlops(input)) / flops;
}
