// The memory of one GPU, part by part: budget - weights - overhead - margin is what the KV cache gets.
// Stages differ, and the engine gives all of them the blocks of the one that can hold the fewest.
import type { Architecture } from "../../catalog/models.ts";
import type { Gpu } from "../../catalog/gpus.ts";
import type { OverheadRegime } from "../../catalog/engines.ts";
import type { KvCacheFormat, WeightLayout } from "../../catalog/weight-bytes.ts";
import type { EngineLimits, MemoryPerGpu } from "../plan.ts";
import { blocksNeeded, blocksPerRequest, kvBytesPerToken } from "./kv-cache.ts";
import { stageOverhead } from "./overhead.ts";
import { stagesOf, stageWeightBytes } from "./weights.ts";

const gibibyte = 2 ** 30;

/**
 * Memory that the CUDA context and NCCL's start take outside the budget, at most, with one rank and with several; an
 * assumption on the safe side. The engine refuses to start where less than the budget is free.
 */
const outsideBudgetBytes = { alone: 0.5 * gibibyte, several: 1.5 * gibibyte } as const;

export interface MemoryInput {
  readonly architecture: Architecture;
  readonly layout: WeightLayout;
  readonly tensor: number;
  readonly pipeline: number;
  readonly kvCache: KvCacheFormat;
  readonly gpu: Pick<Gpu, "visibleBytes" | "architecture">;
  readonly regime: OverheadRegime;
  /** Bytes that are left free because the regime may be off by as much. */
  readonly marginBytes: number;
  readonly limits: EngineLimits;
  readonly eager: boolean;
  /** Requests of full length that must fit at once. */
  readonly minConcurrency: number;
}

/** The account of the stage that holds the fewest tokens. Bytes are of one GPU. */
export interface MemoryAccount {
  readonly visibleBytes: number;
  /** ceil(gpu-memory-utilization x visible). */
  readonly budgetBytes: number;
  readonly weightsBytes: number;
  readonly overheadBytes: number;
  readonly marginBytes: number;
  /** What is left for the KV cache; below zero where not even the weights fit. */
  readonly availableBytes: number;
  /** What the wanted requests of full length take. */
  readonly neededBytes: number;
  /** Memory outside the budget, and what context and NCCL may take of it. */
  readonly outsideBytes: number;
  readonly outsideNeededBytes: number;
  readonly fits: boolean;
  /** Tokens that the KV cache of the replica holds. */
  readonly kvCacheTokens: number;
  /** Requests of full length at once, rounded down to hundredths. */
  readonly maxConcurrency: number;
  /** The parts; they add up to the total to the byte. Of use only where it fits. */
  readonly perGpu: MemoryPerGpu;
}

interface StageAccount {
  readonly parts: Pick<MemoryPerGpu, "weights" | "activations" | "graphs" | "communication">;
  readonly overheadBytes: number;
  readonly availableBytes: number;
  readonly blockBytes: number;
  readonly blocks: number;
}

function accountStages(input: MemoryInput, budgetBytes: number): readonly StageAccount[] {
  return stagesOf(input.architecture, input.pipeline).map((stage) => {
    const weights = stageWeightBytes(input.architecture, input.layout, stage, input.tensor);
    const overhead = stageOverhead({ ...input, gpu: input.gpu.architecture, stage });
    const overheadBytes = overhead.activations + overhead.graphs + overhead.communication;
    const availableBytes = budgetBytes - weights - overheadBytes - input.marginBytes;
    const blockBytes =
      kvBytesPerToken(input.architecture, stage.layers, input.tensor, input.kvCache) * input.limits.blockSize;
    return {
      parts: { weights, ...overhead },
      overheadBytes,
      availableBytes,
      blockBytes,
      blocks: Math.floor(availableBytes / blockBytes),
    };
  });
}

/** Accounts for every byte of the fullest GPU of a replica. */
export function accountMemory(input: MemoryInput): MemoryAccount {
  const { gpu, limits, tensor, pipeline } = input;
  const budgetBytes = Math.ceil(limits.gpuMemoryUtilization * gpu.visibleBytes);
  const tightest = accountStages(input, budgetBytes).reduce((least, stage) =>
    stage.blocks < least.blocks ? stage : least,
  );
  const needed = blocksNeeded(limits.maxModelLen, limits.blockSize, input.minConcurrency);
  const outsideNeededBytes = tensor * pipeline > 1 ? outsideBudgetBytes.several : outsideBudgetBytes.alone;

  const blocks = Math.max(0, tightest.blocks);
  const kvCache = blocks * tightest.blockBytes;
  const { weights, activations, graphs, communication } = tightest.parts;
  const total = gpu.visibleBytes;
  return {
    visibleBytes: total,
    budgetBytes,
    weightsBytes: weights,
    overheadBytes: tightest.overheadBytes,
    marginBytes: input.marginBytes,
    availableBytes: tightest.availableBytes,
    neededBytes: needed * tightest.blockBytes,
    outsideBytes: total - budgetBytes,
    outsideNeededBytes,
    fits: tightest.blocks >= needed && total - budgetBytes >= outsideNeededBytes,
    kvCacheTokens: blocks * limits.blockSize,
    maxConcurrency: Math.floor((blocks * 100) / blocksPerRequest(limits.maxModelLen, limits.blockSize)) / 100,
    perGpu: {
      total,
      weights,
      kvCache,
      activations,
      graphs,
      communication,
      reserved: total - weights - kvCache - activations - graphs - communication,
    },
  };
}

/** Bytes of weights of one replica that one node with `stages` of its stages holds. */
export function weightBytesOfNode(
  input: Pick<MemoryInput, "architecture" | "layout" | "tensor" | "pipeline">,
  stagesPerNode: number,
): number {
  const bytes = stagesOf(input.architecture, input.pipeline).map(
    (stage) => stageWeightBytes(input.architecture, input.layout, stage, input.tensor) * input.tensor,
  );
  const nodes = Array.from({ length: Math.ceil(bytes.length / stagesPerNode) }, (_, node) =>
    bytes.slice(node * stagesPerNode, (node + 1) * stagesPerNode).reduce((sum, stage) => sum + stage, 0),
  );
  return Math.max(...nodes);
}
