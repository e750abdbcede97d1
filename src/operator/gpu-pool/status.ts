// Status of a GpuPool: nodes and GPUs, for people. Planning never reads it.
import type { GpuPoolStatus } from "@llama-operator/llama/api";
import type { NodeRoom } from "../capacity/capacity.ts";

export const gpuPoolReasons = {
  /** Some node of the pool is Ready. */
  NodesReady: "NodesReady",
  /** No node matches the selector; an autoscaler may add some. */
  NoNodes: "NoNodes",
} as const;

export function poolStatusOf(
  generation: number,
  rooms: readonly NodeRoom[],
  previous: GpuPoolStatus | undefined,
  now: Date,
): GpuPoolStatus {
  const verdict =
    rooms.length > 0
      ? { status: "True" as const, reason: gpuPoolReasons.NodesReady, message: "nodes of the pool are Ready" }
      : {
          status: "True" as const,
          reason: gpuPoolReasons.NoNodes,
          message: "no Ready node matches nodeSelector",
        };
  const before = previous?.conditions?.find(({ type }) => type === "Ready");
  const total = rooms.reduce((sum, room) => sum + room.total, 0);
  return {
    observedGeneration: generation,
    conditions: [
      {
        type: "Ready",
        ...verdict,
        observedGeneration: generation,
        lastTransitionTime:
          before?.reason === verdict.reason
            ? before.lastTransitionTime
            : now.toISOString().replace(/\.\d+Z$/, "Z"),
      },
    ],
    nodes: rooms.length,
    gpus: {
      total,
      used: total - rooms.reduce((sum, room) => sum + room.free, 0),
      freeWholeNodes: rooms.filter((room) => room.free === room.total).length,
    },
  };
}
