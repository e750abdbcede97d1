// Sizes of virtual machines: those with GPUs are the catalog's, those of system pools are read from their names.

import { findMachineShape, type MachineShape, aksAllocatable } from "@llama-operator/llama/catalog";
import type { NodeMachine } from "../../../../local/cluster/nodes.ts";

const gibibyte = 2 ** 30;

/** GiB of memory a vCPU. Source: learn.microsoft.com/azure/virtual-machines/sizes, D, E and F families of v5. */
const memoryPerCpu: Readonly<Record<string, number>> = { D: 4, E: 8, F: 2 };

/** GiB of temporary disk a vCPU where the name has a d: Standard_D4ds_v5 has 150. Source: as above, Ddsv5. */
const temporaryPerCpu = 37.5;

/** A size with the disk that pods live on. Undefined where it is unknown. */
export function findMachine(vmSize: string, osDiskGib: number | undefined): NodeMachine | undefined {
  const shape = gpuShape(vmSize);
  if (shape !== undefined && osDiskGib === undefined) return shape;
  const size = shape === undefined ? generalSize(vmSize) : sizeOf(shape);
  if (size === undefined) return undefined;
  return {
    name: vmSize,
    cpuCores: size.cpuCores,
    memoryBytes: size.memoryGib * gibibyte,
    localStorageBytes: shape?.localStorageBytes ?? 0,
    allocatable: aksAllocatable({ ...size, temporaryDiskGib: osDiskGib ?? size.temporaryDiskGib }),
  };
}

/** The shape of a size with GPUs. */
export function gpuShape(vmSize: string): MachineShape | undefined {
  const shape = findMachineShape(vmSize);
  return shape?.cloud === "aks" ? shape : undefined;
}

interface Size {
  readonly cpuCores: number;
  readonly memoryGib: number;
  readonly temporaryDiskGib: number;
}

const sizeOf = ({ cpuCores, memoryBytes }: MachineShape): Size => ({
  cpuCores,
  memoryGib: memoryBytes / gibibyte,
  temporaryDiskGib: 0,
});

function generalSize(vmSize: string): Size | undefined {
  const [, family = "", cores = "", features = ""] =
    vmSize.match(/^Standard_([DEF])(\d+)([a-z]*)_v\d$/) ?? [];
  const perCpu = memoryPerCpu[family];
  if (perCpu === undefined) return undefined;
  const cpuCores = Number(cores);
  // Without a temporary disk, AKS gives a managed one of 128 GB and more.
  const temporaryDiskGib = features.includes("d") ? cpuCores * temporaryPerCpu : 128;
  return { cpuCores, memoryGib: cpuCores * perCpu, temporaryDiskGib };
}

/** Quota that a size's vCPUs count against. Source: learn.microsoft.com/azure/quotas, the names of VM families. */
export const quotaFamilies: Readonly<Record<string, string>> = {
  Standard_ND96isr_H100_v5: "standardNDSH100v5Family",
  Standard_ND96isr_H200_v5: "standardNDISRH200V5Family",
  Standard_NC40ads_H100_v5: "StandardNCadsH100v5Family",
  Standard_NC80adis_H100_v5: "StandardNCadsH100v5Family",
};

/** All spot machines of a region share one. */
export const spotQuota = "lowPriorityCores";
