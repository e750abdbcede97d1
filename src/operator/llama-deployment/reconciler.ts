// One pass over one LlamaDeployment: read everything into a scope, run the steps in order, write status once.
// A pass may be the first one after a crash: it decides from what exists, and repeats nothing that is done.
import { reasons, type MeasuredStatus, type MeasuredOverhead } from "@llama-operator/llama/api";
import { objectKey, type KubeObject, type Live, type ObjectRef } from "@llama-operator/kube-runtime/client";
import { summarize } from "@llama-operator/llama/planning";
import type { Applier, ApplyContext } from "@llama-operator/kube-runtime/apply";
import type { Clock } from "@llama-operator/kube-runtime";
import type { ReconcileContext, Reconciler, ReconcileResult } from "@llama-operator/kube-runtime/controller";
import { controllerRevision } from "../workloads/controller-revision.ts";
import { desiredObjects, type DesiredObject, type Share } from "../workloads/desired.ts";
import { revisionLabel, servingSelector } from "../workloads/labels.ts";
import { endpointUrl } from "../workloads/names.ts";
import type { RevisionData } from "../workloads/revision.ts";
import { llamaDeployments } from "../observed/kinds.ts";
import { isTerminating } from "../observed/pod.ts";
import type { NodeClaims } from "../capacity/claims.ts";
import { measuredOf } from "./engine-report/measured.ts";
import type { EngineReports } from "./engine-report/reports.ts";
import { planStatusOf } from "./plan-status.ts";
import {
  liveWorkloads,
  revisionInForce,
  type LiveWorkload,
  type RevisionReader,
  type StoredRevision,
} from "./revisions.ts";
import { readScope, type Scope, type ScopeSources } from "./scope.ts";
import { statusOf, type Findings, type Halt } from "./status.ts";
import { applyAll, deleteAll } from "./steps/apply.ts";
import { isHalt, planStep } from "./steps/plan.ts";
import { foreignChild, prerequisitesStep } from "./steps/prerequisites.ts";
import { expiredRevisions, revisionStep, type ChosenRevision } from "./steps/revision.ts";
import { rolloutStep, type Rollout } from "./steps/rollout.ts";
import { transitions, type Transition } from "./transition-events.ts";
import type { Waiters } from "./waiters.ts";

/** Revisions that are kept though nothing uses them, so that an edit can be taken back without a new one. */
const unusedRevisionsKept = 2;

/** A kind that is installed makes no event for us to wake up by; looking costs no request. */
const lookAgainSeconds = 10;

export interface ReconcilerOptions {
  readonly sources: ScopeSources;
  readonly applier: Applier;
  readonly revisions: RevisionReader;
  readonly claims: NodeClaims;
  readonly waiters: Waiters;
  readonly reports: EngineReports;
  readonly measuredOverheads: readonly MeasuredOverhead[];
  readonly record: (about: Live<KubeObject>, transition: Transition) => void;
  readonly clock: Clock;
}

export class LlamaDeploymentReconciler implements Reconciler {
  readonly #options: ReconcilerOptions;
  /** Desired objects by key, handed out again while nothing has changed, so that they are hashed once. */
  readonly #desired = new Map<
    string,
    { readonly signature: string; readonly objects: readonly DesiredObject[] }
  >();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  async reconcile(request: ObjectRef, { signal }: ReconcileContext): Promise<ReconcileResult> {
    const { applier, claims, clock, record, sources, waiters } = this.#options;
    const now = new Date(clock.now());
    // A pass begins with everything in the cache that the ones before it made.
    claims.release(objectKey(request));
    const scope = readScope(sources, request, now);
    if (scope === undefined) {
      this.#desired.delete(objectKey(request));
      waiters.set(request, false);
      return {};
    }
    const context: ApplyContext = { request, signal };
    const findings = await this.#passOrRelease(scope, context);
    waiters.set(request, findings.halt !== undefined || findings.placement !== undefined);
    const status = statusOf(findings, scope.object.status, now);
    const written = await applier.applyStatus(llamaDeployments, scope.object, status, context);
    if (written) for (const each of transitions(scope.object.status, status)) record(scope.object, each);
    const isMissing = findings.halt?.reason === reasons.LeaderWorkerSetMissing;
    return { requeueAfterSeconds: isMissing ? lookAgainSeconds : findings.rollout?.lookAgainSeconds };
  }

