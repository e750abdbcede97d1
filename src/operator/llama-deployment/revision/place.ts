// Where further pods of a revision go: to what its pool asks of pods now, not when the revision was planned; to another
// pool where its own is gone, or full before anything of it runs. What runs stays where it is.
import { placePlan, placesOf, type Plan } from "@llama-operator/llama/planning";
import { revisionLabel } from "../../workloads/labels.ts";
import { placedAt, placementOf } from "../../workloads/placement.ts";
import { intentOf, revisionHash } from "../../workloads/revision.ts";
import type { Pass } from "../pass.ts";
import { unknownWorkloads } from "../replicas/workloads.ts";
import { poolFacts, type Scope } from "../scope.ts";
import { samePlacement } from "./placements.ts";
import { placedNow, type ChosenRevision, type StoredRevision } from "./stored.ts";

/** @param plan of this generation; none where that is blocked */
export function placeStored(
  scope: Scope,
  { workloads }: Pick<Pass, "workloads">,
  stored: StoredRevision,
  plan: Plan | undefined,
): ChosenRevision {
  const now = placedNow(stored);
  const runs = workloads.some(({ revision, desired }) => revision === now.hash && desired > 0);
  const from = runs || plan === undefined ? now.plan : { ...now.plan, ...placementOf(plan) };
  const placement = placementOf(placeFurther(scope, from, { runs }));
  if (samePlacement(placement, placementOf(now.plan))) return { data: now };
  return { data: placedAt(stored.data, placement), moved: { ...placement, since: scope.now.toISOString() } };
}

/**
 * The plan of a revision that is not stored, as its pods are to be placed: where workloads of it are, if somebody deleted
 * the ControllerRevision that they came from.
 */
export function placeNew(scope: Scope, pass: Pick<Pass, "workloads">, plan: Plan): Plan {
  const { spec } = scope.object;
  const orphans = new Set(
    unknownWorkloads(scope, pass).map(({ metadata }) => metadata.labels?.[revisionLabel]),
  );
  const isThere = (placed: Plan): boolean => orphans.has(revisionHash(intentOf(spec, placed)));
  const left = orphans.size === 0 ? [] : placesOf(plan, { spec, pools: poolFacts(scope) });
  return left.find(isThere) ?? placeFurther(scope, plan, { runs: false });
}

function placeFurther(scope: Scope, plan: Plan, { runs }: { readonly runs: boolean }): Plan {
  const { spec } = scope.object;
  return placePlan(plan, { spec, pools: poolFacts(scope) }, { moves: !runs && spec.replicas > 0 }) ?? plan;
}
