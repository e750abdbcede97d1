// What a cloud keeps of a node for itself, so that a pool without a single node can be planned for.
// Each formula is the cloud's documented one; what a pool really offers can be said in GpuPool.spec.allocatable.

/** What pods can request of one node. */
export interface Allocatable {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  /** Where emptyDir volumes, images and logs live. */
  readonly ephemeralStorageBytes: number;
}

const gibibyte = 2 ** 30;
const mebibyte = 2 ** 20;

/** Share of a machine's memory that the guest's kernel keeps before the kubelet sees it; an assumption. */
const kernelShare = 0.015;
/** The kubelet evicts pods below this free share of the file system: its default for `nodefs.available`. */
const evictionShare = 0.1;

/** Boot disk of a GKE node where the pool does not say how large. */
const gkeBootDiskGib = 100;
/** Boot volume of an OKE node where the pool does not say how large: 46.6 GB. */
const ociBootVolumeGib = 43;

/** Sums `rates` over the tiers of `amount`, as the clouds' tables are written. */
function tiered(amount: number, tiers: readonly (readonly [upTo: number, rate: number])[]): number {
  let reserved = 0;
  let from = 0;
  for (const [upTo, rate] of tiers) {
    if (amount <= from) break;
    reserved += (Math.min(amount, upTo) - from) * rate;
    from = upTo;
  }
  return reserved;
}

/**
 * GKE: 6 % of the first core, 1 % of the next, 0.5 % of the next two, 0.25 % of the rest; 25 % of the first 4 GiB,
 * 20 % of the next 4, 10 % of the next 8, 6 % of the next 112, 2 % of the rest, and 100 MiB for eviction; 50, 75 or
 * 100 GiB of one, two or more local SSDs; without any, the least of half the boot disk, 6 GiB + 35 % of it and 100 GiB.
 * Source: cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes.
 */
export function gkeAllocatable(machine: {
  readonly cpuCores: number;
  readonly memoryGib: number;
  readonly localSsdGib: number;
}): Allocatable {
  const cpuReserved = tiered(machine.cpuCores, [
    [1, 60],
    [2, 10],
    [4, 5],
    [Infinity, 2.5],
  ]);
  const memoryReservedGib = tiered(machine.memoryGib, [
    [4, 0.25],
    [8, 0.2],
    [16, 0.1],
    [128, 0.06],
    [Infinity, 0.02],
  ]);
  const ssds = machine.localSsdGib / 375;
  const onBootDisk = ssds === 0;
  const storageGib = onBootDisk ? gkeBootDiskGib : machine.localSsdGib;
  const bootReservedGib = Math.min(0.5 * storageGib, 6 + 0.35 * storageGib, 100);
  const ssdReservedGib = ssds >= 3 ? 100 : ssds === 2 ? 75 : 50;
  const storageReservedGib = onBootDisk ? bootReservedGib : ssdReservedGib;
  return {
    cpuMillicores: Math.floor(machine.cpuCores * 1000 - cpuReserved),
    memoryBytes:
      Math.floor((machine.memoryGib * (1 - kernelShare) - memoryReservedGib) * 1024) * mebibyte -
      100 * mebibyte,
    ephemeralStorageBytes: Math.floor((storageGib - storageReservedGib) * (1 - evictionShare)) * gibibyte,
  };
}

/**
 * AKS 1.29 and later: 100 millicores at two cores, 140 at four, then 10 more a core; the lesser of 20 MB a pod + 50 MB
 * and a quarter of the memory, for 250 pods, and 100 MiB for eviction. The kubelet's folder is on the temporary
 * disk; the NVMe disks are raw. Source: learn.microsoft.com/azure/aks/node-resource-reservations.
 */
export function aksAllocatable(machine: {
  readonly cpuCores: number;
  readonly memoryGib: number;
  readonly temporaryDiskGib: number;
}): Allocatable {
  const memoryBytes = machine.memoryGib * gibibyte;
  const podsReservedBytes = 250 * 20e6 + 50e6;
  const reservedBytes = Math.min(podsReservedBytes, memoryBytes / 4) + 100 * mebibyte;
  return {
    cpuMillicores: machine.cpuCores * 1000 - (140 + (machine.cpuCores - 4) * 10),
    memoryBytes: Math.floor((memoryBytes * (1 - kernelShare) - reservedBytes) / mebibyte) * mebibyte,
    ephemeralStorageBytes: Math.floor(machine.temporaryDiskGib * (1 - evictionShare)) * gibibyte,
  };
}

/**
 * EKS on AL2023: the figures that Karpenter's table of instance types gives. Without `localStorage.strategy: RAID0`
 * pods see 17 GiB of the root volume, however large the NVMe disks.
 * Source: aws/karpenter-provider-aws, website/content/en/preview/reference/instance-types.md.
 */
export function eksAllocatable(documented: {
  readonly cpuMillicores: number;
  readonly memoryMib: number;
}): Allocatable {
  return {
    cpuMillicores: documented.cpuMillicores,
    memoryBytes: documented.memoryMib * mebibyte,
    ephemeralStorageBytes: 17 * gibibyte,
  };
}

/**
 * OKE: an assumption, GKE's shares of CPU and memory, and the default boot volume. The NVMe disks are raw until the
 * node's start script joins them.
 */
export function ociAllocatable(machine: {
  readonly cpuCores: number;
  readonly memoryGib: number;
}): Allocatable {
  const { cpuMillicores, memoryBytes } = gkeAllocatable({ ...machine, localSsdGib: 0 });
  return {
    cpuMillicores,
    memoryBytes,
    ephemeralStorageBytes: Math.floor(ociBootVolumeGib * (1 - evictionShare)) * gibibyte,
  };
}
