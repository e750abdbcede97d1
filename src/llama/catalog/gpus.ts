// Every GPU of the catalog, and how one is found by any of its names. Their facts are in the folder beside this file.
import { amdGpus } from "./gpus/amd.ts";
import { dataCenterGpus } from "./gpus/data-center.ts";
import type { Gpu } from "./gpus/gpu.ts";
import { graphicsGpus } from "./gpus/graphics.ts";

export type { Gpu, GpuArchitecture, GpuVendor } from "./gpus/gpu.ts";

/** Every GPU of the catalog. */
export const gpus: readonly Gpu[] = [...dataCenterGpus, ...graphicsGpus, ...amdGpus];

const gpusByName: ReadonlyMap<string, Gpu> = new Map(
  gpus.flatMap((gpu) => [gpu.name, ...gpu.aliases].map((name) => [name, gpu] as const)),
);

/** The GPU of that name or alias, in any case; `undefined` where the catalog lacks it. */
export function findGpu(product: string): Gpu | undefined {
  return gpusByName.get(product.toLowerCase());
}

/** The extended resource that pods request for one such GPU, as its vendor's device plugin names it. */
export function gpuResourceName(product: string): string {
  return findGpu(product)?.vendor === "amd" ? "amd.com/gpu" : "nvidia.com/gpu";
}
