// The caches that the controllers read: one store a kind, filled by the runtime's informers.
import type { GpuPool, LlamaDeployment } from "@llama-operator/llama/api";
import type { KubeObject } from "@llama-operator/kube-runtime/client";
import type { Store } from "@llama-operator/kube-runtime/cache";
import type { Node } from "./node.ts";
import type { Pod } from "./pod.ts";

/** Index of pods and children: `namespace/name` of the LlamaDeployment that their label names. */
export const byDeployment = "deployment";

export interface Caches {
  readonly llamaDeployments: Store<LlamaDeployment & KubeObject>;
  readonly gpuPools: Store<GpuPool & KubeObject>;
  readonly nodes: Store<Node>;
  readonly namespaces: Store<KubeObject>;
  readonly pods: Store<Pod>;
  readonly services: Store<KubeObject>;
  readonly serviceAccounts: Store<KubeObject>;
  readonly podDisruptionBudgets: Store<KubeObject>;
  readonly controllerRevisions: Store<KubeObject>;
  readonly deployments: Store<KubeObject>;
  readonly leaderWorkerSets: Store<KubeObject>;
  /** Whether the API server has LeaderWorkerSets now: their CRD may come late, or go. */
  servesLeaderWorkerSets(): boolean;
}
