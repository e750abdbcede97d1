// Whether the plan in force stays. It does while the wish that it was made for is unchanged, wherever its pods are placed:
// a better idea of a newer catalog or planner is no reason to restart a model that serves, and what an earlier wish asked
// for is no reason to go on with it.
import { canonicalJson } from "../../api/canonical-json.ts";
import { checkpointsOf } from "../../catalog/checkpoints.ts";
import type { Problem } from "./search.ts";
import type { Plan, PlanInForce } from "../plan.ts";
import { placeAmong } from "../node/placement.ts";
import { sameWish, wishOf } from "../intent/wish.ts";

function sameLimits({ settings, model, spec }: Problem, { limits }: Plan): boolean {
  return (
    limits.maxModelLen === model.maxModelLen &&
    (limits.kvCacheMemoryBytes !== undefined) === (spec.context.kvCacheSize === "planned") &&
    isAsked(settings.maxNumSeqs, limits.maxNumSeqs) &&
    isAsked(settings.maxNumBatchedTokens, limits.maxNumBatchedTokens) &&
    isAsked(settings.gpuMemoryUtilization, limits.gpuMemoryUtilization)
  );
}

/** Whether a value is the one that was asked for, or none was. */
function isAsked<T>(requested: T | undefined, value: T): boolean {
  return requested === undefined || requested === value;
}

/** Whether these are weights that the spec allows; a revision of the catalog's of another day among them. */
function sameWeights({ spec, model }: Problem, { weights }: Plan): boolean {
  const { source } = weights;
  const isCandidate = model.candidates.some(
    (each) =>
      each.format === weights.format &&
      each.quantMethod === weights.quantMethod &&
      canonicalJson(each.source) === canonicalJson(source),
  );
  if (isCandidate) return true;
  const named = spec.model.source?.persistentVolumeClaim ?? spec.model.source?.huggingFace?.repository;
  const wanted = spec.quantization.weights;
  return (
    named === undefined &&
    source.kind === "huggingFace" &&
    checkpointsOf(spec.model.name).some(({ repository }) => repository === source.repository) &&
    (wanted === "auto" || wanted === weights.format)
  );
}

/** Whether a plan has everything that the spec names. What it leaves open may be otherwise than it would be planned now. */
function answers(problem: Problem, plan: Plan): boolean {
  const { spec, settings } = problem;
  return (
    plan.model === spec.model.name &&
    plan.engine.type === spec.engine.type &&
    plan.engine.version === settings.versionText &&
    plan.maxConcurrency >= spec.context.minConcurrency &&
    isAsked(spec.parallelism.tensor, plan.tensor) &&
    isAsked(spec.parallelism.pipeline, plan.pipeline) &&
    (spec.quantization.kvCache === "auto" || spec.quantization.kvCache === plan.kvCache) &&
    sameLimits(problem, plan) &&
    sameWeights(problem, plan)
  );
}

/** The plan in force, where it was made for what the spec asks for and its pods have a place; else `undefined`. */
export function keepCurrent(problem: Problem, { plan, madeFor }: PlanInForce): Plan | undefined {
  const stays = madeFor === undefined ? answers(problem, plan) : sameWish(madeFor, wishOf(problem.spec));
  return stays ? placeAmong(plan, problem.hardware, { moves: false }) : undefined;
}
