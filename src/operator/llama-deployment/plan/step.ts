// Plans the spec against the pools that the namespace may use, or blocks the generation in the planner's own words.
import { evaluate } from "@llama-operator/llama";
import type { MeasuredOverhead } from "@llama-operator/llama/api";
import { describeRefusal, type Plan, type PlanResult } from "@llama-operator/llama/planning";
import { revisionInForce } from "../revision/stored.ts";
import { goOn, type Step } from "../pass.ts";
import { poolFacts, type Scope } from "../scope.ts";

/** A plan is sticky: the one in force stays unless the spec asks for something else or its pool has gone. */
export function planStep(measuredOverheads: readonly MeasuredOverhead[]): Step {
  return {
    about: "generation",
    run(scope, pass) {
      const current = revisionInForce(scope.object, scope.revisions)?.plan;
      const result = evaluateScope(scope, current, measuredOverheads);
      if (result.kind === "plan") {
        pass.plan = result;
        return goOn;
      }
      const { reason, waits } = result;
      return { kind: waits ? "blocked" : "stalled", reason, message: describeRefusal(result) };
    },
  };
}

function evaluateScope(
  scope: Scope,
  current: Plan | undefined,
  measuredOverheads: readonly MeasuredOverhead[],
): PlanResult {
  const pools = poolFacts(scope, current);
  return evaluate({ spec: scope.object.spec, pools, ...(current && { current }), measuredOverheads });
}
