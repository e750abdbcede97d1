// From command line and environment to what the engine will run: vLLM's checks before it touches a GPU.
import type { ServeArguments } from "./command-line/argv.ts";
import { type Checkpoint, findCheckpoint } from "./memory/checkpoints.ts";
import type { Gpu } from "./memory/gpu.ts";
import {
  EngineStartError,
  engineCoreError,
  gatedRepositoryError,
  unknownRepositoryError,
  validationError,
} from "./start-error.ts";

const gibibyte = 2 ** 30;

export interface EngineConfig {
  readonly checkpoint: Checkpoint;
  readonly maxModelLen: number | "auto";
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
  readonly blockSize: number;
  /** Tensor times pipeline parallel degree: GPUs of the whole replica. */
  readonly worldSize: number;
  /** GPUs that this node's process drives. */
  readonly localWorldSize: number;
  readonly cudaGraphs: boolean;
  readonly apiKeys: readonly string[];
}

/** What the container around the engine offers. */
export interface EngineHost {
  readonly env: Readonly<Record<string, string>>;
  readonly gpu: Gpu | undefined;
  readonly gpuCount: number;
  /** Names the checkpoint where the model is a path or a repository that says nothing. */
  readonly modelHint: string | undefined;
}

/**
 * Checks arguments against model and host, in vLLM's order.
 * @throws EngineStartError with vLLM's words
 */
export function resolveEngineConfig(args: ServeArguments, host: EngineHost): EngineConfig {
  if (host.gpu === undefined || host.gpuCount === 0) {
    throw new EngineStartError([
      "Traceback (most recent call last):",
      "RuntimeError: Failed to infer device type, please set the environment variable " +
        "`VLLM_LOGGING_LEVEL=DEBUG` to turn on verbose logging to help debug the issue.",
    ]);
  }
  const { gpu, env } = host;
  const checkpoint = resolveCheckpoint(args, host);
  const maxModelLen = resolveMaxModelLen(args, checkpoint, env);
  const { worldSize, localWorldSize } = resolveWorld(args, checkpoint, host.gpuCount);
  checkRanges(args);

  // Defaults of `vllm serve` by device memory: EngineArgs.get_batch_defaults, vllm/engine/arg_utils.py.
  const big = gpu.visibleBytes >= 70 * gibibyte && !gpu.isA100;
  const defaultBatchedTokens = gpu.visibleBytes >= 160 * gibibyte ? 16_384 : big ? 8192 : 2048;
  const maxNumBatchedTokens = args.maxNumBatchedTokens ?? defaultBatchedTokens;
  const maxNumSeqs = args.maxNumSeqs ?? Math.min(big ? 1024 : 256, maxNumBatchedTokens);
  if (maxNumBatchedTokens < maxNumSeqs) {
    throw validationError(
      "SchedulerConfig",
      `max_num_batched_tokens (${maxNumBatchedTokens}) must be greater than or equal to max_num_seqs (${maxNumSeqs}).`,
    );
  }
  return {
    checkpoint,
    maxModelLen,
    maxNumSeqs,
    maxNumBatchedTokens,
    blockSize: args.blockSize ?? 16,
    worldSize,
    localWorldSize,
    cudaGraphs: !args.enforceEager && env["VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS"] !== "0",
    apiKeys: args.apiKeys.length > 0 ? args.apiKeys : env["VLLM_API_KEY"] ? [env["VLLM_API_KEY"]] : [],
  };
}

