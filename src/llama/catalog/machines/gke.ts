// Google Cloud's machines with GPUs. Sources: docs.cloud.google.com/compute/docs/gpus and
// .../accelerator-optimized-machines; local SSDs of A3 by the disk definitions of GoogleCloudPlatform/cluster-toolkit.
import type { FabricType } from "../fabrics.ts";
import { gkeAllocatable } from "../node-reservations.ts";
import { gibibyte, linuxLabels } from "./machine-shape.ts";
import type { MachineShape } from "./machine-shape.ts";

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
      "cloud.google.com/machine-family": machine.name.split("-")[0] ?? machine.name,
      "cloud.google.com/gke-accelerator": machine.gpu,
      "cloud.google.com/gke-accelerator-count": String(machine.gpus),
      "cloud.google.com/gke-gpu-driver-version": "default",
    },
    nodeTaints: [{ key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" }],
    fabric: { type: machine.fabric ?? "none", resources: {} },
  };
}

/** A2 High have no local SSD of their own: pods live on the boot disk. */
export const gkeMachines: readonly MachineShape[] = [
  gke({
    name: "a2-highgpu-1g",
    gpu: "nvidia-tesla-a100",
    gpus: 1,
    cpuCores: 12,
    memoryGib: 85,
    localSsdGib: 0,
  }),
  gke({
    name: "a2-highgpu-2g",
    gpu: "nvidia-tesla-a100",
    gpus: 2,
    cpuCores: 24,
    memoryGib: 170,
    localSsdGib: 0,
  }),
  gke({
    name: "a2-highgpu-4g",
    gpu: "nvidia-tesla-a100",
    gpus: 4,
    cpuCores: 48,
    memoryGib: 340,
    localSsdGib: 0,
  }),
  gke({
    name: "a2-highgpu-8g",
    gpu: "nvidia-tesla-a100",
    gpus: 8,
    cpuCores: 96,
    memoryGib: 680,
    localSsdGib: 0,
  }),
  gke({
    name: "a2-ultragpu-1g",
    gpu: "nvidia-a100-80gb",
    gpus: 1,
    cpuCores: 12,
    memoryGib: 170,
    localSsdGib: 375,
  }),
  gke({
    name: "a2-ultragpu-2g",
    gpu: "nvidia-a100-80gb",
    gpus: 2,
    cpuCores: 24,
    memoryGib: 340,
    localSsdGib: 750,
  }),
  gke({
    name: "a2-ultragpu-4g",
    gpu: "nvidia-a100-80gb",
    gpus: 4,
    cpuCores: 48,
    memoryGib: 680,
    localSsdGib: 1500,
  }),
  gke({
    name: "a2-ultragpu-8g",
    gpu: "nvidia-a100-80gb",
    gpus: 8,
    cpuCores: 96,
    memoryGib: 1360,
    localSsdGib: 3000,
  }),
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
    name: "a3-edgegpu-8g",
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
  gke({
    name: "a4-highgpu-8g",
    gpu: "nvidia-b200",
    gpus: 8,
    cpuCores: 224,
    memoryGib: 3968,
    localSsdGib: 12000,
    fabric: "roce",
  }),
];
