// AWS' machines with GPUs. Source of every row: aws/karpenter-provider-aws, instance-types.md at 2aea819, which also
// gives what pods can request.
import { eksAllocatable } from "../node-reservations.ts";
import { gibibyte, linuxLabels } from "./machine-shape.ts";
import type { MachineShape } from "./machine-shape.ts";

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
    fabric:
      machine.efaDevices === 0
        ? { type: "none", resources: {} }
        : { type: "efa", resources: { "vpc.amazonaws.com/efa": String(machine.efaDevices) } },
  };
}

/** What p5, p5e, p5en and p6-b200 share; the last two leave pods a little less memory. */
const p5 = {
  gpus: 8,
  cpuCores: 192,
  memoryGib: 2048,
  nvmeBytes: 8 * 3_800_000_000_000,
  allocatable: { cpuMillicores: 191_450, memoryMib: 1_938_410 },
} as const;

export const eksMachines: readonly MachineShape[] = [
  eks({
    name: "p4d.24xlarge",
    gpu: "nvidia-a100-40gb",
    gpuProductLabel: "NVIDIA-A100-SXM4-40GB",
    gpus: 8,
    cpuCores: 96,
    memoryGib: 1152,
    nvmeBytes: 8000e9,
    allocatable: { cpuMillicores: 95690, memoryMib: 1082712 },
    efaDevices: 4,
  }),
  eks({
    name: "p4de.24xlarge",
    gpu: "nvidia-a100-80gb",
    gpuProductLabel: "NVIDIA-A100-SXM4-80GB",
    gpus: 8,
    cpuCores: 96,
    memoryGib: 1152,
    nvmeBytes: 8000e9,
    allocatable: { cpuMillicores: 95690, memoryMib: 1082712 },
    efaDevices: 4,
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
    allocatable: { cpuMillicores: 191_450, memoryMib: 1_937_332 },
    name: "p5en.48xlarge",
    gpu: "nvidia-h200-141gb",
    gpuProductLabel: "NVIDIA-H200",
    efaDevices: 16,
  }),
  eks({
    ...p5,
    allocatable: { cpuMillicores: 191_450, memoryMib: 1_937_332 },
    name: "p6-b200.48xlarge",
    gpu: "nvidia-b200",
    gpuProductLabel: "NVIDIA-B200",
    efaDevices: 8,
  }),
  eks({
    name: "g6e.8xlarge",
    gpu: "nvidia-l40s",
    gpuProductLabel: "NVIDIA-L40S",
    gpus: 1,
    cpuCores: 32,
    memoryGib: 256,
    nvmeBytes: 900e9,
    allocatable: { cpuMillicores: 31850, memoryMib: 239554 },
    efaDevices: 1,
  }),
  eks({
    name: "g6e.12xlarge",
    gpu: "nvidia-l40s",
    gpuProductLabel: "NVIDIA-L40S",
    gpus: 4,
    cpuCores: 48,
    memoryGib: 384,
    nvmeBytes: 3800e9,
    allocatable: { cpuMillicores: 47810, memoryMib: 360157 },
    efaDevices: 1,
  }),
  eks({
    name: "g6e.16xlarge",
    gpu: "nvidia-l40s",
    gpuProductLabel: "NVIDIA-L40S",
    gpus: 1,
    cpuCores: 64,
    memoryGib: 512,
    nvmeBytes: 1900e9,
    allocatable: { cpuMillicores: 63770, memoryMib: 476504 },
    efaDevices: 1,
  }),
  eks({
    name: "g6e.24xlarge",
    gpu: "nvidia-l40s",
    gpuProductLabel: "NVIDIA-L40S",
    gpus: 4,
    cpuCores: 96,
    memoryGib: 768,
    nvmeBytes: 3800e9,
    allocatable: { cpuMillicores: 95690, memoryMib: 721682 },
    efaDevices: 2,
  }),
  eks({
    name: "g6e.48xlarge",
    gpu: "nvidia-l40s",
    gpuProductLabel: "NVIDIA-L40S",
    gpus: 8,
    cpuCores: 192,
    memoryGib: 1536,
    nvmeBytes: 7600e9,
    allocatable: { cpuMillicores: 191450, memoryMib: 1449132 },
    efaDevices: 4,
  }),
  eks({
    name: "gr6.4xlarge",
    gpu: "nvidia-l4",
    gpuProductLabel: "NVIDIA-L4",
    gpus: 1,
    cpuCores: 16,
    memoryGib: 128,
    nvmeBytes: 600e9,
    allocatable: { cpuMillicores: 15890, memoryMib: 118312 },
    efaDevices: 0,
  }),
  eks({
    name: "gr6.8xlarge",
    gpu: "nvidia-l4",
    gpuProductLabel: "NVIDIA-L4",
    gpus: 1,
    cpuCores: 32,
    memoryGib: 256,
    nvmeBytes: 900e9,
    allocatable: { cpuMillicores: 31850, memoryMib: 239554 },
    efaDevices: 1,
  }),
];
