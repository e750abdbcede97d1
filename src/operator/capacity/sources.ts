// What the counting of GPUs reads: as little of the caches as it needs, so that plain stores serve in tests.
import type { LlamaDeployment } from "@llama-operator/llama/api";
import type { Store, StoreChange } from "@llama-operator/kube-runtime/cache";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import type { GpuPool } from "@llama-operator/llama/api";
import type { Node } from "../observed/node.ts";
import type { Pod } from "../observed/pod.ts";
import type { PriorityClass } from "../observed/priority-class.ts";

/** A kind in the cache, and the news of it: an informer. */
export interface Observed<T extends KubeObject> {
  readonly store: Pick<Store<T>, "get" | "list" | "byIndex">;
  /** Tells of all that is there, then of every change, after the store has it. */
  onChange(handler: (change: StoreChange<T>) => void): void;
}

export interface DeploymentObject extends KubeObject {
  readonly spec?: { readonly replicas?: number | undefined } | undefined;
}

export interface GroupObject extends KubeObject {
  readonly spec?:
    | {
        readonly leaderWorkerTemplate?: {
          readonly size?: number;
          readonly workerTemplate?: { readonly spec?: { readonly priorityClassName?: string | undefined } };
        };
      }
    | undefined;
  readonly status?: { readonly conditions?: readonly { readonly type: string }[] | undefined } | undefined;
}

/** The part of a stored revision that says where its pods go and what they take. */
export interface StoredPlan {
  readonly data: { readonly plan: PlannedPods };
  /** The same for each placement of its pods. */
  readonly placed?: readonly { readonly placement?: string | undefined; readonly plan: PlannedPods }[];
}

interface PlannedPods {
  readonly pool: string;
  readonly nodesPerReplica: number;
  readonly pod: { readonly gpus: number };
}

export interface CapacitySources {
  readonly nodes: Observed<Node>;
  readonly pods: Observed<Pod>;
  readonly gpuPools: Observed<GpuPool & KubeObject>;
  readonly llamaDeployments: Observed<LlamaDeployment & KubeObject>;
  readonly deployments: Observed<DeploymentObject>;
  readonly leaderWorkerSets: Observed<GroupObject>;
  readonly controllerRevisions: Observed<KubeObject>;
  readonly priorityClasses: Observed<PriorityClass>;
  /** Reads revisions; those that cannot be read are left out. */
  readonly revisions: { stored(objects: readonly Live<KubeObject>[]): readonly StoredPlan[] };
}
