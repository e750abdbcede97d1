// The choice: of all layouts of all checkpoints on all pools, the one with the fewest GPUs; then fewest nodes, BF16 over
// FP8, most KV cache, free room. What the spec sets is kept; what it leaves open may be lowered until it fits.
import type { LlamaDeploymentSpec } from "../../api/llama-deployment.ts";
import type { MeasuredOverhead } from "../../api/measured-overheads.ts";
import { batchDefaults, blockSizeTokens, supportsFp8KvCache } from "../../catalog/engines/vllm.ts";
import type { BatchDefaults } from "../../catalog/engines/vllm.ts";
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
import { regimeFor, trustFor } from "../intent/settings.ts";
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
export interface Candidate {
  readonly hardware: Hardware;
  readonly layout: Layout;
  readonly weights: WeightsCandidate;
  readonly kvCache: KvCacheFormat;
}

/** A candidate that runs. */
export interface FittingCandidate extends Candidate {
  readonly limits: EngineLimits;
  readonly account: MemoryAccount;
  /** `max-num-seqs` that the engine would have taken, where it was lowered so that it fits. */
  readonly loweredFrom?: number;
  /** GPUs of a replica with an FP8 KV cache, where that would do with fewer. */
  readonly gpusWithFp8KvCache?: number;
}

/** A candidate that does not run, and what stopped it. */
export interface RejectedCandidate extends Candidate {
  readonly obstacle: "memory" | "bf16WhileLoading" | "storage" | "nodes" | "kernels" | "fp8KvCache";
  readonly limits: EngineLimits;
  readonly account: MemoryAccount;
}

/** Steps that `max-num-seqs` is lowered by where the spec does not set it. Fewer than 64 would starve the GPU. */
const sequenceSteps = [512, 256, 128, 64] as const;

function defaultsOf({ settings, model }: Problem, { hardware }: Candidate): BatchDefaults {
  const { version } = settings;
  return batchDefaults({ gpu: hardware.gpu, version, maxModelLen: model.maxModelLen });
}

function limitsOf(problem: Problem, candidate: Candidate, maxNumSeqs: number): EngineLimits {
  const { settings, model } = problem;
  const regime = regimeFor(settings, candidate.weights.format !== "bf16");
  const defaults = defaultsOf(problem, candidate);
  return {
    maxModelLen: model.maxModelLen,
    maxNumSeqs,
    // The engine wants a token a step for every running sequence.
    maxNumBatchedTokens: settings.maxNumBatchedTokens ?? Math.max(defaults.maxNumBatchedTokens, maxNumSeqs),
    gpuMemoryUtilization: settings.gpuMemoryUtilization ?? regime.defaultGpuMemoryUtilization,
    blockSize: blockSizeTokens,
  };
}

/** `max-num-seqs` to try, the requested or usual one first; what the spec sets is not lowered. */
function sequenceCounts(problem: Problem, candidate: Candidate): readonly [number, ...number[]] {
  const { maxNumSeqs, maxNumBatchedTokens } = problem.settings;
  if (maxNumSeqs !== undefined) return [maxNumSeqs];
  const most = defaultsOf(problem, candidate).maxNumSeqs;
  const first = Math.min(most, maxNumBatchedTokens ?? most);
  return [first, ...sequenceSteps.filter((step) => step < first)];
}

/** A measurement of the very same settings, in the place of the rule and its margin. */
function measuredFor(problem: Problem, candidate: Candidate, limits: EngineLimits): Partial<MemoryInput> {
  const { spec, settings, measuredOverheads } = problem;
  const { lora, speculation } = settings.additional;
  // Measured where nothing beside the model took memory.
  const isPlain =
    !settings.eager &&
    settings.largestGraph === undefined &&
    settings.uncounted.length === 0 &&
    lora === undefined &&
    speculation === undefined;
  if (measuredOverheads.length === 0 || !isPlain) return {};
  const measured = measuredOverheadFor(measuredOverheads, {
    engine: spec.engine.type,
    version: settings.versionText,
    gpu: candidate.hardware.pool.spec.gpu.product,
    tensor: candidate.layout.tensor,
    pipeline: candidate.layout.pipeline,
    model: spec.model.name,
    weights: candidate.weights.format,
    limits,
  });
  if (measured === undefined) return {};
  return { measuredOverheadBytes: measured.overheadBytes, marginBytes: measuredMarginBytes };
}

