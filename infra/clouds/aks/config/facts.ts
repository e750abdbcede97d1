// What the operator is told of a pool: labels and taints that AKS or this stack puts on its nodes, and nothing else.
import { findMachineShape } from "@llama-operator/llama/catalog";
import type { Written } from "../../../config/pool.ts";
import type { AksPool } from "./pool.ts";

/** The label that AKS puts on every node of an agent pool. Source: learn.microsoft.com/azure/aks/use-labels. */
const agentPoolLabel = "kubernetes.azure.com/agentpool";

/** The taint of AKS's GPU guide. AKS adds none by itself, so the stack does. */
export const gpuTaint = { key: "sku", value: "gpu", effect: "NoSchedule" } as const;

/** The taint that AKS adds to spot nodes. Source: learn.microsoft.com/azure/aks/spot-node-pool. */
export const spotTaint = {
  key: "kubernetes.azure.com/scalesetpriority",
  value: "spot",
  effect: "NoSchedule",
} as const;

/**
 * What a pod asks for to reach all of a node's InfiniBand cards, as this stack's NicClusterPolicy names it.
 * Source: azure.github.io/aks-rdma-infiniband/configurations/network-operator, RDMA Shared Device Plugin.
 */
export const infinibandResource = { prefix: "rdma", name: "shared_ib", podsPerNode: 63 } as const;

/** The kubelet evicts pods below this free share of the disk: its default for `nodefs.available`. */
const evictionShare = 0.1;

/** Taints of the pool's nodes, AKS's own among them. */
export function aksTaints({ capacity }: AksPool): readonly (typeof gpuTaint | typeof spotTaint)[] {
  return capacity.kind === "spot" ? [gpuTaint, spotTaint] : [gpuTaint];
}

/** The facts of the pool's GpuPool; undefined where the catalog does not know the machine. */
export function aksGpuPool(pool: AksPool): Written | undefined {
  const { name, machineShape, infiniband, osDisk } = pool;
  const shape = findMachineShape(machineShape);
  if (shape === undefined) return undefined;
  const resource = `${infinibandResource.prefix}/${infinibandResource.name}`;
  return {
    gpu: { product: shape.gpu, perNode: shape.gpusPerNode },
    machineShape,
    // An ephemeral disk is as large as the machine's temporary one, which the catalog counts with.
    ...(osDisk.kind === "managed"
      ? { allocatable: { ephemeralStorage: `${Math.floor(osDisk.sizeGib * (1 - evictionShare))}Gi` } }
      : {}),
    nodeSelector: { [agentPoolLabel]: name },
    tolerations: aksTaints(pool).map((taint) => ({ ...taint, operator: "Equal" })),
    ...(infiniband ? { fabric: { type: "infiniband", resources: { [resource]: "1" } } } : {}),
  };
}
