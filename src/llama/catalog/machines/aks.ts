// Azure's machines with GPUs. Source of every row: MicrosoftDocs/azure-compute-docs,
// articles/virtual-machines/sizes/gpu-accelerated: ndasra100v4, ndma100v4, ndh100v5, nd-h200-v5, ndmi300xv5, ncadsh100v5.
import type { FabricType } from "../fabrics.ts";
import { findGpu } from "../gpus.ts";
import { aksAllocatable } from "../node-reservations.ts";
import { gibibyte, linuxLabels } from "./machine-shape.ts";
import type { MachineShape } from "./machine-shape.ts";

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
      ...(findGpu(machine.gpu)?.vendor === "nvidia" ? { "kubernetes.azure.com/accelerator": "nvidia" } : {}),
      "kubernetes.azure.com/mode": "user",
    },
    nodeTaints: [{ key: "sku", value: "gpu", effect: "NoSchedule" }],
    fabric: { type: machine.fabric, resources: {} },
  };
}

export const aksMachines: readonly MachineShape[] = [
  aks({
    name: "Standard_ND96asr_v4",
    gpu: "nvidia-a100-40gb",
    gpus: 8,
    nvlinkDomain: 8,
    cpuCores: 96,
    memoryGib: 900,
    nvmeGib: 0,
    temporaryDiskGib: 6000,
    fabric: "infiniband",
  }),
  aks({
    name: "Standard_ND96amsr_A100_v4",
    gpu: "nvidia-a100-80gb",
    gpus: 8,
    nvlinkDomain: 8,
    cpuCores: 96,
    memoryGib: 1900,
    nvmeGib: 0,
    temporaryDiskGib: 6400,
    fabric: "infiniband",
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
  aks({
    name: "Standard_ND96isr_H200_v5",
    gpu: "nvidia-h200-141gb",
    gpus: 8,
    nvlinkDomain: 8,
    cpuCores: 96,
    memoryGib: 1850,
    nvmeGib: 28672,
    temporaryDiskGib: 1024,
    fabric: "infiniband",
  }),
  aks({
    name: "Standard_ND96isr_MI300X_v5",
    gpu: "amd-mi300x",
    gpus: 8,
    nvlinkDomain: 8,
    cpuCores: 96,
    memoryGib: 1850,
    nvmeGib: 28672,
    temporaryDiskGib: 1000,
    fabric: "infiniband",
  }),
];
