// The revision of this generation: a stored one with the same intent, or a new one, rendered once. Where the generation
// is blocked, the revision in force: what runs is looked after all the same.
import type { LlamaDeploymentSpec } from "@llama-operator/llama/api";
import type { Plan } from "@llama-operator/llama/planning";
import type { Owner } from "../../workloads/names.ts";
import { identityOf, intentOf, renderRevision, revisionHash } from "../../workloads/revision.ts";
import { goOn, type Step } from "../pass.ts";
import { observeWorkloads } from "../replicas/workloads.ts";
import { servingRevision, type ChosenRevision, type StoredRevision } from "./stored.ts";

export const revisionStep: Step = {
  about: "workloads",
  run(scope, pass) {
    const { object, owner, revisions } = scope;
    if (pass.block === undefined && pass.plan !== undefined) {
      pass.revision = chooseRevision(owner, object.spec, pass.plan, revisions);
      const { data, newNumber } = pass.revision;
      // A revision that somebody deleted is stored again, and its workloads are there all the while.
      if (newNumber !== undefined)
        observeWorkloads(scope, pass, [...revisions.map((each) => each.data), data]);
    } else {
      const inForce = servingRevision(object, revisions, pass.workloads);
      if (inForce !== undefined) pass.revision = { data: inForce };
    }
    return goOn;
  },
};

/** A stored revision is used as it is, so that a newer operator restarts nothing. */
export function chooseRevision(
  owner: Owner,
  spec: LlamaDeploymentSpec,
  plan: Plan,
  stored: readonly StoredRevision[],
): ChosenRevision {
  const intent = intentOf(spec, plan);
  const hash = revisionHash(intent);
  const known = stored.find(({ data }) => data.hash === hash) ?? storedAs(identityOf(intent), stored);
  if (known !== undefined) return { data: known.data };
  return { data: renderRevision({ owner, spec, plan }), newNumber: (stored.at(-1)?.number ?? 0) + 1 };
}

/** By what is stored of the intent: another release may have hashed the same intent otherwise. */
function storedAs(identity: string, stored: readonly StoredRevision[]): StoredRevision | undefined {
  return stored.findLast(({ data }) => identityOf(data.intent) === identity);
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
