// The one function that turns (model, hardware, intent) into a plan or a refusal. The command line, the controller
// and every other caller get the same answer and the same message. Pure: no clock, no network, no Kubernetes.
import { matchesLabels } from "../api/labels.ts";
import type { LlamaDeploymentSpec } from "../api/llama-deployment.ts";
import { alternativesTo } from "./choice/alternatives.ts";
import { buildPlan, startupInput } from "./build.ts";
import { memoryTerms } from "./messages/explanation.ts";
import type { Term } from "./messages/explanation.ts";
import { memoryInput, search } from "./choice/search.ts";
import type { Problem } from "./choice/search.ts";
import { refusalMessage } from "./messages/refusal-message.ts";
import { hardwareOf, isUsable } from "./node/hardware.ts";
import type { Hardware } from "./node/hardware.ts";
import { legalTensorDegrees, tensorProblem, parallelismProblem } from "./choice/parallelism.ts";
import { splitProblem } from "./choice/quantised-split.ts";
import { formatName } from "./messages/format.ts";
import { placeAmong, placeOn } from "./node/placement.ts";
import { startupPhases } from "./node/startup.ts";
import type { PerformanceInput } from "./performance.ts";
import type { Plan, PlanRequest, PlanResult, PoolFacts, Refusal } from "./plan.ts";
import { refuse } from "./refusal.ts";
import { resolveModel } from "./intent/resolve.ts";
import type { ResolvedModel } from "./intent/resolve.ts";
import { engineSettings } from "./intent/settings.ts";
import { keepCurrent } from "./choice/sticky.ts";

/** The pools that the spec selects and the catalog knows; a wait where there is none yet. */
function usableHardware(
  spec: LlamaDeploymentSpec,
  pools: readonly PoolFacts[],
): readonly Hardware[] | Refusal {
  if (pools.length === 0) {
    return refuse("NoPool", "there is no GpuPool that this namespace may use");
  }
  const wanted = spec.placement.poolSelector?.matchLabels ?? {};
  const selected = pools.filter((pool) => matchesLabels(pool.labels, wanted));
  if (selected.length === 0) {
    const labels = Object.entries(wanted).map(([key, value]) => `${key}=${value}`);
    return refuse("NoPool", `no GpuPool that this namespace may use has the labels ${labels.join(", ")}`);
  }
  const known = selected.map(hardwareOf);
  const usable = known.filter(isUsable);
  if (usable.length > 0) return usable;
  return refuse("DoesNotFit", known.flatMap((one) => (isUsable(one) ? [] : [one.problem])).join("; "));
}

/**
 * A requested tensor degree that the model, or all checkpoints of it that may be served, cannot be split by, whatever
 * the pool; or checkpoints that no degree is legal for.
 */
function illegalTensor(
  spec: LlamaDeploymentSpec,
  { architecture, label, candidates }: ResolvedModel,
): Refusal | undefined {
  const { tensor } = spec.parallelism;
  const problem = tensor === undefined ? undefined : tensorProblem(architecture, tensor);
  if (problem !== undefined) {
    const legal = legalTensorDegrees(architecture).join(", ");
    return refuse(
      "IllegalParallelism",
      `parallelism.tensor ${tensor} does not divide the ${problem} of ${label}; legal degrees are ${legal}`,
    );
  }
  const degreesOf = candidates.map((weights) => legalTensorDegrees(architecture, weights));
  const isLegal = (degrees: readonly number[]) =>
    tensor === undefined ? degrees.length > 0 : degrees.includes(tensor);
  const [weights] = candidates;
  if (weights === undefined || degreesOf.some(isLegal)) return undefined;
  const legal = [...new Set(degreesOf.flat())].toSorted((one, other) => one - other);
  const cut = splitProblem(architecture, weights, tensor ?? 1) ?? "is not legal";
  return refuse(
    "IllegalParallelism",
    `${tensor === undefined ? "any tensor degree" : `parallelism.tensor ${tensor}`} ${cut} (${label} in ${formatName(weights.format)}); ${legal.length === 0 ? "no degree is legal: name another checkpoint" : `legal degrees are ${legal.join(", ")}`}`,
  );
}

