// Machine types of Compute Engine: those with GPUs are the catalog's, those of system pools are here.

import { findMachineShape, type MachineShape, gkeAllocatable } from "@llama-operator/llama/catalog";
import type { NodeMachine } from "../../../../local/cluster/nodes.ts";

/** GiB of memory a vCPU: cloud.google.com/compute/docs/general-purpose-machines, the tables of each series. */
const memoryPerCpu: Readonly<Record<string, number>> = {
  "e2-standard": 4,
  "e2-highmem": 8,
  "n2-standard": 4,
  "n2d-standard": 4,
  "n4-standard": 4,
  "c3-standard": 4,
  "c4-standard": 3.75,
};
/** Shared-core machines: 2 vCPUs that burst. */
const shared: Readonly<Record<string, number>> = { "e2-small": 2, "e2-medium": 4 };

const gibibyte = 2 ** 30;

/** A machine type with as many local SSDs of 375 GiB for pods as the pool asks for. Undefined where it is unknown. */
export function findMachine(machineType: string, ephemeralSsds: number): NodeMachine | undefined {
  const size = gpuShape(machineType) ?? generalMachine(machineType);
  if (size === undefined) return undefined;
  const { cpuCores, memoryBytes } = size;
  return {
    name: machineType,
    cpuCores,
    memoryBytes,
    localStorageBytes: size.localStorageBytes,
    allocatable: gkeAllocatable({
      cpuCores,
      memoryGib: memoryBytes / gibibyte,
      localSsdGib: ephemeralSsds * 375,
    }),
  };
}

/** The shape of a machine type with GPUs. */
export function gpuShape(machineType: string): MachineShape | undefined {
  const shape = findMachineShape(machineType);
  return shape?.cloud === "gke" ? shape : undefined;
}

function generalMachine(
  machineType: string,
): Pick<NodeMachine, "cpuCores" | "memoryBytes" | "localStorageBytes"> | undefined {
  const sharedGib = shared[machineType];
  if (sharedGib !== undefined)
    return { cpuCores: 2, memoryBytes: sharedGib * gibibyte, localStorageBytes: 0 };
  const [, series = "", cores = ""] = machineType.match(/^(.+)-(\d+)$/) ?? [];
  const perCpu = memoryPerCpu[series];
  if (perCpu === undefined) return undefined;
  return { cpuCores: Number(cores), memoryBytes: Number(cores) * perCpu * gibibyte, localStorageBytes: 0 };
}
