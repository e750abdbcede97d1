// Whether the plan in force still answers the spec: then it is kept as it is, to the byte, because a better idea is
// no reason to restart a model that serves.
import { findModel } from "../../catalog/models.ts";
import { checkpointsOf } from "../../catalog/checkpoints.ts";
import type { WeightLayout } from "../../catalog/weight-bytes.ts";
import { accountCandidate, obstacleOf } from "./search.ts";
import type { Problem } from "./search.ts";
import type { Hardware } from "../node/hardware.ts";
import { legalTensorDegrees, layoutsOn } from "./parallelism.ts";
import type { Plan } from "../plan.ts";
import { defaultLayouts } from "../intent/resolve.ts";
import type { WeightsCandidate } from "../intent/resolve.ts";

function sameLimits(problem: Problem, { limits }: Plan): boolean {
  const { settings, model, spec } = problem;
  const kept = (requested: number | undefined, value: number) =>
    requested === undefined || requested === value;
  return (
    limits.maxModelLen === model.maxModelLen &&
    (limits.kvCacheMemoryBytes !== undefined) === (spec.context.kvCacheSize === "planned") &&
    kept(settings.maxNumSeqs, limits.maxNumSeqs) &&
    kept(settings.maxNumBatchedTokens, limits.maxNumBatchedTokens) &&
    kept(settings.gpuMemoryUtilization, limits.gpuMemoryUtilization)
  );
}

function layoutOfCurrent(problem: Problem, { weights }: Plan): WeightLayout {
  const { source } = weights;
  const published = source.kind === "huggingFace" ? checkpointsOf(problem.spec.model.name) : [];
  const known = published.find(
    ({ repository }) => source.kind === "huggingFace" && repository === source.repository,
  );
  if (known?.format === weights.format) return known.layout;
  return defaultLayouts[weights.format];
}

/** The weights of the plan in force, where the spec still allows them. */
function currentWeights(problem: Problem, current: Plan): WeightsCandidate | undefined {
  const { spec, model } = problem;
  const { weights } = current;
  const named = spec.model.source?.huggingFace?.repository !== undefined;
  const fromCatalog =
    !named &&
    spec.model.source?.persistentVolumeClaim === undefined &&
    findModel(spec.model.name) !== undefined;
  const same = model.candidates.find(
    ({ format, source, quantMethod }) =>
      format === weights.format &&
      quantMethod === weights.quantMethod &&
      JSON.stringify(source) === JSON.stringify(weights.source),
  );
  if (same !== undefined) return same;
  // A newer catalog may pin another revision; what serves was pinned too.
  const wanted = spec.quantization.weights;
  const allowed = wanted === "auto" || wanted === weights.format;
  if (!fromCatalog || !allowed || weights.source.kind !== "huggingFace") return undefined;
  return {
    format: weights.format,
    layout: layoutOfCurrent(problem, current),
    ...(weights.quantMethod === undefined ? {} : { quantMethod: weights.quantMethod }),
    source: weights.source,
    totalBytes: weights.totalBytes,
    onTheFly: weights.quantMethod === "fp8",
    notes: [],
  };
}

function stillRuns(problem: Problem, current: Plan, hardware: Hardware, weights: WeightsCandidate): boolean {
  const { architecture } = problem.model;
  const requested = { tensor: current.tensor, pipeline: current.pipeline };
  const degrees = legalTensorDegrees(architecture, weights);
  const layout = layoutsOn(hardware, architecture, degrees, requested).find(
    ({ nodes }) => nodes === current.nodesPerReplica,
  );
  if (layout === undefined) return false;
  const candidate = { hardware, layout, weights, kvCache: current.kvCache };
  // By rule or by measurement: a report of a running engine is no reason to restart it.
  const byRule = { ...problem, measuredOverheads: [] };
  const fits = [problem, byRule].some((each) => accountCandidate(each, candidate, current.limits).fits);
  return fits && obstacleOf(problem, candidate) === undefined;
}

/** The plan in force, where it is what the spec asks for, legal, and fits; else `undefined`. */
export function keepCurrent(problem: Problem, current: Plan): Plan | undefined {
  const { spec, settings } = problem;
  const hardware = problem.hardware.find(({ pool }) => pool.name === current.pool);
  if (hardware === undefined || hardware.pool.spec.gpu.product !== current.gpu) return undefined;
  const kept = (requested: number | undefined, value: number) =>
    requested === undefined || requested === value;
  const asked =
    current.model === spec.model.name &&
    current.engine.type === spec.engine.type &&
    current.engine.version === settings.versionText &&
    kept(spec.parallelism.tensor, current.tensor) &&
    kept(spec.parallelism.pipeline, current.pipeline) &&
    (spec.quantization.kvCache === "auto" || spec.quantization.kvCache === current.kvCache) &&
    sameLimits(problem, current);
  if (!asked) return undefined;
  const weights = currentWeights(problem, current);
  if (weights === undefined || !stillRuns(problem, current, hardware, weights)) return undefined;
  return current;
}
