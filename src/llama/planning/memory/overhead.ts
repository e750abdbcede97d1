// What vLLM's start takes of a GPU besides weights and KV cache: forward pass and sampler, CUDA graphs, and what torch
// does not see. It follows from the batch limits, not from the weights, and differs by engine version: see
// catalog/engines/vllm-regimes.ts. docs/memory-model.md tells each formula with its evidence.
import type { Architecture } from "../../catalog/models.ts";
import type { Gpu } from "../../catalog/gpus.ts";
import type { VllmRegime } from "../../catalog/engines/vllm-regimes.ts";
import type { EngineLimits } from "../plan.ts";
import { paddedVocabularySize } from "./weights.ts";
import type { Stage } from "./weights.ts";

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;

/**
 * A piece of a captured graph: the nodes and inputs of one layer at one batch size. Fits the 0.91 GiB that 0.20.0
 * takes off more than 0.19.0 for a 70B (80 layers, 51 sizes) on four H200.
 */
const graphPieceBytes = 0.215 * mebibyte;
/**
 * What a compiled step holds beside its layers' tensors, whatever the model: three logs of 0.11 on H100 at 64 and 4,096
 * tokens a step leave 0.04 to 0.06 GiB.
 */
const smallBuffersBytes = 0.05 * gibibyte;
/** cuBLAS's workspace by compute capability: 9 and 10, all others. Source: aten/src/ATen/cuda/CublasHandlePool.cpp. */
const cublasWorkspaceBytes = { large: 32 * mebibyte, small: 8.125 * mebibyte } as const;
/**
 * What a cold torch.compile holds beside embeddings and hidden states: 0.09 GiB in logs of 0.23 and 0.28 on RTX PRO 6000 and
 * RTX 3090, 0.11 on an A10G, 0.16 with 0.31 on an A100.
 */
export const coldCompileBaseBytes = 0.09 * gibibyte;
/** BF16 logits of one rank are gathered and copied with several: 0.55 GiB against 0.245 at 1024 rows. */
const gatheredLogits = 2.25;

/** Bytes of one GPU by part. */
export interface Overhead {
  readonly activations: number;
  readonly graphs: number;
  readonly communication: number;
}

/** What of a GPU decides the overhead. */
export type OverheadGpu = Pick<Gpu, "architecture" | "computeCapability" | "nvlink">;

/** What decides the overhead of a stage. */
export interface OverheadInput {
  readonly architecture: Architecture;
  readonly regime: VllmRegime;
  readonly gpu: OverheadGpu;
  readonly tensor: number;
  readonly pipeline: number;
  readonly stage: Stage;
  readonly limits: EngineLimits;
  /** `--enforce-eager`: no graphs are captured. */
  readonly eager: boolean;
  /** Whether torch.compile finds what an earlier start left. A new pod has an empty folder: cold where it is absent. */
  readonly compileCache?: "cold" | "warm";
  /** `--max-cudagraph-capture-size`, where it is set. */
  readonly largestGraph?: number;
  /** Tokens that a draft proposes for each sequence of a step; each is a row of logits more. */
  readonly speculativeTokens?: number;
}

/**
 * Peak of one forward pass over a full batch of T tokens. Compiled: T x (4h + 3f/TP) x 2 B, at the activation of the
 * feed-forward: attention's output, the residual before and after it and the normed states, gate, up and their product.
 * Logs of 0.11 at 4,096 tokens say 0.377 GiB (Llama 2 7B) and 0.75 (CodeLlama 34B): 4.00 h and 4.05. Eager V0 holds
 * T x (3h + 3f/TP) x 2 B (8B: 2.07 GiB at 20,000 tokens, 2.99 at 29,000); with several ranks all-reduce copies whole
 * hidden states: T x (5h + 2f/TP) x 2 B (405B over eight MI300X).
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
      : 4 * hiddenSize + 3 * feedForward;
  return batchedTokens * width * 2;
}

/**
 * Peak of a cold torch.compile: a second copy of the rank's embeddings and a step of hidden states, besides a little. The
 * engine takes it for the peak of a step (vllm-project/vllm#54122, #54383), so it counts where it is higher. The copy is
 * inferred: the peak follows the vocabulary and the hidden size over five models and grows to tens of GiB with larger tables.
 */
export function coldCompileBytes(input: OverheadInput): number {
  const { architecture, regime, tensor, stage, limits, eager, compileCache } = input;
  if (!regime.chargesColdCompile || eager || compileCache === "warm" || !stage.first) return 0;
  const rowBytes = architecture.hiddenSize * 2;
  const embeddings = (paddedVocabularySize(architecture) / tensor) * rowBytes;
  return embeddings + limits.maxNumBatchedTokens * rowBytes + coldCompileBaseBytes;
}