  /** A pass that fails or halts makes no group: its claims must not keep others, or its own next try, waiting. */
  async #passOrRelease(scope: Scope, context: ApplyContext): Promise<Findings> {
    let made = false;
    try {
      const findings = await this.#pass(scope, context);
      made = findings.halt === undefined;
      return findings;
    } finally {
      if (!made) this.#options.claims.release(objectKey(context.request));
    }
  }

  async #pass(scope: Scope, context: ApplyContext): Promise<Findings> {
    const stored = this.#options.revisions.stored(scope.children.revisions);
    const workloads = liveWorkloads(scope, stored);
    const observed = observe(scope, workloads);

    const { measuredOverheads } = this.#options;
    const plan = planStep(scope, { current: revisionInForce(scope.object, stored)?.plan, measuredOverheads });
    if (isHalt(plan)) return { ...observed, halt: plan };
    const planned = { ...observed, planSummary: summarize(plan) };
    const obstacle = prerequisitesStep(scope, plan);
    if (obstacle !== undefined) return { ...planned, halt: obstacle };

    const chosen = revisionStep(scope.owner, scope.object.spec, plan, stored);
    const rollout = this.#rollOut(scope, chosen.data, stored, workloads);
    const halt = await this.#apply({ scope, chosen, rollout, stored, context });
    return {
      ...planned,
      ...(halt === undefined ? {} : { halt }),
      plan: planStatusOf(chosen.data, this.#measured(scope, chosen.data)),
      currentRevision: chosen.data.hash,
      rollout: rollout.decision,
      startupSeconds: chosen.data.plan.startupSeconds,
      ...(rollout.placement === undefined ? {} : { placement: rollout.placement }),
    };
  }

  /** What an engine of the revision said of itself: what is written stays, so that replicas do not take turns. */
  #measured({ object, owner }: Scope, revision: RevisionData): MeasuredStatus | undefined {
    const { currentRevision, plan } = object.status ?? {};
    if (currentRevision === revision.hash && plan?.measured !== undefined) return plan.measured;
    const { uid } = owner;
    const report = this.#options.reports.get({ ref: owner, uid, revision: revision.hash });
    return report && measuredOf(revision.plan, report);
  }

  /** Decides the counts, and claims the nodes of new groups before anything is waited for. */
  #rollOut(
    scope: Scope,
    current: RevisionData,
    stored: readonly StoredRevision[],
    workloads: readonly LiveWorkload[],
  ): Rollout {
    const { claims } = this.#options;
    const { pool, nodesPerReplica } = current.plan;
    const rollout = rolloutStep(scope, { current, stored, workloads, promisedNodes: claims.promised(pool) });
    const live = new Set(workloads.map(({ object }) => object.metadata.name));
    for (const { kind, metadata } of this.#objectsOf(scope, rollout.shares)) {
      if (kind !== "LeaderWorkerSet" || live.has(metadata?.name ?? "")) continue;
      const { namespace, name: holder } = scope.owner;
      claims.claim(`${namespace}/${metadata?.name ?? ""}`, {
        holder: `${namespace}/${holder}`,
        pool,
        nodes: nodesPerReplica,
      });
    }
    return rollout;
  }

  /** Everything that should exist beside the revision; the same objects while nothing has changed. */
  #objectsOf(scope: Scope, shares: readonly Share[]): readonly DesiredObject[] {
    const { owner, object } = scope;
    const { podTemplate } = object.spec;
    const parts = shares.map((share) => [
      share.revision.hash,
      "slots" in share ? share.slots : share.replicas,
    ]);
    const signature = JSON.stringify([owner.uid, podTemplate.serviceAccountName, parts]);
    const key = `${owner.namespace}/${owner.name}`;
    const known = this.#desired.get(key);
    if (known?.signature === signature) return known.objects;
    const objects = desiredObjects({ owner, spec: { podTemplate }, shares });
    this.#desired.set(key, { signature, objects });
    return objects;
  }

  async #apply(work: {
    readonly scope: Scope;
    readonly chosen: ChosenRevision;
    readonly rollout: Rollout;
    readonly stored: readonly StoredRevision[];
    readonly context: ApplyContext;
  }): Promise<Halt | undefined> {
    const { scope, chosen, rollout, stored, context } = work;
    const { applier } = this.#options;
    const { children, owner } = scope;
    const objects = this.#objectsOf(scope, rollout.shares);
    const isWorkload = ({ kind }: DesiredObject): boolean =>
      kind === "Deployment" || kind === "LeaderWorkerSet";
    const first: KubeObject[] = objects.filter((object) => !isWorkload(object));
    if (chosen.newNumber !== undefined) {
      first.push(controllerRevision(owner, chosen.data, chosen.newNumber));
    }
    const applied = await applyAll(applier, first, context);
    const foreign = applied.find(({ outcome }) => outcome === "foreign");
    if (foreign !== undefined) return foreignChild(foreign.object, owner);

    const workloads = objects.filter(isWorkload);
    await applyAll(applier, workloads, context);
    const wanted = new Set(workloads.map(({ metadata }) => metadata?.name));
    const unreadable = unreadableRevisions(children.revisions, stored);
    const surplus = [...children.deployments, ...children.leaderWorkerSets].filter(
      ({ metadata }) => !wanted.has(metadata.name) && !unreadable.has(metadata.labels?.[revisionLabel]),
    );
    const used = new Set([chosen.data.hash, ...rollout.shares.map(({ revision }) => revision.hash)]);
    const expired = expiredRevisions(stored, used, unusedRevisionsKept).map(({ object }) => object);
    const account =
      scope.object.spec.podTemplate.serviceAccountName === undefined ? [] : [children.serviceAccount];
    const unwanted = [...surplus, ...expired, ...account.filter((each) => each !== undefined)];
    await deleteAll(applier, unwanted, owner.uid, context);
    return undefined;
  }
}

/** What the scope says before anything is decided. */
function observe(scope: Scope, workloads: readonly LiveWorkload[]): Findings {
  const { object, owner, pods } = scope;
  return {
    generation: object.metadata.generation ?? 0,
    wanted: object.spec.replicas,
    replicas: workloads.flatMap(({ replicas }) => replicas),
    leaving: pods.filter(isTerminating).length,
    selector: servingSelector(owner.name),
    endpoint: endpointUrl(owner),
  };
}

/** Revisions that this operator cannot read; nobody touches their workloads. */
function unreadableRevisions(
  objects: readonly Live<KubeObject>[],
  stored: readonly StoredRevision[],
): ReadonlySet<string | undefined> {
  const readable = new Set(stored.map(({ object }) => object));
  return new Set(
    objects.filter((object) => !readable.has(object)).map(({ metadata }) => metadata.labels?.[revisionLabel]),
  );
}
