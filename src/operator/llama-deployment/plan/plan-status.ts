// `status.plan`: the plan in force, as people and tools read it.
import type { MeasuredStatus, PlanStatus } from "@llama-operator/llama/api";
import type { Weights } from "@llama-operator/llama/planning";
import { servingCommand, type RevisionData } from "../../workloads/revision.ts";

export function planStatusOf(revision: RevisionData, measured: MeasuredStatus | undefined): PlanStatus {
  const { plan } = revision;
  const { image, command } = servingCommand(revision);
  return {
    pool: plan.pool,
    gpu: plan.gpu,
    checkpoint: checkpointOf(plan.weights),
    tensor: plan.tensor,
    pipeline: plan.pipeline,
    nodesPerReplica: plan.nodesPerReplica,
    gpusPerReplica: plan.gpusPerReplica,
    weights: plan.weights.format,
    kvCache: plan.kvCache,
    maxTokens: plan.limits.maxModelLen,
    kvCacheTokens: plan.kvCacheTokens,
    maxConcurrency: plan.maxConcurrency.toFixed(2),
    memoryPerGpu: { ...plan.memoryPerGpu },
    engine: `${plan.engine.type} ${plan.engine.version}`,
    image,
    command: [...command],
    ...(measured === undefined ? {} : { measured }),
  };
}

function checkpointOf({ source }: Weights): string {
  if (source.kind === "huggingFace") return `${source.repository}@${source.revision}`;
  return `persistentVolumeClaim ${source.claimName}${source.path === undefined ? "" : `/${source.path}`}`;
}
