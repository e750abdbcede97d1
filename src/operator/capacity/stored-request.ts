// The queue outlives a restart, and a change of leader, in the statuses of those that wait.
import type { LlamaDeployment } from "@llama-operator/llama/api";
import { objectKey, refOf, type KubeObject, type Live } from "@llama-operator/kube-runtime/client";
import type { GpuRequest } from "./queue.ts";

/** What status says of a wait for GPUs. */
interface WaitingStatus {
  readonly waitingForGpus?: {
    /** RFC 3339. */
    readonly since: string;
    readonly replicas: number;
  };
  readonly plan?: {
    readonly pool: string;
    readonly nodesPerReplica: number;
    readonly gpusPerReplica: number;
  };
}

/** The request that an object's status tells of, if it waits for GPUs. */
export function storedRequest(object: Live<LlamaDeployment & KubeObject>): GpuRequest | undefined {
  const status: WaitingStatus | undefined = object.status;
  const { waitingForGpus, plan } = status ?? {};
  if (waitingForGpus === undefined || plan === undefined) return undefined;
  const { pool, nodesPerReplica, gpusPerReplica } = plan;
  return {
    holder: objectKey(refOf(object)),
    priorityClassName: object.spec.podTemplate.priorityClassName,
    sinceMs: Date.parse(waitingForGpus.since),
    pool,
    footprint: { nodesPerReplica, gpusPerNode: Math.ceil(gpusPerReplica / nodesPerReplica) },
    replicas: waitingForGpus.replicas,
  };
}
