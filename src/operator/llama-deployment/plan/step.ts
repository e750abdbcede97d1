// Plans the spec against the pools that the namespace may use, or blocks the generation in the planner's own words.
import { evaluate } from "@llama-operator/llama";
import type { MeasuredOverhead } from "@llama-operator/llama/api";
import {
  describeRefusal,
  differencesOf,
  wishOf,
  type Difference,
  type Plan,
  type PoolFacts,
} from "@llama-operator/llama/planning";
import { planInForce, revisionInForce, type StoredRevision } from "../revision/stored.ts";
import { goOn, type Pass, type Step } from "../pass.ts";
import { unknownWorkloads } from "../replicas/workloads.ts";
import { poolFacts, type Scope } from "../scope.ts";

/** A plan is sticky: the one in force stays unless the spec asks for something else or its pool has gone. */
export function planStep(measuredOverheads: readonly MeasuredOverhead[]): Step {
  return {
    about: "generation",
    run(scope, pass) {
      const { object, revisions } = scope;
      const { spec } = object;
      const inForce = revisionInForce(object, revisions);
      const current = inForce && planInForce(inForce, object);
      const given = { spec, ...(current && { current }), measuredOverheads };
      const stays = inForce === undefined ? servingPools(scope, pass) : [];
      const there = stays.length === 0 ? undefined : evaluate({ ...given, pools: stays });
      const result = there?.kind === "plan" ? there : evaluate({ ...given, pools: poolFacts(scope) });
      if (result.kind === "refusal") {
        const { reason, waits } = result;
        return { kind: waits ? "blocked" : "stalled", reason, message: describeRefusal(result) };
      }
      pass.plan = result;
      pass.differences = inForce === undefined ? [] : leftovers(scope, result, inForce, measuredOverheads);
      const adopted = pass.differences.length > 0 ? { adopted: true as const } : {};
      pass.madeFor = { wish: wishOf(spec), ...adopted };
      return goOn;
    },
  };
}

/**
 * The pool that status names, where workloads run whose revision is gone: deleted, or not in the cache yet. Planned for
 * the same pool they are found again, and a freer pool moves nothing.
 */
function servingPools(scope: Scope, pass: Pass): readonly PoolFacts[] {
  const pool = scope.object.status?.plan?.pool;
  if (unknownWorkloads(scope, pass).length === 0) return [];
  return poolFacts(scope).filter(({ name }) => name === pool);
}

/**
 * In what a plan that was stored before wishes were is not what the spec would be planned to: an earlier wish may have
 * asked for it. Planned for the same pool, since a better place is no difference.
 */
function leftovers(
  scope: Scope,
  plan: Plan,
  { data, madeFor }: StoredRevision,
  measuredOverheads: readonly MeasuredOverhead[],
): readonly Difference[] {
  const mayBeLeft = madeFor === undefined || madeFor.adopted === true;
  if (!mayBeLeft || differencesOf(plan, data.plan).length > 0) return [];
  const pools = poolFacts(scope).filter(({ name }) => name === plan.pool);
  const anew = evaluate({ spec: scope.object.spec, pools, measuredOverheads });
  return anew.kind === "plan" ? differencesOf(plan, anew) : [];
}
