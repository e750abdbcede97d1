// The choice: of all layouts of all checkpoints on all pools, the one with the fewest GPUs; then fewest nodes, BF16 over
// FP8, most KV cache, free room. What a person set is kept; what nobody set may be lowered until it fits.
import type { LlamaDeploymentSpec } from "../../api/llama-deployment.ts";
import type { MeasuredOverhead } from "../../api/measured-overheads.ts";
import { batchDefaults, blockSizeTokens, supportsFp8KvCache } from "../../catalog/engines/vllm.ts";
import type { BatchDefaults } from "../../catalog/engines/vllm.ts";
import type { Architecture } from "../../catalog/models.ts";
import { int4GroupSize } from "../../catalog/weight-bytes.ts";
import type { KvCacheFormat } from "../../catalog/weight-bytes.ts";
import { measuredOverheadFor } from "./measured-overheads.ts";
import { accountMemory, measuredMarginBytes } from "../memory/memory.ts";
import type { MemoryAccount, MemoryInput } from "../memory/memory.ts";
import { freeRoom } from "../node/hardware.ts";
import type { Hardware } from "../node/hardware.ts";
import { ephemeralStorageNeeded, ephemeralStorageOffered } from "../node/pod.ts";
import { layoutsOn, legalTensorDegrees } from "./parallelism.ts";
import type { Layout } from "./parallelism.ts";
import type { EngineLimits } from "../plan.ts";
import type { ResolvedModel, WeightsCandidate } from "../intent/resolve.ts";
import { regimeFor } from "../intent/settings.ts";
import type { EngineSettings } from "../intent/settings.ts";

/** Everything that a choice rests on. */
export interface Problem {
  readonly spec: LlamaDeploymentSpec;
  readonly model: ResolvedModel;
  readonly settings: EngineSettings;
  /** Pools that can be planned for; at least one. */
  readonly hardware: readonly Hardware[];
  /** What running engines were found to take; each applies to its very settings. */
  readonly measuredOverheads: readonly MeasuredOverhead[];
}

/** One way to run the model that was looked at. */
export interface Trial {
  readonly hardware: Hardware;
  readonly layout: Layout;
  readonly weights: WeightsCandidate;
  readonly kvCache: KvCacheFormat;
}

/** A trial that runs. */
export interface Fit extends Trial {
  readonly limits: EngineLimits;
  readonly account: MemoryAccount;
  /** `max-num-seqs` that the engine would have taken, where it was lowered so that it fits. */
  readonly loweredFrom?: number;
  /** GPUs of a replica with an FP8 KV cache, where that would do with fewer. */
  readonly gpusWithFp8KvCache?: number;
}

/** A trial that does not run, and what stopped it. */
export interface Miss extends Trial {
  readonly obstacle:
    | "memory"
    | "bf16WhileLoading"
    | "storage"
    | "nodes"
    | "kernels"
    | "groups"
    | "fp8KvCache";
  readonly limits: EngineLimits;
  readonly account: MemoryAccount;
}

/** Steps that `max-num-seqs` is lowered by where nobody set it. Fewer than 64 would starve the GPU. */
const sequenceSteps = [512, 256, 128, 64] as const;

function defaultsOf({ settings, model }: Problem, { hardware }: Trial): BatchDefaults {
  const { version } = settings;
  return batchDefaults({ gpu: hardware.gpu, version, maxModelLen: model.maxModelLen });
}

function limitsOf(problem: Problem, trial: Trial, maxNumSeqs: number): EngineLimits {
  const { settings, model } = problem;
  const { regime } = regimeFor(settings, trial.weights.format !== "bf16");
  const defaults = defaultsOf(problem, trial);
  return {
    maxModelLen: model.maxModelLen,
    maxNumSeqs,
    // The engine wants a token a step for every running sequence.
    maxNumBatchedTokens: settings.maxNumBatchedTokens ?? Math.max(defaults.maxNumBatchedTokens, maxNumSeqs),
    gpuMemoryUtilization: settings.gpuMemoryUtilization ?? regime.defaultGpuMemoryUtilization,
    blockSize: blockSizeTokens,
  };
}

