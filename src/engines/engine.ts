// What the operator needs to know of an inference engine: how to start it, probe it, drain it and read it.
// One file per engine implements this; workloads know no engine by name.
import type { LlamaDeploymentSpec } from "../api/llama-deployment.ts";
import type { Plan } from "../planning/plan.ts";

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

/** How a container of the engine is run. Paths under `writablePaths` must be writable; the root is read-only. */
export interface EngineContainer {
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly EnvironmentVariable[];
  /** Directories the engine writes to, each on a volume of its own or a shared scratch volume. */
  readonly writablePaths: readonly string[];
  readonly runAsUser: number;
}

/** HTTP facts for probes, Service and drain. */
export interface EngineServing {
  readonly port: number;
  readonly healthPath: string;
  /** Seconds from deletion until endpoints everywhere have forgotten the pod: the preStop sleep. */
  readonly preStopSeconds: number;
  /** Seconds that the engine itself waits for requests in flight after SIGTERM. */
  readonly shutdownTimeoutSeconds: number;
}

export interface Engine {
  readonly type: "vllm";
  readonly serving: EngineServing;
  /** The name that requests use in `model`. */
  servedModelName(spec: LlamaDeploymentSpec): string;
  /** The container of one rank. `modelPath` is where a volume with the weights is mounted, if one is. */
  container(input: {
    readonly spec: LlamaDeploymentSpec;
    readonly plan: Plan;
    readonly rank: Rank;
    readonly modelPath?: string;
  }): EngineContainer;
}
