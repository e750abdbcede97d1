// GPU memory as vLLM 0.32 shares it out on a GPU: budget, weights, profile peak and graphs, and the rest as KV
// cache, or a refusal in vLLM's words (vllm/v1/core/kv_cache_utils.py, vllm/v1/worker/utils.py).
// The terms of the profile are those of the V2 model runner, which serves Llama from 0.26 on. No public log of
// it on an H100 exists: forward pass, logits and communication are derived, the graph estimate is scaled from
// logs of older engines (0.54 GiB for 67 graphs of 32 layers).
import type { Checkpoint } from "./checkpoints.ts";
import type { Gpu } from "./gpu.ts";
import { engineCoreError } from "../start-error.ts";
import { layersPerStage, weightBytesPerGpu } from "./weights.ts";

const gibibyte = 2 ** 30;
const mebibyte = 2 ** 20;

/** CUDA context and NCCL's start-up buffers: outside vLLM's budget, but no longer free. */
const contextBytes = 0.5 * gibibyte;
/** Captured graph memory per graph and layer. */
const graphBytesPerLayer = 0.26 * mebibyte;

export interface MemoryRequest {
  readonly checkpoint: Checkpoint;
  readonly gpu: Gpu;
  readonly tensorParallelSize: number;
  readonly pipelineParallelSize: number;
  readonly maxModelLen: number | "auto";
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
  readonly gpuMemoryUtilization: number;
  readonly kvCacheMemoryBytes: number | undefined;
  readonly kvCacheDtype: string;
  readonly blockSize: number;
  readonly gpuBlocksOverride: number | undefined;
  readonly cudaGraphs: boolean;
}

export interface StageMemory {
  readonly weightBytes: number;
  readonly overheadBytes: number;
  /** What the stage's GPU has for KV cache. */
  readonly availableBytes: number;
}

export interface KvCache {
  readonly stages: readonly StageMemory[];
  readonly maxModelLen: number;
  readonly blockSize: number;
  /** Of the smallest stage; one of them is vLLM's null block and holds nothing. */
  readonly blocks: number;
  /** As vLLM prints it: int(blocks / ceil(L / block) x L). */
  readonly tokens: number;
  /** Requests of full length that fit at once. */
  readonly maxConcurrency: number;
}

/**
 * Sizes the KV cache of one replica.
 * @throws EngineStartError when free memory, budget or cache is too small, as the engine would refuse
 */
export function sizeKvCache(request: MemoryRequest): KvCache {
  const { gpu, blockSize, checkpoint, tensorParallelSize, pipelineParallelSize } = request;
  const requestedBytes = Math.ceil(gpu.visibleBytes * request.gpuMemoryUtilization);
  const freeBytes = gpu.visibleBytes - contextBytes;
  if (request.kvCacheMemoryBytes === undefined && freeBytes < requestedBytes) {
    throw engineCoreError(
      `ValueError: Free memory on device cuda:0 (${gib(freeBytes)}/${gib(gpu.visibleBytes)} GiB) on startup ` +
        `is less than desired GPU memory utilization (${request.gpuMemoryUtilization}, ` +
        `${gib(requestedBytes)} GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.`,
    );
  }

  const { architecture } = checkpoint;
  const stageLayers = layersPerStage(architecture.layers, pipelineParallelSize);
  const stages = stageLayers.map((_, stage): StageMemory => {
    const weightBytes = weightBytesPerGpu(
      architecture,
      checkpoint.format,
      tensorParallelSize,
      pipelineParallelSize,
      stage,
    );
    const overheadBytes = profileBytes(request, stage);
    if (weightBytes + contextBytes > gpu.visibleBytes) throw outOfMemory(gpu, weightBytes);
    return {
      weightBytes,
      overheadBytes,
      availableBytes: request.kvCacheMemoryBytes ?? requestedBytes - weightBytes - overheadBytes,
    };
  });
  for (const { weightBytes, overheadBytes, availableBytes } of stages) {
    const used = weightBytes + overheadBytes + availableBytes;
    if (request.kvCacheMemoryBytes !== undefined && used > freeBytes) throw outOfMemory(gpu, used);
  }

  const blockBytes = stageLayers.map((layers) => blockSize * kvBytesPerToken(request, layers));
  const pools = stages.map(({ availableBytes }, stage) => {
    const bytes = blockBytes[stage] ?? 1;
    return {
      blockBytes: bytes,
      poolBytes: request.gpuBlocksOverride === undefined ? availableBytes : request.gpuBlocksOverride * bytes,
    };
  });
  // vLLM holds one block back for ever (the null block) and checks against the others.
  const usableBlocks = pools.map((pool) => Math.floor((pool.poolBytes - pool.blockBytes) / pool.blockBytes));
  const maxModelLen =
    request.maxModelLen === "auto"
      ? fitMaxModelLen(architecture.maxPositions, Math.min(...usableBlocks) * blockSize)
      : request.maxModelLen;
  const neededBlocks = Math.ceil(maxModelLen / blockSize);
  for (const pool of pools) requireRoomForOneRequest(pool, neededBlocks, maxModelLen, blockSize);

  const blocks = Math.min(...pools.map((pool) => Math.floor(pool.poolBytes / pool.blockBytes)));
  const maxConcurrency = blocks / neededBlocks;
  return {
    stages,
    maxModelLen,
    blockSize,
    blocks,
    tokens: Math.trunc(maxConcurrency * maxModelLen),
    maxConcurrency,
  };
}