/** `max-num-seqs` to try, the wished or usual one first; what the spec sets is not lowered. */
function sequenceCounts(problem: Problem, trial: Trial): readonly [number, ...number[]] {
  const { maxNumSeqs, maxNumBatchedTokens } = problem.settings;
  if (maxNumSeqs !== undefined) return [maxNumSeqs];
  const most = defaultsOf(problem, trial).maxNumSeqs;
  const first = Math.min(most, maxNumBatchedTokens ?? most);
  return [first, ...sequenceSteps.filter((step) => step < first)];
}

/** A measurement of the very same settings, in the place of the rule and its margin. */
function measuredFor(problem: Problem, trial: Trial, limits: EngineLimits): Partial<MemoryInput> {
  const { spec, settings, measuredOverheads } = problem;
  const { lora, speculation } = settings.additional;
  // Measured where nothing beside the model took memory.
  const isPlain =
    !settings.eager && settings.uncounted.length === 0 && lora === undefined && speculation === undefined;
  if (measuredOverheads.length === 0 || !isPlain) return {};
  const measured = measuredOverheadFor(measuredOverheads, {
    engine: spec.engine.type,
    version: settings.versionText,
    gpu: trial.hardware.pool.spec.gpu.product,
    tensor: trial.layout.tensor,
    pipeline: trial.layout.pipeline,
    model: spec.model.name,
    weights: trial.weights.format,
    limits,
  });
  if (measured === undefined) return {};
  return { measuredOverheadBytes: measured.overheadBytes, marginBytes: measuredMarginBytes };
}

/** What the memory of a trial with given limits follows from. */
export function memoryInput(problem: Problem, trial: Trial, limits: EngineLimits): MemoryInput {
  const { model, settings, spec } = problem;
  return {
    architecture: model.architecture,
    layout: trial.weights.layout,
    tensor: trial.layout.tensor,
    pipeline: trial.layout.pipeline,
    kvCache: trial.kvCache,
    gpu: trial.hardware.gpu,
    ...regimeFor(settings, trial.weights.format !== "bf16"),
    limits,
    eager: settings.eager,
    additional: settings.additional,
    kvCacheSize: spec.context.kvCacheSize,
    minConcurrency: spec.context.minConcurrency,
    ...measuredFor(problem, trial, limits),
  };
}

/** The memory of a trial with given limits. */
export function accountTrial(problem: Problem, trial: Trial, limits: EngineLimits): MemoryAccount {
  return accountMemory(memoryInput(problem, trial, limits));
}

/** Whether each rank's inputs of the row-parallel matrices are whole groups of weights that share a scale. */
function keepsGroups(
  { attentionHeads, headDimension, feedForwardSize }: Architecture,
  tensor: number,
): boolean {
  const inputs = [attentionHeads * headDimension, feedForwardSize];
  return inputs.every((width) => (width / tensor) % int4GroupSize === 0);
}

/** What besides memory stops a trial; `undefined` where nothing does. */
export function obstacleOf(problem: Problem, trial: Trial): Miss["obstacle"] | undefined {
  const { hardware, layout, weights, kvCache } = trial;
  const { architecture } = hardware.gpu;
  if (weights.architectures !== undefined && !weights.architectures.includes(architecture)) return "kernels";
  if (weights.format === "int4" && !keepsGroups(problem.model.architecture, layout.tensor)) return "groups";
  if (kvCache === "fp8" && !supportsFp8KvCache(problem.settings.version, architecture)) return "fp8KvCache";
  if (layout.nodes > (hardware.pool.spec.nodes?.max ?? Infinity)) return "nodes";
  const offered = ephemeralStorageOffered(hardware);
  if (offered !== undefined && ephemeralStorageNeeded(weights) > offered) return "storage";
  return undefined;
}

function attempt(problem: Problem, trial: Trial): Fit | Miss {
  const counts = sequenceCounts(problem, trial);
  const withSequences = (maxNumSeqs: number) => {
    const limits = limitsOf(problem, trial, maxNumSeqs);
    return { ...trial, limits, account: accountTrial(problem, trial, limits) };
  };
  // Most trials lack far more than sequences can give back: ask for the fewest before stepping down to them.
  const [first] = counts;
  const fewest = withSequences(counts.at(-1) ?? first);
  if (!fewest.account.fits) return { ...fewest, obstacle: "memory" };
  const result = counts.map(withSequences).find(({ account }) => account.fits) ?? fewest;
  const { limits } = result;
  const obstacle = obstacleOf(problem, trial);
  if (obstacle !== undefined) return { ...result, obstacle };
  if (trial.weights.onTheFly) {
    const layout = { attention: "bf16", feedForward: "bf16" } as const;
    const whole = accountTrial(problem, { ...trial, weights: { ...trial.weights, layout } }, limits);
    if (whole.availableBytes < 0) return { ...result, account: whole, obstacle: "bf16WhileLoading" };
  }
  return limits.maxNumSeqs < first ? { ...result, loweredFrom: first } : result;
}

