// Whether a LlamaDeployment can run: the engine's own objections first, then the planner. The webhook, the controller,
// the command line and `pulumi preview` ask here, and the planner itself is not exported, so that none says yes where
// another says no.
import type { LlamaDeploymentSpec } from "./api/llama-deployment.ts";
import { engineFor } from "./engines/registry.ts";
import type { PlanRequest, PlanResult, Refusal } from "./planning/plan.ts";
import { type Details, plan, planInDetail } from "./planning/planner.ts";
import { refuse } from "./planning/refusal.ts";

/** The plan of a spec, or why there is none. */
export function evaluate(request: PlanRequest): PlanResult {
  return objectionTo(request.spec) ?? plan(request);
}

/** The same answer where no plan is in force, with every term of its memory, its start and its speed. */
export function evaluateInDetail(request: Omit<PlanRequest, "current">): Details | Refusal {
  return objectionTo(request.spec) ?? planInDetail(request);
}

/** What the engine refuses of a spec, whatever the plan. */
function objectionTo(spec: LlamaDeploymentSpec): Refusal | undefined {
  const objections = engineFor(spec.engine.type).refusals(spec);
  return objections.length === 0 ? undefined : refuse("InvalidSpec", objections.join("; "));
}
