// Makes the children what they should be: the revision and what pods lean on first, then the workloads, then what is no
// longer wanted goes. Each write is safe to repeat, and a crash between two of them is made good by the next pass:
// nothing is remembered but in the objects themselves.
//
// What is deleted is named by a decision: workloads of revisions that can be read, whose replicas the rollout planner
// removed; revisions that no workload has; our ServiceAccount once no template names it. Everything else stays.
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import type { Applier } from "@llama-operator/kube-runtime/apply";
import { watched } from "../../observed/watched.ts";
import { controllerRevision } from "../../workloads/controller-revision.ts";
import type { DesiredObject, Workload } from "../../workloads/desired.ts";
import { placedAt, type Placement } from "../../workloads/placement.ts";
import { revisionLabel } from "../../workloads/labels.ts";
import { goOn, type Pass, type Step } from "../pass.ts";
import { unknownWorkloads } from "../replicas/workloads.ts";
import { foreignChildren } from "../prerequisites/step.ts";
import { madeForAnnotation, sameMadeFor } from "../revision/made-for.ts";
import { placementsAnnotation } from "../revision/placements.ts";
import { expiredRevisions } from "../revision/step.ts";
import type { Scope } from "../scope.ts";
import { allEnded, applyAll, deleteAll } from "./apply.ts";
import type { DesiredObjects } from "./desired-objects.ts";
import { repairTemplates, TemplateRepairs } from "./template-repair.ts";

/** Revisions that are kept though nothing uses them, so that an edit can be taken back without a new one. */
const unusedRevisionsKept = 2;

export function childrenStep(applier: Applier, desired: DesiredObjects): Step {
  const repairs = new TemplateRepairs();
  return {
    about: "workloads",
    async run(scope, pass) {
      const { rollout, revision, context } = pass;
      if (rollout === undefined || revision === undefined) return goOn;
      const objects = desired.of(scope.owner, rollout.workloads);
      const first: KubeObject[] = objects.filter((object) => !isWorkload(object));
      if (revision.newNumber !== undefined) {
        const about = pass.madeFor && madeForAnnotation(pass.madeFor);
        first.push(controllerRevision(scope.owner, revision.data, revision.newNumber, about));
      }
      // What pods lean on may be refused, or be somebody else's: nothing new is made then, and what runs is counted all
      // the same, so that fewer replicas are fewer replicas whatever else is wrong.
      const [applied, failure] = await outcomeOf(
        allEnded([applyAll(applier, first, context), noteOnRevision(applier, scope, pass)]).then(
          ([all]) => all,
        ),
      );
      const foreign = (applied ?? []).flatMap((each) => (each.outcome === "foreign" ? [each.object] : []));
      const there = new Set(pass.workloads.map(({ object }) => object.metadata.name));
      const workloads = objects
        .filter(isWorkload)
        .filter((object) => isServed(scope, object))
        .filter(
          ({ metadata }) =>
            (failure === undefined && foreign.length === 0) || there.has(metadata?.name ?? ""),
        );
      const [, unwritten] = await outcomeOf(applyAll(applier, workloads, context));
      const repaired = await repairTemplates(scope, pass, workloads, { applier, repairs });
      pass.tampering = repaired.tampering;
      await deleteAll(applier, unwanted(scope, pass, objects), scope.owner.uid, context);
      const failed = failure ?? unwritten;
      if (failed !== undefined) throw failed.error;
      const { requeueAfterSeconds } = repaired;
      return (
        foreignChildren(foreign, scope.owner) ??
        (requeueAfterSeconds === undefined ? goOn : { kind: "continue", requeueAfterSeconds })
      );
    },
  };
}

/** Says on a stored revision what its plan answers now, and where further pods of it go. */
async function noteOnRevision(applier: Applier, { revisions }: Scope, pass: Pass): Promise<readonly []> {
  const { revision, madeFor, workloads, context } = pass;
  const stored = revisions.find(({ data }) => data.hash === revision?.data.hash);
  if (stored === undefined) return [];
  const isUsed = (placement: Placement): boolean => {
    const { hash, placement: key } = placedAt(stored.data, placement);
    return workloads.some((each) => each.revision === hash && each.placement === key);
  };
  const moved = revision?.moved;
  const annotations = {
    ...(madeFor !== undefined && !sameMadeFor(madeFor, stored.madeFor) && madeForAnnotation(madeFor)),
    ...(moved !== undefined && placementsAnnotation(stored.placements, moved, isUsed)),
  };
  if (Object.keys(annotations).length === 0) return [];
  await applier.patch(
    watched.controllerRevisions.type,
    stored.object,
    { metadata: { annotations } },
    context,
  );
  return [];
}

type Outcome<T> = readonly [T, undefined] | readonly [undefined, { readonly error: unknown }];

async function outcomeOf<T>(work: Promise<T>): Promise<Outcome<T>> {
  try {
    return [await work, undefined];
  } catch (error) {
    return [undefined, { error }];
  }
}

function isWorkload(object: DesiredObject): object is Workload {
  return object.kind === "Deployment" || object.kind === "LeaderWorkerSet";
}

function isServed({ servesLeaderWorkerSets }: Scope, { kind }: DesiredObject): boolean {
  return kind !== "LeaderWorkerSet" || servesLeaderWorkerSets;
}

function unwanted(scope: Scope, pass: Pass, objects: readonly DesiredObject[]): readonly Live<KubeObject>[] {
  const { children, revisions } = scope;
  const { revision, workloads } = pass;
  const wanted = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata?.name ?? ""}`));
  const surplus = workloads
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
  const isNamed =
    serviceAccount === undefined || wanted.has(`ServiceAccount ${serviceAccount.metadata.name}`);
  // What nobody here can read may run as it.
  const isUsed = isNamed || unknownWorkloads(scope, pass).length > 0;
  return [...surplus, ...expired, ...(isUsed ? [] : [serviceAccount])];
}
