// AMD's accelerators, from their data sheets: eight of a node each reach each other over seven Infinity Fabric links.
import { gib, tera } from "./gpu.ts";
import type { Gpu } from "./gpu.ts";

export const amdGpus: readonly Gpu[] = [
  // 192 GB of HBM3. Visible memory: the driver's total less the context's share, as for NVIDIA's.
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
  // 256 GB of HBM3E. 255.98 GiB in the allocator's messages of two public logs.
  {
    name: "amd-mi325x",
    aliases: ["amd-instinct-mi325x", "amd-instinct-mi325x-oam", "mi325x"],
    label: "MI325X 256GB",
    vendor: "amd",
    architecture: "cdna3",
    visibleBytes: gib(255.98),
    memoryBytesPerSecond: 6 * tera,
    bf16Flops: 1307 * tera,
    fp8Flops: 2614 * tera,
    nvlink: "switch",
  },
];
