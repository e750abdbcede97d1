// Everything that should exist for a LlamaDeployment, given how many replicas each revision should have.
import type { IDeployment } from "kubernetes-models/apps/v1/Deployment";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import type { IService } from "kubernetes-models/v1/Service";
import type { IServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import { deployment } from "./deployment.ts";
import { leaderWorkerSet, type ILeaderWorkerSet } from "./leader-worker-set.ts";
import type { Owner } from "./names.ts";
import { podDisruptionBudget } from "./pod-disruption-budget.ts";
import type { RevisionData } from "./revision.ts";
import { serviceAccount } from "./service-account.ts";
import { service } from "./service.ts";

/** How much of a revision should exist: a count, or, for groups, which replicas. */
export type RevisionWorkload =
  | { readonly revision: RevisionData; readonly replicas: number }
  | { readonly revision: RevisionData; readonly slots: readonly number[] };

export type Workload = IDeployment | ILeaderWorkerSet;
export type DesiredObject = IServiceAccount | IService | IPodDisruptionBudget | Workload;

/** The workloads of one revision, built from what is stored and nothing else. */
export function workloads(owner: Owner, wanted: RevisionWorkload): readonly Workload[] {
  return "slots" in wanted
    ? wanted.slots.map((slot) => leaderWorkerSet(owner, wanted.revision, slot))
    : [deployment(owner, wanted.revision, wanted.replicas)];
}

/** In the order to apply them: pods need their ServiceAccount. */
export function desiredObjects(input: {
  readonly owner: Owner;
  readonly workloads: readonly RevisionWorkload[];
}): readonly DesiredObject[] {
  const { owner } = input;
  // As long as one revision's pods run as it: the spec may name another account while they do.
  const isOurs = input.workloads.some(
    ({ revision }) => revision.intent.podTemplate.serviceAccountName === undefined,
  );
  return [
    ...(isOurs ? [serviceAccount(owner)] : []),
    service(owner),
    podDisruptionBudget(owner),
    ...input.workloads.flatMap((wanted) => workloads(owner, wanted)),
  ];
}