/** Why the search found nothing. */
function refuseSearch(problem: Problem, nearest: ReturnType<typeof search>["nearest"]): Refusal {
  if (nearest !== undefined) return refuse("DoesNotFit", refusalMessage(problem, nearest));
  const [hardware] = problem.hardware;
  if (hardware === undefined) return refuse("NoPool", "there is no GpuPool that this namespace may use");
  const message = parallelismProblem(hardware, problem.model.architecture, problem.spec.parallelism);
  return refuse("IllegalParallelism", `parallelism: ${message}`);
}

/** Everything that a choice rests on, looked up; or why there is nothing to choose. */
function readProblem({ spec, pools, measuredOverheads = [] }: PlanRequest): Problem | Refusal {
  const settings = engineSettings(spec);
  if ("kind" in settings) return settings;
  const model = resolveModel(spec);
  if ("kind" in model) return model;
  const illegal = illegalTensor(spec, model);
  if (illegal !== undefined) return illegal;
  const hardware = usableHardware(spec, pools);
  if ("kind" in hardware) return hardware;
  return { spec, model, settings, hardware, measuredOverheads };
}

/** Plans without looking for alternatives. */
function decide(request: PlanRequest): PlanResult {
  const { current } = request;
  const problem = readProblem(request);
  if ("kind" in problem) return problem;
  const kept = current && keepCurrent(problem, current);
  if (kept !== undefined) return kept;
  const { best, nearest } = search(problem);
  return best === undefined ? refuseSearch(problem, nearest) : buildPlan(problem, best);
}

/** Adds the changes to the spec that would plan. */
function withAlternatives(request: PlanRequest, refusal: Refusal): Refusal {
  const { current: _, ...asked } = request;
  const alternatives = alternativesTo(request.spec, refusal, (spec) => decide({ ...asked, spec }));
  return { ...refusal, alternatives };
}

/** What stands behind a plan: every term of its memory, the phases of its start, and what bounds its speed. */
export interface Details {
  readonly plan: Plan;
  readonly terms: readonly Term[];
  readonly startup: ReturnType<typeof startupPhases>;
  readonly performance: PerformanceInput;
}

/** Plans as `plan` does without a plan in force, and says what the numbers follow from. */
export function planInDetail(request: PlanRequest): Details | Refusal {
  const problem = readProblem(request);
  if ("kind" in problem) return withAlternatives(request, problem);
  const { best, nearest } = search(problem);
  if (best === undefined) return withAlternatives(request, refuseSearch(problem, nearest));
  const built = buildPlan(problem, best);
  const { weights, layout, kvCache, hardware } = best;
  return {
    plan: built,
    terms: memoryTerms(memoryInput(problem, best, best.limits)),
    startup: startupPhases(startupInput(problem, best, built.weights), built.startup),
    performance: {
      architecture: problem.model.architecture,
      layout: weights.layout,
      format: weights.format,
      tensor: layout.tensor,
      pipeline: layout.pipeline,
      kvCache,
      gpu: hardware.gpu,
    },
  };
}

/**
 * Where further pods of a plan go as things are: the plan with what its pool asks of pods now, or with another pool's where
 * its own has no place for them, or, with `moves`, where it is full. The plan itself where that is what it says;
 * undefined where no pool has a place.
 */
export function placePlan(
  plan: Plan,
  { spec, pools }: Pick<PlanRequest, "spec" | "pools">,
  options: { readonly moves: boolean },
): Plan | undefined {
  const hardware = usableHardware(spec, pools);
  return "kind" in hardware ? undefined : placeAmong(plan, hardware, options);
}

/** The plan in each of the pools that have a place for it. */
export function placesOf(plan: Plan, { spec, pools }: Pick<PlanRequest, "spec" | "pools">): readonly Plan[] {
  const hardware = usableHardware(spec, pools);
  return "kind" in hardware ? [] : hardware.flatMap((each) => placeOn(plan, each) ?? []);
}

/**
 * Plans one replica of a LlamaDeployment on the pools that it may use, or refuses with the number that broke and the
 * nearest changes that work. With `current` made for this very wish, returns that plan.
 */
export function plan(request: PlanRequest): PlanResult {
  const result = decide(request);
  return result.kind === "plan" ? result : withAlternatives(request, result);
}
