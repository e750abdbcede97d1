// The memory of one GPU, part by part: budget - weights - overhead - margin is what the KV cache gets.
// Stages differ, and the engine gives all of them the blocks of the one that can hold the fewest.
import type { Architecture } from "../../catalog/models.ts";
import type { Gpu } from "../../catalog/gpus.ts";
import type { VllmRegime } from "../../catalog/engines/vllm-regimes.ts";
import type { KvCacheFormat, WeightLayout } from "../../catalog/weight-bytes.ts";
import type { EngineLimits, MemoryPerGpu } from "../plan.ts";
import { draftKvBytesPerToken, draftWeightBytes, loraBytes } from "./additional.ts";
import type { AdditionalMemory } from "./additional.ts";
import { blocksNeeded, blocksPerRequest, kvBytesPerToken } from "./kv-cache.ts";
import { graphBytes, stageOverhead } from "./overhead.ts";
import type { Overhead, OverheadGpu, OverheadInput } from "./overhead.ts";
import { stagesOf, stageWeightBytes } from "./weights.ts";
import type { Stage } from "./weights.ts";

const gibibyte = 2 ** 30;

/**
 * Memory that the CUDA context and NCCL's start take outside the budget, at most, with one rank and with several; an
 * assumption on the safe side. The engine refuses to start where less than the budget is free.
 */
const outsideBudgetBytes = { alone: 0.5 * gibibyte, several: 1.5 * gibibyte } as const;

/** Left free for what a measured overhead may vary by from start to start; logs of one version differ by less. */
export const measuredMarginBytes = 0.1 * gibibyte;

export interface MemoryInput {
  readonly architecture: Architecture;
  readonly layout: WeightLayout;
  readonly tensor: number;
  readonly pipeline: number;
  readonly kvCache: KvCacheFormat;
  readonly gpu: Pick<Gpu, "visibleBytes"> & OverheadGpu;
  readonly regime: VllmRegime;
  /** Bytes that are left free because the regime may be off by as much. */
  readonly marginBytes: number;
  readonly limits: EngineLimits;
  readonly eager: boolean;
  /** Absent means cold: each new pod begins with an empty folder. */
  readonly compileCache?: "cold" | "warm";
  /** `--max-cudagraph-capture-size`, where it is set. */
  readonly largestGraph?: number;
  /** LoRA slots and speculative decoding. */
  readonly additional?: AdditionalMemory;
  /** "planned": the engine is told one size for all stages; absent or "profiled": each stage takes what it has. */
  readonly kvCacheSize?: "profiled" | "planned";
  /** What running engines of the same kind reported as the overhead of a GPU; it takes the regime's place. */
  readonly measuredOverheadBytes?: number;
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
  /** Memory outside the budget, and what context, NCCL and graphs that the engine did not count may take of it. */
  readonly outsideBytes: number;
  readonly outsideNeededBytes: number;
  readonly fits: boolean;
  /** The stage that this account is of. */
  readonly stage: Stage;
  /** Bytes of one KV block on each GPU of the stage. */
  readonly blockBytes: number;
  /** Tokens that the KV cache of the replica holds at least: the margin is not counted. */
  readonly kvCacheTokens: number;
  /** Tokens that it is expected to hold: as above, with the margin. */
  readonly expectedKvCacheTokens: number;
  /** Requests of full length at once, rounded down to hundredths. */
  readonly maxConcurrency: number;
  /** The parts; they add up to the total to the byte. Of use only where it fits. */
  readonly perGpu: MemoryPerGpu;
}

interface StageAccount {
  readonly stage: Stage;
  readonly parts: Pick<MemoryPerGpu, "weights" | "additional"> & Overhead;
  readonly overheadBytes: number;
  readonly availableBytes: number;
  readonly blockBytes: number;
  readonly blocks: number;
}

/** A measured overhead, shared out by part: what the rule says of graphs and communication, the rest activations. */
function asMeasured(measuredBytes: number, rule: Overhead): Overhead {
  const graphs = Math.min(rule.graphs, measuredBytes);
  const communication = Math.min(rule.communication, measuredBytes - graphs);
  return { graphs, communication, activations: measuredBytes - graphs - communication };
}

function additionalBytes({ architecture, tensor, additional }: MemoryInput, stage: Stage): number {
  const { lora, speculation } = additional ?? {};
  return Math.ceil(
    (lora === undefined ? 0 : loraBytes(architecture, tensor, stage, lora)) +
      (speculation === undefined || !stage.last ? 0 : draftWeightBytes(architecture, tensor, speculation)),
  );
}