/** What the memory of a candidate with given limits follows from. */
export function memoryInput(problem: Problem, candidate: Candidate, limits: EngineLimits): MemoryInput {
  const { model, settings, spec } = problem;
  const { tensor, pipeline } = candidate.layout;
  const quantised = candidate.weights.format !== "bf16";
  return {
    architecture: model.architecture,
    layout: candidate.weights.layout,
    tensor,
    pipeline,
    kvCache: candidate.kvCache,
    gpu: candidate.hardware.gpu,
    regime: regimeFor(settings, quantised),
    marginBytes: trustFor(settings, quantised, tensor * pipeline, limits.maxNumSeqs).marginBytes,
    limits,
    eager: settings.eager,
    ...(settings.largestGraph === undefined ? {} : { largestGraph: settings.largestGraph }),
    additional: settings.additional,
    kvCacheSize: spec.context.kvCacheSize,
    minConcurrency: spec.context.minConcurrency,
    ...measuredFor(problem, candidate, limits),
  };
}

/** The memory of a candidate with given limits. */
export function accountCandidate(
  problem: Problem,
  candidate: Candidate,
  limits: EngineLimits,
): MemoryAccount {
  return accountMemory(memoryInput(problem, candidate, limits));
}

/** What besides memory stops a candidate; `undefined` where nothing does. */
export function obstacleOf(
  problem: Problem,
  candidate: Candidate,
): RejectedCandidate["obstacle"] | undefined {
  const { hardware, layout, weights, kvCache } = candidate;
  const { architecture } = hardware.gpu;
  if (weights.architectures !== undefined && !weights.architectures.includes(architecture)) return "kernels";
  if (kvCache === "fp8" && !supportsFp8KvCache(problem.settings.version, architecture)) return "fp8KvCache";
  if (layout.nodes > (hardware.pool.spec.nodes?.max ?? Infinity)) return "nodes";
  const offered = ephemeralStorageOffered(hardware);
  if (offered !== undefined && ephemeralStorageNeeded(weights) > offered) return "storage";
  return undefined;
}

function attempt(problem: Problem, candidate: Candidate): FittingCandidate | RejectedCandidate {
  const counts = sequenceCounts(problem, candidate);
  const withSequences = (maxNumSeqs: number) => {
    const limits = limitsOf(problem, candidate, maxNumSeqs);
    return { ...candidate, limits, account: accountCandidate(problem, candidate, limits) };
  };
  // Most candidates lack far more than sequences can give back: ask for the fewest before stepping down to them.
  const [first] = counts;
  const fewest = withSequences(counts.at(-1) ?? first);
  if (!fewest.account.fits) return { ...fewest, obstacle: "memory" };
  const result = counts.map(withSequences).find(({ account }) => account.fits) ?? fewest;
  const { limits } = result;
  const obstacle = obstacleOf(problem, candidate);
  if (obstacle !== undefined) return { ...result, obstacle };
  if (candidate.weights.onTheFly) {
    const layout = { attention: "bf16", feedForward: "bf16" } as const;
    const whole = accountCandidate(
      problem,
      { ...candidate, weights: { ...candidate.weights, layout } },
      limits,
    );
    if (whole.availableBytes < 0) return { ...result, account: whole, obstacle: "bf16WhileLoading" };
  }
  return limits.maxNumSeqs < first ? { ...result, loweredFrom: first } : result;
}

const gpusOf = ({ layout }: Candidate): number => layout.nodes * layout.gpusPerPod;

