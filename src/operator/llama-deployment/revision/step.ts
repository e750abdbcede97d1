// The revision of this generation: a stored one with the same intent, or a new one, rendered once. Where the generation
// is blocked, the revision in force: what runs is looked after all the same.
import type { LlamaDeploymentSpec } from "@llama-operator/llama/api";
import type { Plan } from "@llama-operator/llama/planning";
import { revisionLabel } from "../../workloads/labels.ts";
import { workloadName, type Owner } from "../../workloads/names.ts";
import { intentOf, renderRevision, revisionHash, type RevisionData } from "../../workloads/revision.ts";
import { goOn, type Step } from "../pass.ts";
import type { Scope } from "../scope.ts";
import type { StoredRevision } from "./stored.ts";

export interface ChosenRevision {
  readonly data: RevisionData;
  /** Set where the revision must be stored first, under this number. */
  readonly newNumber?: number;
}

export const revisionStep: Step = {
  name: "revision",
  about: "workloads",
  run(scope, pass) {
    const { object, owner, revisions } = scope;
    if (pass.block === undefined && pass.plan !== undefined) {
      pass.revision = chooseRevision(owner, object.spec, pass.plan, revisions);
      pass.restores = pass.revision.newNumber !== undefined && runs(scope, pass.revision.data.hash);
    } else {
      const inForce = runningRevision(scope);
      if (inForce !== undefined) pass.revision = { data: inForce };
    }
    return goOn;
  },
};

/** Whether there is a workload of a revision, though nothing says what it is. */
function runs({ owner, children }: Scope, hash: string): boolean {
  return [...children.deployments, ...children.leaderWorkerSets].some(
    ({ metadata: { name, labels } }) =>
      labels?.[revisionLabel] === hash || name === workloadName(owner, hash),
  );
}

/**
 * What runs while the generation is blocked: what status says, or the newest with a workload. Never one that is only
 * stored: nobody asked for it to run again.
 */
function runningRevision({ object, revisions, workloads }: Scope): RevisionData | undefined {
  const current = object.status?.currentRevision;
  const known = revisions.find(({ data }) => data.hash === current);
  const running = revisions.findLast(({ data }) => workloads.some(({ revision }) => revision === data.hash));
  return (known ?? running)?.data;
}

/** A stored revision is used as it is, so that a newer operator restarts nothing. */
export function chooseRevision(
  owner: Owner,
  spec: LlamaDeploymentSpec,
  plan: Plan,
  stored: readonly StoredRevision[],
): ChosenRevision {
  const hash = revisionHash(intentOf(spec, plan));
  const known = stored.find(({ data }) => data.hash === hash);
  if (known !== undefined) return { data: known.data };
  return { data: renderRevision({ owner, spec, plan }), newNumber: (stored.at(-1)?.number ?? 0) + 1 };
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
