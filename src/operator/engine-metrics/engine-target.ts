// A pod whose engine can be asked for its metrics, and what comes of asking.
import type { Engine, MetricsPage } from "@llama-operator/llama/engines";
import { isServing, revisionLabel } from "../workloads/labels.ts";
import { isTerminating } from "@llama-operator/kube-runtime/client";
import type { Pod } from "../observed/pod.ts";

export interface EngineTarget {
  /** UID of the pod: addresses are given out again. */
  readonly pod: string;
  readonly address: string;
  /** Says on which port and path it answers, and which of its metrics are read. */
  readonly engine: Engine;
}

/** What one page said. */
export interface Scrape {
  readonly page: MetricsPage;
  /** When it had been read; monotonic. */
  readonly atMs: number;
}

/** The engine answered, and not with its metrics. */
export class MetricsRefused extends Error {
  override readonly name = "MetricsRefused";
  /** Asking again would not help: they are guarded, or somewhere else. */
  readonly isFinal: boolean;

  constructor(status: number) {
    super(`its metrics answer ${status}`);
    this.isFinal = status >= 300 && status < 500;
  }
}

/** Whether the engine of a pod of this revision can be asked. */
export function isReportingPod(pod: Pod, revision: string): pod is Pod & { readonly address: string } {
  const { labels } = pod.metadata;
  const isReady = pod.ready && !isTerminating(pod) && pod.address !== undefined;
  return isReady && labels?.[revisionLabel] === revision && isServing(labels);
}
