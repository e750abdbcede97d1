// Plans the spec against the pools that the namespace may use, or halts with the planner's own words.
import type { MeasuredOverhead } from "../../../api/measured-overheads.ts";
import { reasons } from "../../../api/conditions.ts";
import { engineFor } from "../../../engines/registry.ts";
import { plan as planDeployment } from "../../../planning/planner.ts";
import type { Plan } from "../../../planning/plan.ts";
import { poolFacts, type Scope } from "../scope.ts";
import type { Halt } from "../status.ts";

/**
 * The plan of this generation. A plan is sticky: `current`, the plan in force, stays unless the spec asks for
 * something else or its pool has gone.
 */
export function planStep(
  scope: Scope,
  known: { readonly current: Plan | undefined; readonly measuredOverheads: readonly MeasuredOverhead[] },
): Plan | Halt {
  const { current, measuredOverheads } = known;
  const { spec } = scope.object;
  const refusals = engineFor(spec.engine.type).refusals(spec);
  if (refusals.length > 0) {
    return { reason: reasons.InvalidSpec, message: refusals.join("; "), waits: false, unplanned: true };
  }
  const result = planDeployment({
    spec,
    pools: poolFacts(scope, current),
    ...(current && { current }),
    measuredOverheads,
  });
  if (result.kind === "plan") return result;
  const { reason, message, waits, alternatives } = result;
  const nearest = alternatives.map(({ summary }) => summary);
  const advice = nearest.length === 0 ? "" : `. What would work: ${nearest.join("; or ")}`;
  return { reason, message: `${message}${advice}`, waits, unplanned: true };
}

/** Whether an answer of a step ends the pass. */
export function isHalt(answer: object): answer is Halt {
  return "unplanned" in answer && "reason" in answer;
}
