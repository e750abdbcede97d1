// The machines with GPUs that the clouds sell: what a pool of them offers before there is a node to look at.
// Planning, the simulated nodes of the local cluster and the infrastructure code all read this one table.
import type { FabricType } from "./fabrics.ts";
import { aksAllocatable, eksAllocatable, gkeAllocatable } from "./node-reservations.ts";
import type { Allocatable } from "./node-reservations.ts";

export type { Allocatable } from "./node-reservations.ts";

export type Cloud = "gke" | "eks" | "aks";

/** A taint as a Node's spec writes it. */
export interface NodeTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect: "NoSchedule" | "NoExecute" | "PreferNoSchedule";
}

/** One machine type of one cloud. */
export interface MachineShape {
  /** The cloud's own name: `a3-highgpu-8g`. */
  readonly name: string;
  readonly cloud: Cloud;
  /** GPU in the catalog: see gpus.ts. */
  readonly gpu: string;
  readonly gpusPerNode: number;
  /** GPUs that reach each other by NVLink; tensor parallel stays inside. */
  readonly nvlinkDomain: number;
  readonly cpuCores: number;
  readonly memoryBytes: number;
  /** NVMe disks of the machine, whether or not pods see them. */
  readonly localStorageBytes: number;
  /** What pods can request of one node, after the cloud's reservation. */
  readonly allocatable: Allocatable;
  /** "documented": a published figure; "derived": from the cloud's reservation formula. */
  readonly allocatableSource: "documented" | "derived";
  /** Labels that the cloud puts on such a node; a pool's own label is added by whoever makes the pool. */
  readonly nodeLabels: Readonly<Record<string, string>>;
  /** Taints that such a node carries, by the cloud or by its documentation's custom. */
  readonly nodeTaints: readonly NodeTaint[];
  /** The fabric that the machine has; a pool says in its own spec whether it is set up. */
  readonly fabric: {
    readonly type: FabricType;
    /** Extended resources of a pod that takes all GPUs of the node. */
    readonly resources: Readonly<Record<string, string>>;
  };
}

const gibibyte = 2 ** 30;
const linuxLabels = { "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux" } as const;

