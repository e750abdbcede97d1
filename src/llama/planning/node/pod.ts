// What one pod of a replica requests of its node: its share of CPU and memory, disk for the checkpoint, and devices.
import type { Hardware } from "./hardware.ts";
import type { Layout } from "../choice/parallelism.ts";
import type { PodResources, Weights } from "../plan.ts";

const gibibyte = 2 ** 30;
const mebibyte = 2 ** 20;

/**
 * What is left of a node's allocatable for daemonsets (device plugin, exporters, network, logs), so that a pod with
 * all GPUs still fits beside them.
 */
export const daemonsetReserve = {
  cpuMillicores: 2000,
  memoryBytes: 8 * gibibyte,
  ephemeralStorageBytes: 4 * gibibyte,
} as const;

/** Requests by GPU where neither the pool nor a machine shape says what a node has: the least of the known shapes. */
const unknownNodePerGpu = { cpuMillicores: 8000, memoryBytes: 96 * gibibyte } as const;

/** Caches of compiled kernels, tokenizer files and logs. */
export const cacheBytes = 10 * gibibyte;
/** /dev/shm of a pod with several ranks; recipes of vLLM and of GKE use 15 to 16 GiB. */
const sharedMemoryBytes = 16 * gibibyte;

/** What of the weights their disk follows from. */
type StoredWeights = Pick<Weights, "source" | "totalBytes">;

/** Node-local disk that a pod needs: the whole checkpoint where it is downloaded, and caches. */
export function ephemeralStorageNeeded(weights: StoredWeights): number {
  return cacheBytes + (weights.source.kind === "huggingFace" ? weights.totalBytes : 0);
}

/** Node-local disk that a pod of the pool may ask for; `undefined` where it is not known. */
export function ephemeralStorageOffered(hardware: Hardware): number | undefined {
  const offered = hardware.allocatable.ephemeralStorageBytes;
  return offered === undefined ? undefined : offered - daemonsetReserve.ephemeralStorageBytes;
}

/** A share of the node by its GPUs, rounded down to whole `unit`s. */
function share(
  offered: number | undefined,
  reserve: number,
  unknown: number,
  layout: Layout,
  hardware: Hardware,
  unit: number,
): number {
  const ofNode = offered === undefined ? unknown * hardware.gpusPerNode : Math.max(0, offered - reserve);
  return Math.floor((ofNode * layout.gpusPerPod) / hardware.gpusPerNode / unit) * unit;
}

/** The requests of each pod of a replica. */
export function podResources(hardware: Hardware, layout: Layout, weights: StoredWeights): PodResources {
  const { allocatable, pool } = hardware;
  const memoryBytes = share(
    allocatable.memoryBytes,
    daemonsetReserve.memoryBytes,
    unknownNodePerGpu.memoryBytes,
    layout,
    hardware,
    mebibyte,
  );
  return {
    gpus: layout.gpusPerPod,
    gpuResourceName: pool.spec.gpu.resourceName,
    cpuMillicores: share(
      allocatable.cpuMillicores,
      daemonsetReserve.cpuMillicores,
      unknownNodePerGpu.cpuMillicores,
      layout,
      hardware,
      100,
    ),
    memoryBytes,
    sharedMemoryBytes: Math.min(sharedMemoryBytes, Math.floor(memoryBytes / 4 / mebibyte) * mebibyte),
    ephemeralStorageBytes: Math.ceil(ephemeralStorageNeeded(weights) / mebibyte) * mebibyte,
    fabric: layout.nodes > 1 ? pool.spec.fabric.resources : {},
  };
}
