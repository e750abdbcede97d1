// Makes the children what they should be: the revision and what pods lean on first, then the workloads, then what is no
// longer wanted goes. Each write is safe to repeat, and a crash between two of them is made good by the next pass:
// nothing is remembered but in the objects themselves.
//
// What is deleted is named by a decision: workloads of revisions that can be read, whose replicas the rollout planner
// removed; revisions that no workload has; our ServiceAccount once no template names it. Everything else stays.
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import type { Applier } from "@llama-operator/kube-runtime/apply";
import { controllerRevision } from "../../workloads/controller-revision.ts";
import type { DesiredObject } from "../../workloads/desired.ts";
import { revisionLabel } from "../../workloads/labels.ts";
import { goOn, type Pass, type Step } from "../pass.ts";
import { foreignChild } from "../prerequisites/step.ts";
import type { LiveWorkload } from "../replicas/workloads.ts";
import { type ChosenRevision, expiredRevisions } from "../revision/step.ts";
import type { Scope } from "../scope.ts";
import { applyAll, deleteAll } from "./apply.ts";
import type { DesiredObjects } from "./desired-objects.ts";

/** Revisions that are kept though nothing uses them, so that an edit can be taken back without a new one. */
const unusedRevisionsKept = 2;

export function childrenStep(applier: Applier, desired: DesiredObjects): Step {
  return {
    name: "children",
    about: "workloads",
    async run(scope, pass) {
      const { rollout, revision, context } = pass;
      if (revision === undefined) return goOn;
      if (pass.restores === true) {
        await applyAll(applier, storing(scope, revision), context);
        return goOn;
      }
      if (rollout === undefined) return goOn;
      const objects = desired.of(scope.owner, rollout.workloads);
      const first = [...objects.filter((object) => !isWorkload(object)), ...storing(scope, revision)];
      const [applied] = await Promise.allSettled([applyAll(applier, first, context)]);
      const foreign =
        applied.status === "fulfilled"
          ? applied.value.find(({ outcome }) => outcome === "foreign")
          : undefined;
      // Without what pods lean on none are made, and those that are to go still do.
      const mayGrow = applied.status === "fulfilled" && foreign === undefined;
      const workloads = objects
        .filter(isWorkload)
        .filter((object) => isServed(scope, object) && (mayGrow || !asksForMore(scope, object)));
      await applyAll(applier, workloads, context);
      await deleteAll(applier, unwanted(scope, pass, objects), scope.owner.uid, context);
      if (applied.status === "rejected") throw applied.reason;
      return foreign === undefined ? goOn : foreignChild(foreign.object, scope.owner);
    },
  };
}

function storing({ owner }: Scope, { data, newNumber }: ChosenRevision): readonly KubeObject[] {
  return newNumber === undefined ? [] : [controllerRevision(owner, data, newNumber)];
}

function isWorkload({ kind }: DesiredObject): boolean {
  return kind === "Deployment" || kind === "LeaderWorkerSet";
}

function isServed({ servesLeaderWorkerSets }: Scope, { kind }: DesiredObject): boolean {
  return kind !== "LeaderWorkerSet" || servesLeaderWorkerSets;
}

/** Whether a workload is not there, or asks for more replicas than the one that is. */
function asksForMore({ workloads }: Scope, wanted: DesiredObject): boolean {
  const live = workloads.find(({ object }) => object.metadata.name === wanted.metadata?.name);
  const { spec } = wanted as { readonly spec?: { readonly replicas?: number } };
  return live === undefined || (spec?.replicas ?? 1) > live.desired;
}

/** Somebody else has scaled it to zero, perhaps for an instant: it goes once its pods have. */
function wasEmptied({ slot, desired, replicas }: LiveWorkload): boolean {
  return slot === undefined && desired === 0 && replicas.length > 0;
}

function unwanted(
  { children, revisions, workloads }: Scope,
  { revision }: Pass,
  objects: readonly DesiredObject[],
): readonly Live<KubeObject>[] {
  const wanted = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata?.name ?? ""}`));
  const surplus = workloads
    .filter((workload) => !wasEmptied(workload))
    .map(({ object }) => object)
    .filter(({ kind, metadata }) => !wanted.has(`${kind} ${metadata.name}`));
  // A workload that is on its way out, or that nobody here can read, still needs its revision.
  const used = new Set([
    ...workloads.map((workload) => workload.revision),
    ...[...children.deployments, ...children.leaderWorkerSets].flatMap(
      ({ metadata }) => metadata.labels?.[revisionLabel] ?? [],
    ),
    ...(revision === undefined ? [] : [revision.data.hash]),
  ]);
  const expired = expiredRevisions(revisions, used, unusedRevisionsKept).map(({ object }) => object);
  const { serviceAccount } = children;
  // Pods of a workload that cannot be read may run as it.
  const readsAll = workloads.length === children.deployments.length + children.leaderWorkerSets.length;
  const isNeeded = !readsAll || wanted.has(`ServiceAccount ${serviceAccount?.metadata.name}`);
  return [...surplus, ...expired, ...(isNeeded || serviceAccount === undefined ? [] : [serviceAccount])];
}
