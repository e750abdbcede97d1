// What start-up takes of a GPU besides weights and KV cache: forward pass and sampler, CUDA graphs, communication.
// It follows from the batch limits, not from the weights, and differs by engine version: see catalog/engines.ts.
import type { Architecture } from "../../catalog/models.ts";
import type { GpuArchitecture } from "../../catalog/gpus.ts";
import type { OverheadRegime } from "../../catalog/engines.ts";
import type { EngineLimits } from "../plan.ts";
import type { Stage } from "./weights.ts";

const gibibyte = 2 ** 30;
const mebibyte = 2 ** 20;

/** NCCL's growth and custom all-reduce inside the budget: 0.6 to 0.75 GiB in logs with several ranks. */
const communicationBytes = 0.75 * gibibyte;
/**
 * A piece of a captured graph: the nodes and inputs of one layer at one batch size. Derived: puts an 8B at 0.4 GiB
 * and a 405B at 1.6 GiB for all sizes, as far apart as public logs of such sizes are.
 */
const graphPieceBytes = 0.25 * mebibyte;
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
  readonly regime: OverheadRegime;
  readonly gpu: GpuArchitecture;
  readonly tensor: number;
  readonly pipeline: number;
  readonly stage: Stage;
  readonly limits: EngineLimits;
  /** `--enforce-eager`: no graphs are captured. */
  readonly eager: boolean;
}

/**
 * Peak of one forward pass over a full batch of T tokens: T x max(2h + 2f/TP, h + 3f/TP) x 2 B. Derived from the
 * live tensors of a decoder layer; 0.72 GiB for 8B at 8192 tokens.
 */
export function forwardPassBytes(architecture: Architecture, tensor: number, batchedTokens: number): number {
  const { hiddenSize } = architecture;
  const feedForward = architecture.feedForwardSize / tensor;
  return batchedTokens * Math.max(2 * hiddenSize + 2 * feedForward, hiddenSize + 3 * feedForward) * 2;
}

/** U: one fp32 copy of the logits of a full batch, min(max-num-seqs, max-num-batched-tokens) x vocabulary x 4 B. */
export function logitsUnitBytes(architecture: Architecture, limits: EngineLimits): number {
  return Math.min(limits.maxNumSeqs, limits.maxNumBatchedTokens) * architecture.vocabularySize * 4;
}

function activationBytes({ architecture, regime, tensor, stage, limits }: OverheadInput): number {
  const forward = forwardPassBytes(architecture, tensor, limits.maxNumBatchedTokens);
  const received = stage.first ? 0 : limits.maxNumBatchedTokens * architecture.hiddenSize * 4;
  if (!stage.last) return forward + received;
  const unit = logitsUnitBytes(architecture, limits);
  const sampler = unit * (tensor === 1 ? regime.samplerUnits.alone : regime.samplerUnits.tensorParallel);
  if (regime.sampler === "profiled") return Math.max(forward, sampler) + received;
  const logits = (unit / 2) * (tensor === 1 ? 1 : gatheredLogits);
  return sampler + Math.max(forward, logits) + received;
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

/** The overhead of each GPU of one stage. */
export function stageOverhead(input: OverheadInput): Overhead {
  return {
    activations: Math.ceil(activationBytes(input)),
    graphs: Math.ceil(graphBytes(input)),
    communication: input.tensor * input.pipeline > 1 ? communicationBytes : 0,
  };
}
