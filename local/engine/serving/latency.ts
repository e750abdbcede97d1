// How long one step of the engine takes, from what a GPU can read and compute. Plausible rather than exact:
// it puts models, parallel degrees and loads in the right order and at the right scale.
import type { EngineConfig } from "../config.ts";
import type { Gpu } from "../memory/gpu.ts";
import type { KvCache } from "../memory/memory.ts";

/** What a GPU reaches of its data sheet's memory bandwidth and arithmetic. */
const bandwidthShare = 0.8;
const computeShare = 0.5;
/** One all-reduce over NVLink at small batch; two a layer. */
const allReduceSeconds = 15e-6;
/** Handing activations to the next pipeline stage on another node. */
const stageHopSeconds = 0.5e-3;
/** Scheduler and launch overhead of a step. */
const stepOverheadSeconds = 0.5e-3;

export interface StepLoad {
  /** Prompt tokens computed in this step. */
  readonly prefillTokens: number;
  /** Tokens held by the sequences that decode one token each. */
  readonly contextTokens: number;
}

/** Seconds of one engine step at no speed-up. */
export type StepTime = (load: StepLoad) => number;

/** The step time of one replica: weights are read once a step, stage after stage, and KV caches beside them. */
export function stepTime(
  config: EngineConfig,
  cache: KvCache,
  gpu: Gpu,
  tensorParallelSize: number,
  kvBytesPerToken: number,
): StepTime {
  const { architecture, format } = config.checkpoint;
  const bandwidth = gpu.memoryBandwidth * bandwidthShare;
  const weightBytes = cache.stages.reduce((sum, stage) => sum + stage.weightBytes, 0);
  const flops = gpu.bf16Flops * (format === "bf16" ? 1 : 2) * computeShare * config.worldSize;
  const parameters = architecture.layers * parametersPerLayer(architecture);
  const communication =
    (tensorParallelSize > 1 ? 2 * architecture.layers * allReduceSeconds : 0) +
    (cache.stages.length - 1) * stageHopSeconds;
  const fixed = weightBytes / bandwidth + communication + stepOverheadSeconds;
  return ({ prefillTokens, contextTokens }) =>
    fixed + (contextTokens * kvBytesPerToken) / bandwidth + (prefillTokens * 2 * parameters) / flops;
}

function parametersPerLayer(architecture: EngineConfig["checkpoint"]["architecture"]): number {
  const { hiddenSize, heads, kvHeads, headDim, feedForward } = architecture;
  return 2 * hiddenSize * heads * headDim + 2 * hiddenSize * kvHeads * headDim + 3 * hiddenSize * feedForward;
}
