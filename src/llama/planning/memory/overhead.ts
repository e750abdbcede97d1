// What vLLM's start takes of a GPU besides weights and KV cache: forward pass and sampler, CUDA graphs, and what torch
// does not see. It follows from the batch limits, not from the weights, and differs by engine version: see
// catalog/engines/vllm-regimes.ts. docs/memory-model.md tells each formula with its evidence.
import type { Architecture } from "../../catalog/models.ts";
import type { GpuArchitecture } from "../../catalog/gpus.ts";
import type { VllmRegime } from "../../catalog/engines/vllm-regimes.ts";
import type { EngineLimits } from "../plan.ts";
import type { Stage } from "./weights.ts";

const mebibyte = 2 ** 20;

/**
 * A piece of a captured graph: the nodes and inputs of one layer at one batch size. Fits the 0.91 GiB that 0.20.0
 * takes off more than 0.19.0 for a 70B (80 layers, 51 sizes) on four H200.
 */
const graphPieceBytes = 0.215 * mebibyte;
/** BF16 logits of one rank are gathered and copied with several: 0.55 GiB against 0.245 at 1024 rows. */
const gatheredLogits = 2.25;

/** Bytes of one GPU by part. */
export interface Overhead {
  readonly activations: number;
  readonly graphs: number;
  readonly communication: number;
}

/** What decides the overhead of a stage. */
export interface OverheadInput {
  readonly architecture: Architecture;
  readonly regime: VllmRegime;
  readonly gpu: GpuArchitecture;
  readonly tensor: number;
  readonly pipeline: number;
  readonly stage: Stage;
  readonly limits: EngineLimits;
  /** `--enforce-eager`: no graphs are captured. */
  readonly eager: boolean;
  /** Tokens that a draft proposes for each sequence of a step; each is a row of logits more. */
  readonly speculativeTokens?: number;
}

/**
 * Peak of one forward pass over a full batch of T tokens. Compiled: T x max(2h + 2f/TP, h + 3f/TP) x 2 B, the live
 * tensors of a decoder layer; 0.72 GiB for 8B at 8192 tokens. Eager keeps residual and normed copies beside the three
 * feed-forward tensors: T x (3h + 3f/TP) x 2 B, which logs of V0 meet (8B: 2.07 GiB at 20,000 tokens, 2.99 at 29,000);
 * with several ranks all-reduce copies whole hidden states: T x (5h + 2f/TP) x 2 B (405B over eight MI300X).
 */
export function forwardPassBytes(
  architecture: Architecture,
  tensor: number,
  batchedTokens: number,
  forward: VllmRegime["forward"] = "compiled",
): number {
  const { hiddenSize } = architecture;
  const feedForward = architecture.feedForwardSize / tensor;
  const width =
    forward === "eager"
      ? Math.max(3 * hiddenSize + 3 * feedForward, tensor === 1 ? 0 : 5 * hiddenSize + 2 * feedForward)
      : Math.max(2 * hiddenSize + 2 * feedForward, hiddenSize + 3 * feedForward);
  return batchedTokens * width * 2;
}

/** U: one fp32 copy of the logits of a full batch, min(max-num-seqs, max-num-batched-tokens) x vocabulary x 4 B. */
export function logitsUnitBytes(architecture: Architecture, limits: EngineLimits): number {
  return Math.min(limits.maxNumSeqs, limits.maxNumBatchedTokens) * architecture.vocabularySize * 4;
}

/** V0 splits prompts into chunks where a step is shorter than the longest request. */
const isChunkedByV0 = ({ maxModelLen, maxNumBatchedTokens }: EngineLimits): boolean =>
  maxNumBatchedTokens < maxModelLen;