function requireRoomForOneRequest(
  pool: { readonly blockBytes: number; readonly poolBytes: number },
  neededBlocks: number,
  maxModelLen: number,
  blockSize: number,
): void {
  const checkedBytes = pool.poolBytes - pool.blockBytes;
  const documentation =
    "See https://docs.vllm.ai/en/latest/configuration/conserving_memory/ for more details.";
  if (checkedBytes <= 0) {
    throw engineCoreError(
      "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when " +
        "initializing the engine (this flag also controls CPU memory reservation on the CPU backend, despite " +
        `its name). ${documentation}`,
    );
  }
  const neededBytes = neededBlocks * pool.blockBytes;
  if (neededBytes <= checkedBytes) return;
  const longest = Math.floor(checkedBytes / pool.blockBytes) * blockSize;
  const estimate =
    longest > 0
      ? `Based on the available memory, the estimated maximum model length is ${Math.min(longest, maxModelLen)}. `
      : "";
  throw engineCoreError(
    `ValueError: To serve at least one request with the model's max seq len (${maxModelLen}), ` +
      `(${gib(neededBytes)} GiB KV cache is needed, which is larger than the available KV cache memory ` +
      `(${gib(checkedBytes)} GiB). ${estimate}Try increasing \`gpu_memory_utilization\` (which also controls ` +
      "CPU memory on the CPU backend) or decreasing `max_model_len` when initializing the engine. " +
      documentation,
  );
}

function fitMaxModelLen(maxPositions: number, usableTokens: number): number {
  if (usableTokens > 0) return Math.min(maxPositions, usableTokens);
  throw engineCoreError(
    "ValueError: Cannot auto-fit max_model_len: not enough GPU memory available to serve even a single token. " +
      "Try increasing `gpu_memory_utilization`.",
  );
}

/** Memory that the profile run finds beside the weights, and the estimate for CUDA graphs, on one GPU. */
function profileBytes(request: MemoryRequest, stage: number): number {
  const { architecture } = request.checkpoint;
  const { hiddenSize, feedForward, vocabulary } = architecture;
  const { tensorParallelSize, pipelineParallelSize, maxNumSeqs, maxNumBatchedTokens } = request;
  const isLast = stage === pipelineParallelSize - 1;
  const rows = Math.min(maxNumSeqs, maxNumBatchedTokens);

  const samplerState = isLast ? 1.03 * rows * vocabulary * 4 : 0;
  // With tensor parallelism the gathered logits are copied: 0.55 GiB where one GPU takes 0.245.
  const logits = isLast ? rows * vocabulary * 2 * (tensorParallelSize > 1 ? 2.25 : 1) : 0;
  const shard = feedForward / tensorParallelSize;
  const forward = maxNumBatchedTokens * Math.max(2 * hiddenSize + 2 * shard, hiddenSize + 3 * shard) * 2;
  const received = stage > 0 ? maxNumBatchedTokens * hiddenSize * 4 : 0;
  const communication =
    tensorParallelSize > 1 ? (0.6 + 0.075 * (Math.log2(tensorParallelSize) - 1)) * gibibyte : 0;
  const layers = layersPerStage(architecture.layers, pipelineParallelSize)[stage] ?? 0;
  const graphs = request.cudaGraphs ? graphCount(maxNumSeqs) * layers * graphBytesPerLayer : 0;
  return Math.ceil(samplerState + Math.max(forward, logits) + received + communication + graphs);
}

/** Sizes captured up to min(2 x max-num-seqs, 512) rows: 1, 2, 4, every 8th to 256, every 16th after; two full ones. */
function graphCount(maxNumSeqs: number): number {
  const largest = Math.min(2 * maxNumSeqs, 512);
  const small = [1, 2, 4].filter((rows) => rows <= largest).length;
  const everyEighth = Math.floor(Math.min(largest, 255) / 8);
  const everySixteenth = largest < 256 ? 0 : Math.floor((largest - 256) / 16) + 1;
  return small + everyEighth + everySixteenth + 2;
}

/** KV bytes of one token on one GPU: keys and values of its layers; heads are replicated beyond one per GPU. */
export function kvBytesPerToken(
  request: Pick<MemoryRequest, "checkpoint" | "tensorParallelSize" | "kvCacheDtype">,
  layers: number,
): number {
  const { architecture, fp8KvCache } = request.checkpoint;
  const heads = architecture.kvHeads / Math.min(request.tensorParallelSize, architecture.kvHeads);
  return 2 * layers * heads * architecture.headDim * kvElementBytes(request.kvCacheDtype, fp8KvCache);
}

function kvElementBytes(kvCacheDtype: string, fp8KvCache: boolean): number {
  if (kvCacheDtype === "auto") return fp8KvCache ? 1 : 2;
  if (/^(?:fp8|int8)/.test(kvCacheDtype)) return 1;
  return kvCacheDtype.includes("4") ? 0.5 : 2;
}

function outOfMemory(gpu: Gpu, wantedBytes: number): Error {
  return engineCoreError(
    `torch.OutOfMemoryError: CUDA out of memory. Tried to allocate ${gib(wantedBytes)} GiB. GPU 0 has a total ` +
      `capacity of ${gib(gpu.visibleBytes)} GiB of which ${gib(gpu.visibleBytes - contextBytes)} GiB is free.`,
  );
}

/** Python's round(x, 2) as vLLM prints GiB: "14.99", "4.5", "8.0". */
export function gib(bytes: number): string {
  const rounded = Math.round((bytes / gibibyte) * 100) / 100;
  return Number.isInteger(rounded) ? rounded.toFixed(1) : String(rounded);
}
