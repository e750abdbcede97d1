// What a planner knows of a GPU: the memory that an engine really sees, bandwidth, arithmetic, links, and what it can
// compute in FP8 and FP4.

export type GpuVendor = "nvidia" | "amd";
export type GpuArchitecture = "ampere" | "ada" | "hopper" | "blackwell" | "cdna3";

export interface Gpu {
  /** Name in `GpuPool.spec.gpu.product`. */
  readonly name: string;
  /** Other names of the same GPU: clouds' and feature discovery's, in lower case. */
  readonly aliases: readonly string[];
  /** For people: `H100 80GB`. */
  readonly label: string;
  readonly vendor: GpuVendor;
  readonly architecture: GpuArchitecture;
  /** NVIDIA's compute capability, which decides kernels and workspaces; `12.0` is Blackwell of workstations. */
  readonly computeCapability?: string;
  /** Bytes that the engine sees, conservatively. */
  readonly visibleBytes: number;
  /** Bandwidth of the memory by the data sheet. */
  readonly memoryBytesPerSecond: number;
  /** Dense BF16 operations per second by the data sheet. */
  readonly bf16Flops: number;
  /** Dense FP8 operations per second; absent where the GPU has no FP8 arithmetic. */
  readonly fp8Flops?: number;
  /** Dense FP4 operations per second; absent where the GPU has no FP4 arithmetic. */
  readonly fp4Flops?: number;
  /**
   * NVLink, or AMD's Infinity Fabric in its place. "switch": each GPU of a node reaches each other; "bridge": pairs;
   * "none": PCIe only.
   */
  readonly nvlink: "switch" | "bridge" | "none";
}

/** Bytes of so many GiB, as logs print them. */
export const gib = (value: number): number => Math.floor(value * 2 ** 30);
export const tera = 1e12;