/** GKE taints GPU nodes itself. Google's "GB" of machine memory are GiB. */
function gke(machine: {
  readonly name: string;
  readonly gpu: string;
  readonly gpus: number;
  readonly cpuCores: number;
  readonly memoryGib: number;
  readonly localSsdGib: number;
  readonly fabric?: FabricType;
}): MachineShape {
  return {
    name: machine.name,
    cloud: "gke",
    gpu: machine.gpu,
    gpusPerNode: machine.gpus,
    nvlinkDomain: machine.gpus,
    cpuCores: machine.cpuCores,
    memoryBytes: machine.memoryGib * gibibyte,
    localStorageBytes: machine.localSsdGib * gibibyte,
    allocatable: gkeAllocatable(machine),
    allocatableSource: "derived",
    nodeLabels: {
      ...linuxLabels,
      "node.kubernetes.io/instance-type": machine.name,
      "cloud.google.com/machine-family": "a3",
      "cloud.google.com/gke-accelerator": machine.gpu,
      "cloud.google.com/gke-accelerator-count": String(machine.gpus),
      "cloud.google.com/gke-gpu-driver-version": "default",
    },
    nodeTaints: [{ key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" }],
    fabric: { type: machine.fabric ?? "none", resources: {} },
  };
}

/** EKS taints nothing by itself; the taint is the one of AWS' and Karpenter's GPU guides. */
function eks(machine: {
  readonly name: string;
  readonly gpu: string;
  readonly gpuProductLabel: string;
  readonly gpus: number;
  readonly cpuCores: number;
  readonly memoryGib: number;
  readonly nvmeBytes: number;
  readonly allocatable: { readonly cpuMillicores: number; readonly memoryMib: number };
  readonly efaDevices: number;
}): MachineShape {
  return {
    name: machine.name,
    cloud: "eks",
    gpu: machine.gpu,
    gpusPerNode: machine.gpus,
    nvlinkDomain: machine.gpus,
    cpuCores: machine.cpuCores,
    memoryBytes: machine.memoryGib * gibibyte,
    localStorageBytes: machine.nvmeBytes,
    allocatable: eksAllocatable(machine.allocatable),
    allocatableSource: "documented",
    nodeLabels: {
      ...linuxLabels,
      "node.kubernetes.io/instance-type": machine.name,
      "eks.amazonaws.com/capacityType": "ON_DEMAND",
      "nvidia.com/gpu.present": "true",
      "nvidia.com/gpu.product": machine.gpuProductLabel,
      "nvidia.com/gpu.count": String(machine.gpus),
    },
    nodeTaints: [{ key: "nvidia.com/gpu", value: "true", effect: "NoSchedule" }],
    fabric: { type: "efa", resources: { "vpc.amazonaws.com/efa": String(machine.efaDevices) } },
  };
}

/** AKS taints nothing by itself; the taint is the one of its GPU guide. */
function aks(machine: {
  readonly name: string;
  readonly gpu: string;
  readonly gpus: number;
  readonly nvlinkDomain: number;
  readonly cpuCores: number;
  readonly memoryGib: number;
  readonly nvmeGib: number;
  readonly temporaryDiskGib: number;
  readonly fabric: FabricType;
}): MachineShape {
  return {
    name: machine.name,
    cloud: "aks",
    gpu: machine.gpu,
    gpusPerNode: machine.gpus,
    nvlinkDomain: machine.nvlinkDomain,
    cpuCores: machine.cpuCores,
    memoryBytes: machine.memoryGib * gibibyte,
    localStorageBytes: machine.nvmeGib * gibibyte,
    allocatable: aksAllocatable(machine),
    allocatableSource: "derived",
    nodeLabels: {
      ...linuxLabels,
      "node.kubernetes.io/instance-type": machine.name,
      "kubernetes.azure.com/accelerator": "nvidia",
      "kubernetes.azure.com/mode": "user",
    },
    nodeTaints: [{ key: "sku", value: "gpu", effect: "NoSchedule" }],
    fabric: { type: machine.fabric, resources: {} },
  };
}

/** p5, p5e and p5en have the same cores and memory; Karpenter's table gives p5's allocatable. */
const p5 = {
  gpus: 8,
  cpuCores: 192,
  memoryGib: 2048,
  nvmeBytes: 8 * 3_800_000_000_000,
  allocatable: { cpuMillicores: 191_450, memoryMib: 1_938_410 },
} as const;

/**
 * Every machine shape of the catalog. Sources: docs.cloud.google.com/compute/docs/gpus and the disk definitions of
 * GoogleCloudPlatform/cluster-toolkit; aws/karpenter-provider-aws' instance types;
 * MicrosoftDocs/azure-compute-docs, ndh100v5-series.md and ncadsh100v5-series.md.
 */
export const machineShapes: readonly MachineShape[] = [
  gke({
    name: "a3-highgpu-1g",
    gpu: "nvidia-h100-80gb",
    gpus: 1,
    cpuCores: 26,
    memoryGib: 234,
    localSsdGib: 750,
  }),
  gke({
    name: "a3-highgpu-2g",
    gpu: "nvidia-h100-80gb",
    gpus: 2,
    cpuCores: 52,
    memoryGib: 468,
    localSsdGib: 1500,
  }),
  gke({
    name: "a3-highgpu-4g",
    gpu: "nvidia-h100-80gb",
    gpus: 4,
    cpuCores: 104,
    memoryGib: 936,
    localSsdGib: 3000,
  }),
  gke({
    name: "a3-highgpu-8g",
    gpu: "nvidia-h100-80gb",
    gpus: 8,
    cpuCores: 208,
    memoryGib: 1872,
    localSsdGib: 6000,
    fabric: "tcpx",
  }),
  gke({
    name: "a3-megagpu-8g",
    gpu: "nvidia-h100-mega-80gb",
    gpus: 8,
    cpuCores: 208,
    memoryGib: 1872,
    localSsdGib: 6000,
    fabric: "tcpxo",
  }),
  gke({
    name: "a3-ultragpu-8g",
    gpu: "nvidia-h200-141gb",
    gpus: 8,
    cpuCores: 224,
    memoryGib: 2952,
    localSsdGib: 12_000,
    fabric: "roce",
  }),
  eks({
    ...p5,
    name: "p5.48xlarge",
    gpu: "nvidia-h100-80gb",
    gpuProductLabel: "NVIDIA-H100-80GB-HBM3",
    efaDevices: 32,
  }),
  eks({
    name: "p5.4xlarge",
    gpu: "nvidia-h100-80gb",
    gpuProductLabel: "NVIDIA-H100-80GB-HBM3",
    gpus: 1,
    cpuCores: 16,
    memoryGib: 256,
    nvmeBytes: 3_800_000_000_000,
    allocatable: { cpuMillicores: 15_890, memoryMib: 240_830 },
    efaDevices: 1,
  }),
  eks({
    ...p5,
    name: "p5e.48xlarge",
    gpu: "nvidia-h200-141gb",
    gpuProductLabel: "NVIDIA-H200",
    efaDevices: 32,
  }),
  eks({
    ...p5,
    name: "p5en.48xlarge",
    gpu: "nvidia-h200-141gb",
    gpuProductLabel: "NVIDIA-H200",
    efaDevices: 16,
  }),
  aks({
    name: "Standard_ND96isr_H100_v5",
    gpu: "nvidia-h100-80gb",
    gpus: 8,
    nvlinkDomain: 8,
    cpuCores: 96,
    memoryGib: 1900,
    nvmeGib: 28_672,
    temporaryDiskGib: 1000,
    fabric: "infiniband",
  }),
  aks({
    name: "Standard_NC40ads_H100_v5",
    gpu: "nvidia-h100-nvl-94gb",
    gpus: 1,
    nvlinkDomain: 1,
    cpuCores: 40,
    memoryGib: 320,
    nvmeGib: 3576,
    temporaryDiskGib: 128,
    fabric: "none",
  }),
  aks({
    name: "Standard_NC80adis_H100_v5",
    gpu: "nvidia-h100-nvl-94gb",
    gpus: 2,
    nvlinkDomain: 2,
    cpuCores: 80,
    memoryGib: 640,
    nvmeGib: 7152,
    temporaryDiskGib: 256,
    fabric: "none",
  }),
];

const shapesByName: ReadonlyMap<string, MachineShape> = new Map(
  machineShapes.map((shape) => [shape.name, shape]),
);

/** The machine shape of that name, or `undefined` where the catalog lacks it. */
export function findMachineShape(name: string): MachineShape | undefined {
  return shapesByName.get(name);
}
