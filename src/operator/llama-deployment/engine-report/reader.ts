// Asks one running engine of a revision what its KV cache came out as, once. It stands beside the reconciler and not in
// it, so that a pod which hangs holds up nothing: what is found wakes the reconciler, which writes it into status.
//
// Guarantees
// - Nothing is asked where status has the current revision's report already: at rest, and after a restart.
// - One pod is asked, by its own address: the one whose engine has run longest. Its answer stands for the revision.
// - A failure is tried again a few times, then left; a refusal is final. Either is information that is missing, no more.
import type { LlamaDeployment } from "@llama-operator/llama/api";
import { engineFor } from "@llama-operator/llama/engines";
import type { KubeObject, Live, ObjectRef } from "@llama-operator/kube-runtime/client";
import type { ReconcileContext, Reconciler, ReconcileResult } from "@llama-operator/kube-runtime/controller";
import type { Clock } from "@llama-operator/kube-runtime";
import type { EngineMetrics } from "../../engine-metrics/engine-metrics.ts";
import { isReportingPod, MetricsRefused, type EngineTarget } from "../../engine-metrics/engine-target.ts";
import { controllerRevisionName } from "../../workloads/names.ts";
import { byDeployment, type Caches } from "../../observed/caches.ts";
import type { Pod } from "../../observed/pod.ts";
import type { RevisionReader } from "../revision/stored.ts";
import type { EngineReports, ReportAttempt, ReportSubject } from "./reports.ts";

/** Seconds before each further try: an engine that is Ready answers at once or is out of our reach. */
const retrySeconds = [2, 10, 60] as const;

export interface EngineReportReaderOptions {
  readonly caches: {
    readonly llamaDeployments: Pick<Caches["llamaDeployments"], "get">;
    readonly pods: Pick<Caches["pods"], "byIndex">;
    readonly controllerRevisions: Pick<Caches["controllerRevisions"], "get">;
  };
  readonly revisions: RevisionReader;
  readonly reports: EngineReports;
  readonly engineMetrics: Pick<EngineMetrics, "read">;
  readonly clock: Pick<Clock, "monotonic">;
  /** There is a report for this object's status. */
  readonly wake: (ref: ObjectRef) => void;
}

export class EngineReportReader implements Reconciler {
  readonly #options: EngineReportReaderOptions;

  constructor(options: EngineReportReaderOptions) {
    this.#options = options;
  }

  async reconcile(ref: ObjectRef, context: ReconcileContext): Promise<ReconcileResult> {
    const { caches, clock, reports } = this.#options;
    const object = caches.llamaDeployments.get(ref);
    if (object === undefined) {
      reports.forget(ref);
      return {};
    }
    const revision = revisionWithoutReport(object);
    if (revision === undefined) return {};
    const subject = { ref, uid: object.metadata.uid, revision };
    const attempt = reports.attempt(subject);
    // What was asked about an earlier revision counts no longer, also where it is asked about again.
    if (attempt.tries === 0) reports.set(subject, attempt);
    if (attempt.report !== undefined || attempt.notBeforeMs === Number.POSITIVE_INFINITY) return {};
    // What else wakes us meanwhile must not use the tries up.
    const waitMs = attempt.notBeforeMs - clock.monotonic();
    if (waitMs > 0) return { requeueAfterSeconds: waitMs / 1000 };
    const pod = this.#reportingPod(subject);
    // A pod that becomes ready wakes us.
    if (pod === undefined) return {};
    return this.#ask(pod, subject, attempt, context);
  }

  async #ask(
    { name, target }: ReportingPod,
    subject: ReportSubject,
    attempt: ReportAttempt,
    { signal, log }: ReconcileContext,
  ): Promise<ReconcileResult> {
    const { clock, engineMetrics, reports, wake } = this.#options;
    const tries = attempt.tries + 1;
    const about = { pod: name, revision: subject.revision, tries };
    try {
      const { page, atMs } = await engineMetrics.read(target, signal);
      const report = target.engine.kvCacheReport(page);
      reports.set(subject, { tries, notBeforeMs: atMs, report });
      log.debug("read the engine's own figures", { ...about, tokens: report.tokens });
    } catch (error) {
      signal.throwIfAborted();
      const isFinal = error instanceof MetricsRefused && error.isFinal;
      const seconds = isFinal ? undefined : retrySeconds[tries - 1];
      const waitMs = seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1000;
      reports.set(subject, { tries, notBeforeMs: clock.monotonic() + waitMs });
      if (seconds === undefined) {
        log.info("the engine's own figures stay unknown", { ...about, error });
        return {};
      }
      log.debug("the engine's own figures could not be read yet", { ...about, error });
      return { requeueAfterSeconds: seconds };
    }
    wake(subject.ref);
    return {};
  }

  /** The pod to ask, as the revision's plan says; none while none is ready. */
  #reportingPod({ ref, revision }: ReportSubject): ReportingPod | undefined {
    const { caches, revisions } = this.#options;
    const name = controllerRevisionName(ref, revision);
    const stored = caches.controllerRevisions.get({ namespace: ref.namespace, name });
    const plan = stored && revisions.stored([stored])[0]?.data.plan;
    if (plan === undefined) return undefined;
    const pods = caches.pods.byIndex(byDeployment, `${ref.namespace ?? ""}/${ref.name}`);
    const pod = longestRunning(pods.filter((each) => isReportingPod(each, revision)));
    if (pod?.address === undefined) return undefined;
    const target = { pod: pod.metadata.uid, address: pod.address, engine: engineFor(plan.engine.type) };
    return { name: pod.metadata.name, target };
  }
}

/** The pod that is asked. */
interface ReportingPod {
  readonly name: string;
  readonly target: EngineTarget;
}

/** The revision in force, where a plan has been written for it that says nothing of its engine yet. */
export function revisionWithoutReport({ status }: Live<LlamaDeployment & KubeObject>): string | undefined {
  return status?.plan !== undefined && status.plan.measured === undefined
    ? status.currentRevision
    : undefined;
}

function longestRunning(pods: readonly Pod[]): Pod | undefined {
  const since = (pod: Pod): string => `${pod.engine.startedAt ?? "~"} ${pod.metadata.name}`;
  return pods.toSorted((one, other) => (since(one) < since(other) ? -1 : 1))[0];
}
