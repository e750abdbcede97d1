// What the operator needs to know of an inference engine: how to start it, probe it, drain it and read it.
// One file per engine implements this; workloads know no engine by name.
import type { LlamaDeploymentSpec } from "../api/llama-deployment.ts";
import type { Plan } from "../planning/plan.ts";
import type { EngineLoad } from "./metrics/engine-load.ts";
import type { KvCacheReport } from "./metrics/kv-cache-report.ts";
import type { MetricsPage } from "./metrics/prometheus-text.ts";

/** One environment variable of the engine's container, as Kubernetes writes it. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
    readonly fieldRef?: { readonly fieldPath: string };
  };
}

/** A place in the pod's group; a replica on one node is a group of one. */
export type Rank =
  | { readonly role: "single" }
  /** Rank 0 of a group: serves HTTP. */
  | { readonly role: "leader" }
  /** Every other rank: serves nothing. */
  | { readonly role: "worker" };

/** What a container of the engine is made from. */
export interface EngineInput {
  readonly spec: LlamaDeploymentSpec;
  readonly plan: Plan;
  readonly rank: Rank;
  /** Folder of the checkpoint in the container, where a volume with the weights is mounted. */
  readonly modelPath?: string;
}

/** How a container of the engine is run. The root file system is read-only. */
export interface EngineContainer {
  readonly image: string;
  readonly command: readonly string[];
  /** Variables in `$(…)` are resolved by the kubelet; what the user wrote reaches the engine as written. */
  readonly args: readonly string[];
  readonly env: readonly EnvironmentVariable[];
  /** Directories that must be writable, each a volume. */
  readonly writablePaths: readonly string[];
  readonly runAsUser: number;
}

/** HTTP facts for probes, Service and drain. */
export interface EngineServing {
  readonly port: number;
  /** 200 where the engine can answer, 503 where it died; refused connections while it loads. */
  readonly healthPath: string;
  /** Metrics in Prometheus' text format; answers without a key where requests need one. */
  readonly metricsPath: string;
  /** Seconds from deletion until endpoints everywhere have forgotten the pod: the preStop sleep. */
  readonly preStopSeconds: number;
  /** Seconds that the engine itself waits for requests in flight after SIGTERM. */
  readonly shutdownTimeoutSeconds: number;
}

export interface Engine {
  readonly type: LlamaDeploymentSpec["engine"]["type"];
  readonly serving: EngineServing;
  /** The name that requests use in `model`. */
  servedModelName(spec: LlamaDeploymentSpec): string;
  /** The container of one rank. */
  container(input: EngineInput): EngineContainer;
  /** What in `spec.engine` the plan owns although the schema lets it pass: one sentence each, none where all is well. */
  refusals(spec: LlamaDeploymentSpec): readonly string[];
  /** The metrics that `load` and `kvCacheReport` read; the rest of a page may be left out. */
  readonly metricNames: ReadonlySet<string>;
  /** How busy it is, by a page of its metrics. @throws MetricsPageError where the page does not say */
  load(page: MetricsPage): EngineLoad;
  /** What a page of its metrics says of its KV cache. @throws MetricsPageError where it says nothing */
  kvCacheReport(page: MetricsPage): KvCacheReport;
}
