// The caches that the controllers read: one store a kind, filled by the runtime's informers.
import type { GpuPool, LlamaDeployment } from "../api/resources.ts";
import type { KubeObject } from "../kube/object.ts";
import type { Store } from "../runtime/cache/store.ts";
import type { Node } from "./observed/node.ts";
import type { Pod } from "./observed/pod.ts";

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
