// Status of a GpuPool: nodes and GPUs, for people. Planning never reads it.
import type { GpuPoolStatus } from "@llama-operator/llama/api";
import { mergeConditions } from "@llama-operator/kube-runtime/status";
import type { NodeCapacity } from "../capacity/node-capacity.ts";

export const gpuPoolReasons = {
  /** Some node of the pool is Ready. */
  NodesReady: "NodesReady",
  /** No node matches the selector; an autoscaler may add some. */
  NoNodes: "NoNodes",
} as const;

export function poolStatusOf(
  generation: number,
  nodes: readonly NodeCapacity[],
  previous: GpuPoolStatus | undefined,
  now: Date,
): GpuPoolStatus {
  const verdict =
    nodes.length > 0
      ? { reason: gpuPoolReasons.NodesReady, message: "nodes of the pool are Ready" }
      : { reason: gpuPoolReasons.NoNodes, message: "no Ready node matches nodeSelector" };
  const total = nodes.reduce((sum, node) => sum + node.total, 0);
  const ready = { type: "Ready", status: "True", ...verdict } as const;
  return {
    observedGeneration: generation,
    conditions: mergeConditions(previous?.conditions, [ready], { generation, now }),
    nodes: nodes.length,
    gpus: {
      total,
      used: total - nodes.reduce((sum, node) => sum + node.free, 0),
      freeWholeNodes: nodes.filter((node) => node.free === node.total).length,
    },
  };
}