/** Peak of a profiled sampler run: `units` fp32 copies of the logits, and what stays alive of the forward pass. */
export function samplerBytes({ architecture, regime, limits, speculativeTokens }: OverheadInput): number {
  const { sampler } = regime;
  if (sampler.kind === "profiled" && sampler.skippedWhenChunked && isChunkedByV0(limits)) return 0;
  // V1 samples every proposed token; V2 keeps one state for each sequence.
  const rows = sampler.kind === "profiled" ? 1 + (speculativeTokens ?? 0) : 1;
  const copies = logitsUnitBytes(architecture, limits) * rows * sampler.units;
  const keepsHidden = sampler.kind === "profiled" && sampler.keepsHiddenStates;
  return copies + (keepsHidden ? limits.maxNumBatchedTokens * architecture.hiddenSize * 2 : 0);
}

/** BF16 logits of a step, gathered and copied where several ranks each hold a part of the vocabulary. */
export function stepLogitsBytes(input: OverheadInput): number {
  const { architecture, tensor, limits, speculativeTokens = 0 } = input;
  const logits = (logitsUnitBytes(architecture, limits) / 2) * (1 + speculativeTokens);
  return logits * (tensor === 1 ? 1 : gatheredLogits);
}

/** Hidden states and residual that a stage after the first receives: T x h x 4 B. */
export function receivedBytes({ architecture, stage, limits }: OverheadInput): number {
  return stage.first ? 0 : limits.maxNumBatchedTokens * architecture.hiddenSize * 4;
}

function activationBytes(input: OverheadInput): number {
  const { architecture, regime, tensor, stage, limits } = input;
  const forward = forwardPassBytes(architecture, tensor, limits.maxNumBatchedTokens, regime.forward);
  const received = receivedBytes(input);
  if (!stage.last) return forward + received;
  const sampler = samplerBytes(input);
  const platform = input.gpu === "cdna3" ? rocmProfileBytes : 0;
  if (regime.sampler.kind === "profiled") return Math.max(forward, sampler + platform) + received;
  return sampler + Math.max(forward, stepLogitsBytes(input)) + platform + received;
}

/** How many batch sizes are captured: 1, 2, 4, every 8 below 256, every 16 up to the largest. Source: VllmConfig. */
export function capturedSizes(maxNumSeqs: number, gpu: GpuArchitecture): number {
  const largest = Math.min(2 * maxNumSeqs, gpu === "blackwell" ? 1024 : 512);
  const small = [1, 2, 4].filter((size) => size <= largest).length;
  const byEight = Math.max(0, Math.floor(Math.min(largest, 248) / 8));
  const bySixteen = largest < 256 ? 0 : Math.floor((largest - 256) / 16) + 1;
  return small + byEight + bySixteen;
}

function graphBytes({ regime, stage, limits, gpu, eager }: OverheadInput): number {
  if (eager || !regime.countsGraphs) return 0;
  // All sizes piecewise, two of them whole; a stage of n layers has n + 1 pieces between its attention calls.
  return (capturedSizes(limits.maxNumSeqs, gpu) + 2) * (stage.layers + 1) * graphPieceBytes;
}

/** What the profile takes more on ROCm than on CUDA: a 70B alone on an MI300X, 0.18.0, in BF16 and in FP8. */
const rocmProfileBytes = 1.1 * 2 ** 30;

/** What torch does not see of a rank's memory inside the budget: NCCL, custom all-reduce, kernels' own. */
export function outsideTorchBytes({ regime, gpu, tensor, pipeline }: OverheadInput): number {
  const ofPlatform = gpu === "cdna3" ? regime.outsideTorchOnRocm : undefined;
  const { alone, several, perRank } = ofPlatform ?? regime.outsideTorch;
  return tensor * pipeline === 1 ? alone : several + perRank * tensor;
}

/** The overhead of each GPU of one stage. */
export function stageOverhead(input: OverheadInput): Overhead {
  return {
    activations: Math.ceil(activationBytes(input)),
    graphs: Math.ceil(graphBytes(input)),
    communication: Math.ceil(outsideTorchBytes(input)),
  };
}
