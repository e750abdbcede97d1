// What the controllers are made of: handed to the operator from outside, and shared between its controllers.
import type { MeasuredOverhead } from "@llama-operator/llama/api";
import type { KubeClient } from "@llama-operator/kube-runtime/client";
import type { Applier } from "@llama-operator/kube-runtime/apply";
import type { Cache, WriteTracker } from "@llama-operator/kube-runtime/cache";
import type { Clock, Logger, MetricsRegistry, RuntimeMetrics } from "@llama-operator/kube-runtime";
import type { EventRecorder } from "@llama-operator/kube-runtime/process";
import type { FetchText } from "@llama-operator/kube-runtime/http";
import type { EngineMetrics } from "./engine-metrics/engine-metrics.ts";
import type { Caches } from "./observed/caches.ts";
import type { Informers } from "./observed/informers.ts";
import type { GpuCapacity } from "./capacity/gpu-capacity.ts";
import type { RevisionReader } from "./llama-deployment/revision/stored.ts";

export interface OperatorOptions {
  /** Fenced: it refuses to write once leadership is in doubt. */
  readonly client: KubeClient;
  readonly cache: Cache;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: RuntimeMetrics;
  /** For what the operator measures of Llamas; the registry behind `metrics`. */
  readonly registry: MetricsRegistry;
  /** How pods are asked for their engine's metrics. */
  readonly fetchText: FetchText;
  /** Whether engines are asked how large their KV cache came out. */
  readonly engineReports: boolean;
  /** Overheads of running engines that planning goes by. */
  readonly measuredOverheads: readonly MeasuredOverhead[];
  readonly newId: () => string;
  /** LlamaDeployments reconciled side by side. */
  readonly workers: number;
}

export interface ControllerParts extends OperatorOptions {
  readonly informers: Informers;
  readonly caches: Caches;
  readonly capacity: GpuCapacity;
  readonly revisions: RevisionReader;
  readonly applier: Applier;
  readonly tracker: WriteTracker;
  readonly engineMetrics: EngineMetrics;
}
