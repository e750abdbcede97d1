// Oracle Cloud's bare-metal machines with GPUs. Source of every row: docs.oracle.com, Compute/References/computeshapes.htm,
// which writes the MI300X machine's disks as 3.84 GB each: read as TB, like all others.
import { gpuResourceName } from "../gpus.ts";
import { ociAllocatable } from "../node-reservations.ts";
import { gibibyte, linuxLabels } from "./machine-shape.ts";
import type { MachineShape } from "./machine-shape.ts";

/** An OCPU of x86 is a core with two threads, and Kubernetes counts threads. All have eight GPUs and RDMA. */
function oci(machine: {
  readonly name: string;
  readonly gpu: string;
  readonly ocpus: number;
  readonly memoryGib: number;
  readonly nvmeBytes: number;
}): MachineShape {
  const cpuCores = 2 * machine.ocpus;
  return {
    name: machine.name,
    cloud: "oci",
    gpu: machine.gpu,
    gpusPerNode: 8,
    nvlinkDomain: 8,
    cpuCores,
    memoryBytes: machine.memoryGib * gibibyte,
    localStorageBytes: machine.nvmeBytes,
    allocatable: ociAllocatable({ cpuCores, memoryGib: machine.memoryGib }),
    allocatableSource: "assumed",
    nodeLabels: { ...linuxLabels, "node.kubernetes.io/instance-type": machine.name },
    nodeTaints: [{ key: gpuResourceName(machine.gpu), value: "present", effect: "NoSchedule" }],
    fabric: { type: "roce", resources: {} },
  };
}

export const ociMachines: readonly MachineShape[] = [
  oci({ name: "BM.GPU.A100-v2.8", gpu: "nvidia-a100-80gb", ocpus: 128, memoryGib: 2048, nvmeBytes: 27.2e12 }),
  oci({
    name: "BM.GPU.H100.8",
    gpu: "nvidia-h100-80gb",
    ocpus: 112,
    memoryGib: 2048,
    nvmeBytes: 16 * 3.84e12,
  }),
  oci({
    name: "BM.GPU.H200.8",
    gpu: "nvidia-h200-141gb",
    ocpus: 112,
    memoryGib: 3072,
    nvmeBytes: 8 * 3.84e12,
  }),
  oci({ name: "BM.GPU.B200.8", gpu: "nvidia-b200", ocpus: 128, memoryGib: 4096, nvmeBytes: 8 * 3.84e12 }),
  oci({ name: "BM.GPU.MI300X.8", gpu: "amd-mi300x", ocpus: 112, memoryGib: 2048, nvmeBytes: 8 * 3.84e12 }),
];
