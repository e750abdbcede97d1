// The revision of this generation: a stored one with the same intent, or a new one, rendered once. Where the generation
// is blocked, the revision in force: what runs is looked after all the same.
import { canonicalJson, matchesLabels } from "@llama-operator/llama/api";
import type { Plan } from "@llama-operator/llama/planning";
import { placementOf } from "../../workloads/placement.ts";
import { identityOf, intentOf, renderRevision, revisionHash } from "../../workloads/revision.ts";
import { goOn, type Pass, type Step } from "../pass.ts";
import { observeWorkloads } from "../replicas/workloads.ts";
import type { Scope } from "../scope.ts";
import { placeNew, placeStored } from "./place.ts";
import { placedNow, servingRevision, type ChosenRevision, type StoredRevision } from "./stored.ts";

export const revisionStep: Step = {
  about: "workloads",
  run(scope, pass) {
    const { object, revisions } = scope;
    if (pass.block === undefined && pass.plan !== undefined) {
      pass.revision = chooseRevision(scope, pass, pass.plan);
      pass.plan = { ...pass.plan, ...placementOf(pass.revision.data.plan) };
    } else {
      const inForce = servingRevision(object, revisions, pass.workloads);
      if (inForce !== undefined) pass.revision = placeStored(scope, pass, inForce, undefined);
    }
    const { data, newNumber, moved } = pass.revision ?? {};
    // Of a revision that somebody deleted, or whose placements somebody took away, the workloads are there all the while.
    if (data !== undefined && (newNumber ?? moved) !== undefined) {
      observeWorkloads(scope, pass, [...revisions.flatMap(({ placed }) => placed), data]);
    }
    return goOn;
  },
};

/** A stored revision is used as it is, so that a newer operator restarts nothing. */
export function chooseRevision(scope: Scope, pass: Pick<Pass, "workloads">, plan: Plan): ChosenRevision {
  const { owner, object, revisions } = scope;
  const { spec, status } = object;
  const intent = intentOf(spec, plan);
  const identity = identityOf(intent);
  const alike = revisions.filter(
    ({ data }) => data.plan.gpu === plan.gpu && identityOf(data.intent) === identity,
  );
  const allowed = alike.filter((stored) => !isElsewhere(scope, stored));
  const known =
    allowed.find(({ data }) => data.hash === status?.currentRevision) ??
    allowed.find(({ data }) => data.hash === revisionHash(intent)) ??
    allowed.at(-1);
  if (known !== undefined) return placeStored(scope, pass, known, plan);
  const rendered = renderRevision({ owner, spec, plan: placeNew(scope, pass, plan) });
  const namesake = alike.find(({ data }) => data.hash === rendered.hash);
  if (namesake !== undefined) return placeStored(scope, pass, namesake, plan);
  return { data: rendered, newNumber: (revisions.at(-1)?.number ?? 0) + 1 };
}

/** Whether a wish for other pools leaves a revision out: its pods are to go from where they are, one after the other. */
function isElsewhere({ object, pools }: Scope, stored: StoredRevision): boolean {
  const { placement } = object.spec;
  const before = stored.madeFor?.wish["placement"];
  if (stored.madeFor === undefined || canonicalJson(before) === canonicalJson(placement)) return false;
  const { pool } = placedNow(stored).plan;
  const labels = pools.find(({ metadata }) => metadata.name === pool)?.metadata.labels;
  return labels === undefined || !matchesLabels(labels, placement.poolSelector?.matchLabels ?? {});
}

/** Revisions beyond the newest few that nothing uses any more. */
export function expiredRevisions(
  stored: readonly StoredRevision[],
  used: ReadonlySet<string>,
  keep: number,
): readonly StoredRevision[] {
  const unused = stored.filter(({ data }) => !used.has(data.hash));
  return unused.slice(0, Math.max(0, unused.length - keep));
}