/** Peak of what a start allocates besides the sampler's run: the forward pass and its buffers. */
export function stepPeakBytes({ architecture, regime, tensor, limits }: OverheadInput): number {
  const pass = forwardPassBytes(architecture, tensor, limits.maxNumBatchedTokens, regime.forward);
  return pass + (regime.forward === "compiled" ? smallBuffersBytes : 0);
}

/** cuBLAS's workspace, which torch allocates; V0's rules were fitted with it inside. */
export function workspaceBytes({ regime, gpu }: OverheadInput): number {
  if (regime.forward === "eager") return 0;
  return /^(9|10)\./.test(gpu.computeCapability ?? "")
    ? cublasWorkspaceBytes.large
    : cublasWorkspaceBytes.small;
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
  if (sampler.kind === "persistent") return copies;
  const sampled = Math.min(limits.maxNumSeqs, limits.maxNumBatchedTokens) * sampler.sampledHiddenStates;
  return copies + (limits.maxNumBatchedTokens + sampled) * architecture.hiddenSize * 2;
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

/** Activations by part; the engine charges their highest peak, which is reached at one moment of the start. */
export interface Activations {
  readonly steady: number;
  /** What a cold torch.compile takes above that. */
  readonly coldCompile: number;
}

export function activationsOf(input: OverheadInput): Activations {
  const { regime, stage } = input;
  const forward = stepPeakBytes(input);
  const kept = receivedBytes(input) + workspaceBytes(input);
  const cold = coldCompileBytes(input);
  const withPeak = (peak: number, permanent: number): Activations => ({
    steady: peak + permanent,
    coldCompile: Math.max(0, cold - peak),
  });
  if (!stage.last) return withPeak(forward, kept);
  const sampler = samplerBytes(input);
  const platform = input.gpu.architecture === "cdna3" ? regime.profileOnRocmBytes : 0;
  return regime.sampler.kind === "profiled"
    ? withPeak(Math.max(forward, sampler + platform), kept)
    : withPeak(Math.max(forward, stepLogitsBytes(input)), kept + sampler + platform);
}

/** How many batch sizes are captured: 1, 2, 4, every 8 below 256, every 16 up to the largest. Source: VllmConfig. */
export function capturedSizes(
  maxNumSeqs: number,
  { computeCapability = "" }: Pick<Gpu, "computeCapability">,
  largestGraph?: number,
): number {
  // Blackwell of data centres, not that of workstations, whose capability is 12.0.
  const usual = Math.min(2 * maxNumSeqs, computeCapability.startsWith("10.") ? 1024 : 512);
  const largest = largestGraph ?? usual;
  const small = [1, 2, 4].filter((size) => size <= largest).length;
  const byEight = Math.max(0, Math.floor(Math.min(largest, 248) / 8));
  const bySixteen = largest < 256 ? 0 : Math.floor((largest - 256) / 16) + 1;
  return small + byEight + bySixteen;
}

/** CUDA graphs of a stage, whether or not they are taken off the budget. */
export function graphBytes(input: OverheadInput): number {
  const { regime, stage, limits, gpu, eager, largestGraph } = input;
  if (eager || regime.forward === "eager") return 0;
  // All sizes piecewise, two of them whole; a stage of n layers has n + 1 pieces between its attention calls.
  return (capturedSizes(limits.maxNumSeqs, gpu, largestGraph) + 2) * (stage.layers + 1) * graphPieceBytes;
}

/** What torch does not see of a rank's memory inside the budget: NCCL, custom all-reduce, kernels' own. */
export function outsideTorchBytes({ regime, gpu, tensor, pipeline }: OverheadInput): number {
  const ofPlatform = gpu.architecture === "cdna3" ? regime.outsideTorchOnRocm : undefined;
  const { alone, aloneFromHopper, several, perRank, freeOnPcie } = ofPlatform ?? regime.outsideTorch;
  if (tensor * pipeline > 1 && !(freeOnPcie === true && gpu.nvlink === "none")) {
    return several + perRank * tensor;
  }
  const hasLargeKernels = Number(gpu.computeCapability ?? "0") >= 9;
  return hasLargeKernels ? (aloneFromHopper ?? alone) : alone;
}

/** The overhead of each GPU of one stage. */
export function stageOverhead(input: OverheadInput): Overhead {
  const { steady, coldCompile } = activationsOf(input);
  return {
    activations: Math.ceil(steady + coldCompile),
    graphs: input.regime.countsGraphs ? Math.ceil(graphBytes(input)) : 0,
    communication: Math.ceil(outsideTorchBytes(input)),
  };
}
