// Asks one running engine of a revision what its KV cache came out as, once. It stands beside the reconciler and not in
// it, so that a pod which hangs holds up nothing: what is found wakes the reconciler, which writes it into status.
//
// Guarantees
// - Nothing is asked where status has the current revision's report already: at rest, and after a restart.
// - One pod is asked, by its own address: the one whose engine has run longest. Its answer stands for the revision.
// - A failure is tried again a few times, then left; a refusal is final. Either is information that is missing, no more.
import type { LlamaDeployment } from "@llama-operator/llama/api";
import { type Engine, maxMetricsPageBytes, engineFor } from "@llama-operator/llama/engines";
import type { KubeObject, Live, ObjectRef } from "@llama-operator/kube-runtime/client";
import type { ReconcileContext, Reconciler, ReconcileResult } from "@llama-operator/kube-runtime/controller";
import type { Clock } from "@llama-operator/kube-runtime";
import type { FetchText as GetPage } from "@llama-operator/kube-runtime/http";
import { isServing, revisionLabel } from "../../workloads/labels.ts";
import { controllerRevisionName } from "../../workloads/names.ts";
import { byDeployment, type Caches } from "../../observed/caches.ts";
import { isTerminating, type Pod } from "../../observed/pod.ts";
import type { RevisionReader } from "../revision/stored.ts";
import type { EngineReports, Inquiry, ReportSubject } from "./reports.ts";

const timeoutMs = 3000;

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
  readonly getPage: GetPage;
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
    const inquiry = reports.of(subject);
    if (inquiry.report !== undefined || inquiry.tries > retrySeconds.length) return {};
    // What else wakes us meanwhile must not use the tries up.
    const waitMs = inquiry.notBeforeMs - clock.monotonic();
    if (waitMs > 0) return { requeueAfterSeconds: waitMs / 1000 };
    const answerer = this.#answerer(subject);
    // A pod that becomes ready wakes us.
    if (answerer === undefined) return {};
    return this.#ask(answerer, subject, inquiry, context);
  }

  async #ask(
    { pod, address, engine }: Answerer,
    { ref, revision }: ReportSubject,
    inquiry: Inquiry,
    { signal, log }: ReconcileContext,
  ): Promise<ReconcileResult> {
    const { clock, getPage, wake } = this.#options;
    const { port, metricsPath: path } = engine.serving;
    inquiry.tries += 1;
    const about = { pod, revision, tries: inquiry.tries };
    try {
      const page = await getPage({ address, port, path, timeoutMs, maxBytes: maxMetricsPageBytes, signal });
      if (page.status !== 200) throw new MetricsRefused(page.status);
      inquiry.report = engine.kvCacheReport(page.text);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof MetricsRefused && error.isFinal) inquiry.tries = retrySeconds.length + 1;
      const seconds = retrySeconds[inquiry.tries - 1];
      if (seconds === undefined) {
        log.info("the engine's own figures stay unknown", { ...about, error });
        return {};
      }
      log.debug("the engine's own figures could not be read yet", { ...about, error });
      inquiry.notBeforeMs = clock.monotonic() + seconds * 1000;
      return { requeueAfterSeconds: seconds };
    }
    log.debug("read the engine's own figures", { ...about, tokens: inquiry.report.tokens });
    wake(ref);
    return {};
  }

  /** The pod to ask, as the revision's plan says; none while none is ready. */
  #answerer({ ref, revision }: ReportSubject): Answerer | undefined {
    const { caches, revisions } = this.#options;
    const name = controllerRevisionName(ref, revision);
    const stored = caches.controllerRevisions.get({ namespace: ref.namespace, name });
    const plan = stored && revisions.stored([stored])[0]?.data.plan;
    if (plan === undefined) return undefined;
    const pods = caches.pods.byIndex(byDeployment, `${ref.namespace ?? ""}/${ref.name}`);
    const pod = longestRunning(pods.filter((each) => answersFor(each, revision)));
    if (pod?.address === undefined) return undefined;
    return { pod: pod.metadata.name, address: pod.address, engine: engineFor(plan.engine.type) };
  }
}

/** The pod that is asked. */
interface Answerer {
  readonly pod: string;
  readonly address: string;
  readonly engine: Engine;
}

/** The engine answered, and not with its metrics. */
class MetricsRefused extends Error {
  override readonly name = "MetricsRefused";
  /** Asking again would not help: they are guarded, or somewhere else. */
  readonly isFinal: boolean;

  constructor(status: number) {
    super(`its metrics answer ${status}`);
    this.isFinal = status >= 300 && status < 500;
  }
}

/** The revision in force, where a plan has been written for it that says nothing of its engine yet. */
export function revisionWithoutReport({ status }: Live<LlamaDeployment & KubeObject>): string | undefined {
  return status?.plan !== undefined && status.plan.measured === undefined
    ? status.currentRevision
    : undefined;
}

/** Whether a pod of a revision can be asked. */
export function answersFor(pod: Pod, revision: string): boolean {
  const { labels } = pod.metadata;
  const isReady = pod.ready && !isTerminating(pod) && pod.address !== undefined;
  return isReady && labels?.[revisionLabel] === revision && isServing(labels);
}

function longestRunning(pods: readonly Pod[]): Pod | undefined {
  const since = (pod: Pod): string => `${pod.engine.startedAt ?? "~"} ${pod.metadata.name}`;
  return pods.toSorted((one, other) => (since(one) < since(other) ? -1 : 1))[0];
}