function resolveCheckpoint(args: ServeArguments, { env, modelHint }: EngineHost): Checkpoint {
  const isPath = args.model.startsWith("/") || args.model.startsWith(".");
  const found =
    findCheckpoint(args.model) ??
    [modelHint, ...args.servedModelNames].map((name) => findCheckpoint(name ?? "")).find(Boolean);
  if (found === undefined) throw unknownRepositoryError(args.model);
  const checkpoint: Checkpoint = { ...found, repository: args.model, gated: found.gated && !isPath };
  const token = args.hfToken ?? env["HF_TOKEN"] ?? env["HUGGING_FACE_HUB_TOKEN"] ?? "";
  if (checkpoint.gated && token === "") throw gatedRepositoryError(checkpoint.repository);

  const wanted = args.quantization;
  const method = checkpoint.quantizationMethod;
  if (method === "fbgemm_fp8" && !args.allowDeprecatedQuantization) {
    throw validationError(
      "ModelConfig",
      `('The quantization method %s is deprecated and will be removed in future versions of vLLM. To bypass, ` +
        `set \`--allow-deprecated-quantization\`.', '${method}')`,
    );
  }
  if (wanted === undefined) return checkpoint;
  if (method === undefined) {
    if (wanted === "fp8") return { ...checkpoint, format: "fp8" };
    throw engineCoreError(`ValueError: Cannot find the config file for ${wanted}`);
  }
  if (!wanted.startsWith(method)) {
    throw validationError(
      "ModelConfig",
      `Quantization method specified in the model config (${method}) does not match the quantization method ` +
        `specified in the \`quantization\` argument (${wanted}).`,
    );
  }
  return checkpoint;
}

function resolveMaxModelLen(
  args: ServeArguments,
  { architecture }: Checkpoint,
  env: Readonly<Record<string, string>>,
): number | "auto" {
  const wanted = args.maxModelLen ?? architecture.maxPositions;
  if (wanted === "auto" || wanted <= architecture.maxPositions) return wanted;
  if (env["VLLM_ALLOW_LONG_MAX_MODEL_LEN"] === "1") return wanted;
  throw validationError(
    "ModelConfig",
    `User-specified max_model_len (${wanted}) is greater than the derived max_model_len ` +
      `(max_position_embeddings=${architecture.maxPositions} or model_max_length=None in model's config.json). ` +
      "To allow overriding this maximum, set the env var VLLM_ALLOW_LONG_MAX_MODEL_LEN=1. " +
      "VLLM_ALLOW_LONG_MAX_MODEL_LEN must be used with extreme caution. If the model uses relative position " +
      "encoding (RoPE), positions exceeding derived_max_model_len lead to nan. If the model uses absolute " +
      "position encoding, positions exceeding derived_max_model_len will cause a CUDA array out-of-bounds error.",
  );
}

function resolveWorld(
  args: ServeArguments,
  { architecture }: Checkpoint,
  gpuCount: number,
): { readonly worldSize: number; readonly localWorldSize: number } {
  const { tensorParallelSize, nodeCount } = args;
  const worldSize = tensorParallelSize * args.pipelineParallelSize;
  if (nodeCount === 1 && worldSize > gpuCount) {
    throw validationError(
      "ParallelConfig",
      `World size (${worldSize}) is larger than the number of available GPUs (${gpuCount}) in this node. ` +
        "If this is intentional and you are using:\n- ray, set '--distributed-executor-backend ray'.\n" +
        "- multiprocessing, set '--nnodes' appropriately.",
    );
  }
  if (architecture.heads % tensorParallelSize !== 0) {
    throw validationError(
      "VllmConfig",
      `Total number of attention heads (${architecture.heads}) must be divisible by tensor parallel size ` +
        `(${tensorParallelSize}).`,
    );
  }
  if (worldSize % nodeCount !== 0) {
    throw engineCoreError(
      `AssertionError: global world_size (${worldSize}) must be divisible by nnodes_within_dp (${nodeCount}). `,
    );
  }
  const localWorldSize = worldSize / nodeCount;
  if (localWorldSize > gpuCount) {
    throw engineCoreError(
      `AssertionError: DP adjusted local rank ${gpuCount} is out of bounds for ${gpuCount} devices.`,
    );
  }
  return { worldSize, localWorldSize };
}

function checkRanges({ gpuMemoryUtilization }: ServeArguments): void {
  const complaint =
    gpuMemoryUtilization > 1
      ? "Input should be less than or equal to 1 [type=less_than_equal"
      : gpuMemoryUtilization > 0
        ? undefined
        : "Input should be greater than 0 [type=greater_than";
  if (complaint === undefined) return;
  throw new EngineStartError([
    "Traceback (most recent call last):",
    "pydantic_core._pydantic_core.ValidationError: 1 validation error for CacheConfig",
    "gpu_memory_utilization",
    `  ${complaint}, input_value=${gpuMemoryUtilization}, input_type=float]`,
  ]);
}
