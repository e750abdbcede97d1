// Whether a LlamaDeployment can run: the engine's own objections first, then the planner. The webhook, the controller
// and the command line ask here, so that none says yes where another says no.
import type { LlamaDeploymentSpec } from "./api/llama-deployment.ts";
import { engineFor } from "./engines/registry.ts";
import type { PlanRequest, PlanResult, Refusal } from "./planning/plan.ts";
import { plan } from "./planning/planner.ts";
import { refuse } from "./planning/refusal.ts";

/** What the engine refuses of a spec, whatever the plan. */
export function objectionTo(spec: LlamaDeploymentSpec): Refusal | undefined {
  const objections = engineFor(spec.engine.type).refusals(spec);
  return objections.length === 0 ? undefined : refuse("InvalidSpec", objections.join("; "));
}

/** The plan of a spec, or why there is none. */
export function verdictOn(request: PlanRequest): PlanResult {
  return objectionTo(request.spec) ?? plan(request);
}
