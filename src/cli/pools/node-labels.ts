// What the labels of a node say: which pool of its cloud it is in, which GPU it has, how it was bought.
import type { GpuPoolSpec } from "@llama-operator/llama/api";
import { findMachineShape } from "@llama-operator/llama/catalog";

type Labels = Readonly<Record<string, string>>;

/** Labels by which the clouds, Karpenter and CoreWeave name the pool of a node, the most telling first. */
const poolLabels = [
  "cloud.google.com/gke-nodepool",
  "karpenter.sh/nodepool",
  "eks.amazonaws.com/nodegroup",
  "alpha.eksctl.io/nodegroup-name",
  "kubernetes.azure.com/agentpool",
  "agentpool",
  "compute.coreweave.com/node-pool",
  "oci.oraclecloud.com/oke-nodepool",
] as const;

/** Labels that tell nodes apart where no pool is named. */
const shapeLabels = [
  "node.kubernetes.io/instance-type",
  "cloud.google.com/gke-accelerator",
  "nvidia.com/gpu.product",
] as const;

export interface PoolIdentity {
  /** As the cloud names it; absent where no label does. */
  readonly name: string | undefined;
  readonly nodeSelector: Record<string, string>;
  readonly capacity: GpuPoolSpec["capacity"];
}

/** Which pool a node is in. Nodes of equal identity are of one pool. */
export function poolIdentity(labels: Labels): PoolIdentity {
  const capacity = capacityOf(labels);
  const poolLabel = poolLabels.find((key) => labels[key] !== undefined);
  const name = poolLabel === undefined ? undefined : labels[poolLabel];
  return {
    name,
    nodeSelector: selection(labels, poolLabel === undefined ? shapeLabels : [poolLabel]),
    capacity,
  };
}

/** What selects nodes of this machine and GPU. */
export function shapeSelector(labels: Labels): Record<string, string> {
  return selection(labels, shapeLabels);
}

function selection(labels: Labels, keys: readonly string[]): Record<string, string> {
  const entries = keys.flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(entries);
}

/** The GPU's name by its labels, else by the machine type. */
export function productOf(labels: Labels): string | undefined {
  return (
    labels["cloud.google.com/gke-accelerator"] ??
    labels["nvidia.com/gpu.product"] ??
    findMachineShape(labels["node.kubernetes.io/instance-type"] ?? "")?.gpu
  );
}

const capacityLabels: readonly (readonly [key: string, value: string, GpuPoolSpec["capacity"]])[] = [
  ["cloud.google.com/gke-spot", "true", "spot"],
  ["cloud.google.com/gke-queued", "true", "queued"],
  ["cloud.google.com/gke-flex-start", "true", "flexStart"],
  ["eks.amazonaws.com/capacityType", "SPOT", "spot"],
  ["eks.amazonaws.com/capacityType", "CAPACITY_BLOCK", "capacityBlock"],
  ["karpenter.sh/capacity-type", "spot", "spot"],
  ["karpenter.sh/capacity-type", "reserved", "reserved"],
  ["kubernetes.azure.com/scalesetpriority", "spot", "spot"],
];

function capacityOf(labels: Labels): GpuPoolSpec["capacity"] {
  return capacityLabels.find(([key, value]) => labels[key] === value)?.[2] ?? "onDemand";
}