/** Negative where `one` is the better plan. */
function comparePreference(problem: Problem, one: FittingCandidate, other: FittingCandidate): number {
  const { candidates } = problem.model;
  const room = ({ hardware, layout }: FittingCandidate) =>
    freeRoom(hardware, layout.nodes, layout.gpusPerPod);
  return (
    gpusOf(one) - gpusOf(other) ||
    one.layout.nodes - other.layout.nodes ||
    candidates.indexOf(one.weights) - candidates.indexOf(other.weights) ||
    other.account.kvCacheTokens - one.account.kvCacheTokens ||
    room(other) - room(one) ||
    (one.hardware.pool.name < other.hardware.pool.name ? -1 : 1)
  );
}

/** How far a rejected candidate is from running: what only lacks disk or nodes is nearest, what has no kernels is furthest. */
function compareNearness(one: RejectedCandidate, other: RejectedCandidate): number {
  const rank = ({ obstacle }: RejectedCandidate): number => {
    if (obstacle === "storage" || obstacle === "nodes") return 0;
    return obstacle === "memory" || obstacle === "bf16WhileLoading" ? 1 : 2;
  };
  const shortfall = ({ account }: RejectedCandidate): number =>
    Math.max(account.neededBytes - account.availableBytes, account.outsideNeededBytes - account.outsideBytes);
  return rank(one) - rank(other) || shortfall(one) - shortfall(other) || gpusOf(one) - gpusOf(other);
}

/** Every layout that a checkpoint allows on a pool, of every checkpoint on every pool, fewest GPUs first. */
function candidatesOf(problem: Problem, kvCache: KvCacheFormat): readonly Candidate[] {
  const { architecture, candidates } = problem.model;
  return candidates
    .flatMap((weights) => {
      const degrees = legalTensorDegrees(architecture, weights);
      return problem.hardware.flatMap((hardware) =>
        layoutsOn(hardware, architecture, degrees, problem.spec.parallelism).map((layout): Candidate => ({
          hardware,
          layout,
          weights,
          kvCache,
        })),
      );
    })
    .sort((one, other) => gpusOf(one) - gpusOf(other));
}

/** What the search found: the best candidate that fits, or the nearest that does not; neither where no layout is legal. */
export interface Search {
  readonly best?: FittingCandidate;
  readonly nearest?: RejectedCandidate;
}

function searchWith(problem: Problem, kvCache: KvCacheFormat): Search {
  let best: FittingCandidate | undefined;
  let nearest: RejectedCandidate | undefined;
  for (const candidate of candidatesOf(problem, kvCache)) {
    if (best !== undefined && gpusOf(candidate) > gpusOf(best)) break;
    const result = attempt(problem, candidate);
    if ("obstacle" in result) {
      if (nearest === undefined || compareNearness(result, nearest) < 0) nearest = result;
    } else if (best === undefined || comparePreference(problem, result, best) < 0) {
      best = result;
    }
  }
  return { ...(best && { best }), ...(nearest && { nearest }) };
}

/** Searches with a BF16 KV cache, and with FP8 where that is asked for or where only it fits. */
export function search(problem: Problem): Search {
  const wanted = problem.spec.quantization.kvCache;
  if (wanted !== "auto") return searchWith(problem, wanted);
  const bf16 = searchWith(problem, "bf16");
  // Quality goes before GPUs unless the spec says otherwise; but where it costs whole nodes, the plan says so.
  if (bf16.best !== undefined && bf16.best.layout.nodes === 1) return bf16;
  const fp8 = searchWith(problem, "fp8");
  if (bf16.best !== undefined) {
    const gpus = fp8.best === undefined ? Infinity : gpusOf(fp8.best);
    return gpus < gpusOf(bf16.best) ? { best: { ...bf16.best, gpusWithFp8KvCache: gpus } } : bf16;
  }
  if (fp8.best !== undefined) return fp8;
  const nearest = [bf16.nearest, fp8.nearest]
    .filter((rejected) => rejected !== undefined)
    .sort(compareNearness)[0];
  return nearest === undefined ? {} : { nearest };
}
