// What vLLM's quantisation methods allow, by the name that a checkpoint gives in `quantization_config.quant_method`.
// Which tensors a checkpoint holds does not say it: a method decides how its scales are shared and split.
import { compareVersions } from "./engines/version.ts";
import type { EngineVersion } from "./engines/version.ts";
import type { GpuArchitecture } from "./gpus.ts";
import { int4GroupSize } from "./weight-bytes.ts";
import type { WeightFormat } from "./weight-bytes.ts";

/** Weights of a matrix that share one scale. */
export interface WeightBlock {
  /** Neighbouring rows, which are outputs: 128 in FP8 blocks, 1 in groups. vLLM's `block_n`. */
  readonly outputs: number;
  /** Neighbouring columns, which are inputs; the whole row where absent. vLLM's `block_k`, or `group_size`. */
  readonly inputs?: number;
}

/** Facts of weights that decide by which degrees they can be split. */
export interface WeightScheme {
  readonly format: WeightFormat;
  readonly quantMethod?: string;
  readonly block?: WeightBlock;
}

/**
 * Methods that the planner can judge. Others are vLLM's, such as torchao and quark, or nobody's any more, such as
 * hqq: what they hold is not known from their name. Source: QuantizationMethods in
 * vllm/model_executor/layers/quantization/__init__.py of 0.22 to 0.33; there `inc` reads what AutoRound wrote.
 */
export const knownQuantisationMethods = [
  "auto-round",
  "awq",
  "bitsandbytes",
  "compressed-tensors",
  "fbgemm_fp8",
  "fp8",
  "gguf",
  "gptq",
  "modelopt",
] as const;

/** The methods of which some engine that may run loads checkpoints. */
const served = knownQuantisationMethods.filter((method) => method !== "gguf");

/** Why no plan can be made for a method; `undefined` for one that is known. */
export function unknownMethodProblem(method: string): string | undefined {
  if (knownQuantisationMethods.some((known) => known === method)) return undefined;
  return `quantisation method ${method} is not known to the operator, which plans for ${served.join(", ")}: name a checkpoint of one of these, or in BF16`;
}

/**
 * Whether tensor parallelism can split a checkpoint of that method at all. The states of bitsandbytes belong to whole
 * matrices: "Prequant BitsAndBytes models with tensor parallelism is not supported. Please try with pipeline
 * parallelism." Source: BitsAndBytesModelLoader, in vLLM to 0.27 and in vllm-project/vllm-bnb-plugin.
 */
export function splitsByTensor(method: string | undefined): boolean {
  return method !== "bitsandbytes";
}

/**
 * GPUs whose kernels run a method; undefined where all of the catalog do. ModelOpt's FP8 needs FP8 arithmetic:
 * capability 8.9 and later. Source: ModelOptFp8Config.get_min_capability.
 */
export function architecturesOf(method: string | undefined): readonly GpuArchitecture[] | undefined {
  return method === "modelopt" ? ["ada", "hopper", "blackwell"] : undefined;
}

/** First version that loads bitsandbytes through vllm-bnb-plugin alone. Source: vllm-project/vllm, pull request 43529. */
const bitsandbytesIsPluginSince: EngineVersion = [0, 28, 0];

/** Whether the engine's published image lacks what loads that method. */
export function needsPlugin(method: string | undefined, version: EngineVersion): boolean {
  return method === "bitsandbytes" && compareVersions(version, bitsandbytesIsPluginSince) >= 0;
}

/** The block of a format where nobody states it: all published INT4 of the catalog has groups of 128. */
export function usualBlock({ format, quantMethod }: WeightScheme): WeightBlock | undefined {
  return format === "int4" && splitsByTensor(quantMethod) ? { outputs: 1, inputs: int4GroupSize } : undefined;
}
