// What Google Kubernetes Engine brings to the configuration.
import type { Written } from "../../../config/pool.ts";
import type { CloudRules } from "../../cloud-rules.ts";
import { gkeProblems } from "./checks.ts";
import { gkeCluster } from "./cluster.ts";
import type { GkeCluster } from "./cluster.ts";
import { findGkeShape } from "./machines.ts";
import { gkePool } from "./pool.ts";
import type { GkePool } from "./pool.ts";
import { gkeStorage } from "./storage.ts";

export const gkeRules: CloudRules<GkeCluster, GkePool> = {
  cluster: gkeCluster,
  pool: gkePool,
  problems: gkeProblems,
  storage: gkeStorage,
  gpuPool: gkeGpuPool,
};

/** GKE's own taint of queued nodes. Source: docs.cloud.google.com/kubernetes-engine/docs/how-to/provisioningrequest. */
const queuedTaint = "cloud.google.com/gke-queued";

function gkeGpuPool({ name, machineShape, fabric, capacity }: GkePool): Written | undefined {
  const shape = findGkeShape(machineShape);
  if (shape === undefined) return undefined;
  const taints = [
    ...shape.nodeTaints.map(({ key }) => key),
    ...(capacity.kind === "queued" ? [queuedTaint] : []),
  ];
  return {
    gpu: { product: shape.gpu, perNode: shape.gpusPerNode },
    machineShape,
    nodeSelector: { "cloud.google.com/gke-nodepool": name },
    tolerations: taints.map((key) => ({ key, operator: "Exists", effect: "NoSchedule" })),
    // DRANET's interfaces are claimed by ResourceClaims, which the operator does not write: its pods use plain TCP there.
    ...(fabric?.kind === "multiNetwork" ? { fabric: { type: shape.fabric.type } } : {}),
  };
}
