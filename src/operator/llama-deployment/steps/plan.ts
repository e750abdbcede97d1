// Plans the spec against the pools that the namespace may use, or halts with the planner's own words.
import type { MeasuredOverhead } from "@llama-operator/llama/api";
import { type Plan, describeRefusal } from "@llama-operator/llama/planning";
import { evaluate } from "@llama-operator/llama";
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
  const pools = poolFacts(scope, current);
  const verdict = evaluate({ spec, pools, ...(current && { current }), measuredOverheads });
  if (verdict.kind === "plan") return verdict;
  const { reason, waits } = verdict;
  return { reason, message: describeRefusal(verdict), waits, unplanned: true };
}

/** Whether an answer of a step ends the pass. */
export function isHalt(answer: object): answer is Halt {
  return "unplanned" in answer && "reason" in answer;
}