const gpusOf = ({ layout }: Trial): number => layout.nodes * layout.gpusPerPod;

/** Negative where `one` is the better plan. */
function comparePreference(problem: Problem, one: Fit, other: Fit): number {
  const { candidates } = problem.model;
  const room = ({ hardware, layout }: Fit) => freeRoom(hardware, layout.nodes, layout.gpusPerPod);
  return (
    gpusOf(one) - gpusOf(other) ||
    one.layout.nodes - other.layout.nodes ||
    candidates.indexOf(one.weights) - candidates.indexOf(other.weights) ||
    other.account.kvCacheTokens - one.account.kvCacheTokens ||
    room(other) - room(one) ||
    (one.hardware.pool.name < other.hardware.pool.name ? -1 : 1)
  );
}

/** How far a miss is from running: what only lacks disk or nodes is nearest, what has no kernels is furthest. */
function compareNearness(one: Miss, other: Miss): number {
  const rank = ({ obstacle }: Miss): number => {
    if (obstacle === "storage" || obstacle === "nodes") return 0;
    return obstacle === "memory" || obstacle === "bf16WhileLoading" ? 1 : 2;
  };
  const shortfall = ({ account }: Miss): number =>
    Math.max(account.neededBytes - account.availableBytes, account.outsideNeededBytes - account.outsideBytes);
  return rank(one) - rank(other) || shortfall(one) - shortfall(other) || gpusOf(one) - gpusOf(other);
}

/** Every layout of every checkpoint on every pool, fewest GPUs first. */
function trialsOf(problem: Problem, kvCache: KvCacheFormat): readonly Trial[] {
  const { architecture, candidates } = problem.model;
  const degrees = legalTensorDegrees(architecture);
  return problem.hardware
    .flatMap((hardware) =>
      layoutsOn(hardware, architecture, degrees, problem.spec.parallelism).flatMap((layout) =>
        candidates.map((weights): Trial => ({ hardware, layout, weights, kvCache })),
      ),
    )
    .sort((one, other) => gpusOf(one) - gpusOf(other));
}

/** What the search found: the best fit, or the nearest miss; neither where no layout is legal. */
export interface Search {
  readonly fit?: Fit;
  readonly miss?: Miss;
}

function searchWith(problem: Problem, kvCache: KvCacheFormat): Search {
  let fit: Fit | undefined;
  let miss: Miss | undefined;
  for (const trial of trialsOf(problem, kvCache)) {
    if (fit !== undefined && gpusOf(trial) > gpusOf(fit)) break;
    const result = attempt(problem, trial);
    if ("obstacle" in result) {
      if (miss === undefined || compareNearness(result, miss) < 0) miss = result;
    } else if (fit === undefined || comparePreference(problem, result, fit) < 0) {
      fit = result;
    }
  }
  return { ...(fit && { fit }), ...(miss && { miss }) };
}

/** Searches with a BF16 KV cache, and with FP8 where that is asked for or where only it fits. */
export function search(problem: Problem): Search {
  const wanted = problem.spec.quantization.kvCache;
  if (wanted !== "auto") return searchWith(problem, wanted);
  const bf16 = searchWith(problem, "bf16");
  // Quality goes before GPUs unless a person says otherwise; but where it costs whole nodes, they should hear of it.
  if (bf16.fit !== undefined && bf16.fit.layout.nodes === 1) return bf16;
  const fp8 = searchWith(problem, "fp8");
  if (bf16.fit !== undefined) {
    const gpus = fp8.fit === undefined ? Infinity : gpusOf(fp8.fit);
    return gpus < gpusOf(bf16.fit) ? { fit: { ...bf16.fit, gpusWithFp8KvCache: gpus } } : bf16;
  }
  if (fp8.fit !== undefined) return fp8;
  const nearest = [bf16.miss, fp8.miss].filter((miss) => miss !== undefined).sort(compareNearness)[0];
  return nearest === undefined ? {} : { miss: nearest };
}