function blockBytesOf(input: MemoryInput, stage: Stage): number {
  const { architecture, tensor, kvCache, limits, additional } = input;
  const speculation = stage.last ? additional?.speculation : undefined;
  const draft =
    speculation === undefined ? 0 : draftKvBytesPerToken(architecture, tensor, kvCache, speculation);
  return (kvBytesPerToken(architecture, stage.layers, tensor, kvCache) + draft) * limits.blockSize;
}

/** What the overhead of a stage follows from. */
export function overheadInputOf(input: MemoryInput, stage: Stage): OverheadInput {
  return { ...input, stage, speculativeTokens: input.additional?.speculation?.tokens ?? 0 };
}

function accountStages(input: MemoryInput, budgetBytes: number): readonly StageAccount[] {
  return stagesOf(input.architecture, input.pipeline).map((stage) => {
    const weights = stageWeightBytes(input.architecture, input.layout, stage, input.tensor);
    const additional = additionalBytes(input, stage);
    const rule = stageOverhead(overheadInputOf(input, stage));
    const overhead =
      input.measuredOverheadBytes === undefined ? rule : asMeasured(input.measuredOverheadBytes, rule);
    const overheadBytes = overhead.activations + overhead.graphs + overhead.communication;
    const availableBytes = budgetBytes - weights - additional - overheadBytes - input.marginBytes;
    const blockBytes = blockBytesOf(input, stage);
    return {
      stage,
      parts: { weights, additional, ...overhead },
      overheadBytes,
      availableBytes,
      blockBytes,
      blocks: Math.floor(availableBytes / blockBytes),
    };
  });
}

/** Accounts for every byte of the fullest GPU of a replica. */
export function accountMemory(input: MemoryInput): MemoryAccount {
  const { gpu, limits, tensor, pipeline, marginBytes } = input;
  const budgetBytes = Math.ceil(limits.gpuMemoryUtilization * gpu.visibleBytes);
  const stages = accountStages(input, budgetBytes);
  const tightest = stages.reduce((least, stage) => (stage.blocks < least.blocks ? stage : least));
  const expected = Math.min(
    ...stages.map(({ availableBytes, blockBytes }) =>
      Math.floor((availableBytes + marginBytes) / blockBytes),
    ),
  );
  const told = input.kvCacheSize === "planned";
  // Told a size, each stage makes blocks of it: the widest block and the tightest stage decide.
  const blockBytes = told ? Math.max(...stages.map((stage) => stage.blockBytes)) : tightest.blockBytes;
  const blocks = Math.max(
    0,
    told
      ? Math.floor(Math.min(...stages.map(({ availableBytes }) => availableBytes)) / blockBytes)
      : tightest.blocks,
  );
  const kvCache = blocks * blockBytes;
  const needed = blocksNeeded(limits.maxModelLen, limits.blockSize, input.minConcurrency);
  const contextBytes = tensor * pipeline > 1 ? outsideBudgetBytes.several : outsideBudgetBytes.alone;
  const uncountedGraphs = input.regime.countsGraphs ? 0 : graphBytes(overheadInputOf(input, tightest.stage));
  const outsideNeededBytes = contextBytes + Math.ceil(uncountedGraphs);

  const { weights, activations, graphs, communication, additional } = tightest.parts;
  const total = gpu.visibleBytes;
  return {
    visibleBytes: total,
    budgetBytes,
    weightsBytes: weights + additional,
    overheadBytes: tightest.overheadBytes,
    marginBytes,
    availableBytes: tightest.availableBytes,
    neededBytes: needed * blockBytes,
    outsideBytes: total - budgetBytes,
    outsideNeededBytes,
    fits: blocks >= needed && total - budgetBytes >= outsideNeededBytes,
    stage: tightest.stage,
    blockBytes,
    kvCacheTokens: blocks * limits.blockSize,
    expectedKvCacheTokens: (told ? blocks : Math.max(0, expected)) * limits.blockSize,
    maxConcurrency: Math.floor((blocks * 100) / blocksPerRequest(limits.maxModelLen, limits.blockSize)) / 100,
    perGpu: {
      total,
      weights,
      kvCache,
      activations,
      graphs,
      communication,
      additional,
      margin: marginBytes,
      reserved: total - weights - kvCache - activations - graphs - communication - additional - marginBytes,
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
