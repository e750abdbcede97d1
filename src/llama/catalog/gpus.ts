// GPUs as a planner needs them: the memory that an engine really sees, bandwidth, arithmetic, links, and what they
// can compute in FP8. Visible memory is the low end of what start-up logs show, so that a plan holds on every card.

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
  /** Bytes that the engine sees, conservatively. */
  readonly visibleBytes: number;
  /** HBM bandwidth by the data sheet. */
  readonly memoryBytesPerSecond: number;
  /** Dense BF16 operations per second by the data sheet. */
  readonly bf16Flops: number;
  /** Dense FP8 operations per second; absent where the GPU has no FP8 arithmetic. */
  readonly fp8Flops?: number;
  /**
   * NVLink, or AMD's Infinity Fabric in its place. "switch": each GPU of a node reaches each other; "bridge": pairs;
   * "none": PCIe only.
   */
  readonly nvlink: "switch" | "bridge" | "none";
}

const gib = (value: number): number => Math.floor(value * 2 ** 30);
const tera = 1e12;

/**
 * Every GPU of the catalog. H100 SXM, H200 and A100 40GB: lowest visible memory in public vLLM start-up logs; the
 * others: the driver's total less what its context takes on the same architecture. Rates: NVIDIA data sheets, dense.
 */
export const gpus: readonly Gpu[] = [
  {
    name: "nvidia-h100-80gb",
    aliases: ["nvidia-h100-mega-80gb", "nvidia-h100-80gb-hbm3"],
    label: "H100 80GB",
    vendor: "nvidia",
    architecture: "hopper",
    visibleBytes: gib(79.18),
    memoryBytesPerSecond: 3.35 * tera,
    bf16Flops: 989 * tera,
    fp8Flops: 1979 * tera,
    nvlink: "switch",
  },
  {
    name: "nvidia-h100-nvl-94gb",
    aliases: ["nvidia-h100-nvl"],
    label: "H100 NVL 94GB",
    vendor: "nvidia",
    architecture: "hopper",
    visibleBytes: gib(93),
    memoryBytesPerSecond: 3.9 * tera,
    bf16Flops: 835 * tera,
    fp8Flops: 1671 * tera,
    nvlink: "bridge",
  },
  {
    name: "nvidia-h100-pcie-80gb",
    aliases: ["nvidia-h100-pcie"],
    label: "H100 PCIe 80GB",
    vendor: "nvidia",
    architecture: "hopper",
    visibleBytes: gib(79.1),
    memoryBytesPerSecond: 2 * tera,
    bf16Flops: 756 * tera,
    fp8Flops: 1513 * tera,
    nvlink: "none",
  },
  {
    name: "nvidia-h200-141gb",
    aliases: ["nvidia-h200"],
    label: "H200 141GB",
    vendor: "nvidia",
    architecture: "hopper",
    visibleBytes: gib(139.8),
    memoryBytesPerSecond: 4.8 * tera,
    bf16Flops: 989 * tera,
    fp8Flops: 1979 * tera,
    nvlink: "switch",
  },
  {
    name: "nvidia-b200",
    aliases: ["nvidia-b200-180gb"],
    label: "B200 180GB",
    vendor: "nvidia",
    architecture: "blackwell",
    visibleBytes: gib(178.3),
    memoryBytesPerSecond: 8 * tera,
    bf16Flops: 2250 * tera,
    fp8Flops: 4500 * tera,
    nvlink: "switch",
  },
  {
    name: "nvidia-a100-80gb",
    aliases: ["nvidia-a100-sxm4-80gb"],
    label: "A100 80GB",
    vendor: "nvidia",
    architecture: "ampere",
    visibleBytes: gib(79.14),
    memoryBytesPerSecond: 2.039 * tera,
    bf16Flops: 312 * tera,
    nvlink: "switch",
  },
  {
    name: "nvidia-a100-40gb",
    aliases: ["nvidia-tesla-a100", "nvidia-a100-sxm4-40gb"],
    label: "A100 40GB",
    vendor: "nvidia",
    architecture: "ampere",
    visibleBytes: gib(39.39),
    memoryBytesPerSecond: 1.555 * tera,
    bf16Flops: 312 * tera,
    nvlink: "switch",
  },
  {
    name: "nvidia-l40s",
    aliases: [],
    label: "L40S 48GB",
    vendor: "nvidia",
    architecture: "ada",
    visibleBytes: gib(44.3),
    memoryBytesPerSecond: 0.864 * tera,
    bf16Flops: 362 * tera,
    fp8Flops: 733 * tera,
    nvlink: "none",
  },
  {
    name: "nvidia-l4",
    aliases: [],
    label: "L4 24GB",
    vendor: "nvidia",
    architecture: "ada",
    visibleBytes: gib(21.9),
    memoryBytesPerSecond: 0.3 * tera,
    bf16Flops: 121 * tera,
    fp8Flops: 242 * tera,
    nvlink: "none",
  },
  // Source: AMD's MI300X data sheet (192 GB HBM3, 5.3 TB/s, 1307.4 and 2614.9 TFLOPS; seven Infinity Fabric links,
  // one to each other GPU of eight). Visible memory: the driver's total less the context's share, as for NVIDIA's.
  {
    name: "amd-mi300x",
    aliases: ["amd-instinct-mi300x", "amd-instinct-mi300x-oam", "mi300x"],
    label: "MI300X 192GB",
    vendor: "amd",
    architecture: "cdna3",
    visibleBytes: gib(191.98),
    memoryBytesPerSecond: 5.3 * tera,
    bf16Flops: 1307 * tera,
    fp8Flops: 2614 * tera,
    nvlink: "switch",
  },
];

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
