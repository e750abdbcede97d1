// NVIDIA's GPUs with graphics memory: inference cards, and those of workstations and PCs. None has an NVLink switch, and
// the RTX 3090's bridge of two is seldom there. Visible memory is the lowest that public start-up logs show. Rates are
// dense, with FP32 accumulation, from NVIDIA's data sheets and architecture white papers.
import { gib, tera } from "./gpu.ts";
import type { Gpu } from "./gpu.ts";

export const graphicsGpus: readonly Gpu[] = [
  {
    name: "nvidia-l40s",
    aliases: [],
    label: "L40S 48GB",
    vendor: "nvidia",
    architecture: "ada",
    computeCapability: "8.9",
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
    computeCapability: "8.9",
    visibleBytes: gib(22.03),
    memoryBytesPerSecond: 0.3 * tera,
    bf16Flops: 121 * tera,
    fp8Flops: 242 * tera,
    nvlink: "none",
  },
  // AWS G5: 24 GB of GDDR6 at 600 GB/s; 22.06 GiB in logs of 2026.
  {
    name: "nvidia-a10g",
    aliases: ["nvidia-a10g-24gb"],
    label: "A10G 24GB",
    vendor: "nvidia",
    architecture: "ampere",
    computeCapability: "8.6",
    visibleBytes: gib(22.06),
    memoryBytesPerSecond: 0.6 * tera,
    bf16Flops: 70 * tera,
    nvlink: "none",
  },
  // GA102 white paper. 23.56 to 23.58 GiB in logs.
  {
    name: "nvidia-rtx-3090",
    aliases: ["nvidia-geforce-rtx-3090"],
    label: "RTX 3090 24GB",
    vendor: "nvidia",
    architecture: "ampere",
    computeCapability: "8.6",
    visibleBytes: gib(23.56),
    memoryBytesPerSecond: 0.936 * tera,
    bf16Flops: 71 * tera,
    nvlink: "none",
  },
  // Ada white paper. 23.51 to 23.65 GiB in logs, by driver.
  {
    name: "nvidia-rtx-4090",
    aliases: ["nvidia-geforce-rtx-4090"],
    label: "RTX 4090 24GB",
    vendor: "nvidia",
    architecture: "ada",
    computeCapability: "8.9",
    visibleBytes: gib(23.51),
    memoryBytesPerSecond: 1.008 * tera,
    bf16Flops: 165 * tera,
    fp8Flops: 330 * tera,
    nvlink: "none",
  },
  // RTX Blackwell white paper. 31.36 GiB in logs.
  {
    name: "nvidia-rtx-5090",
    aliases: ["nvidia-geforce-rtx-5090"],
    label: "RTX 5090 32GB",
    vendor: "nvidia",
    architecture: "blackwell",
    computeCapability: "12.0",
    visibleBytes: gib(31.36),
    memoryBytesPerSecond: 1.792 * tera,
    bf16Flops: 209 * tera,
    fp8Flops: 419 * tera,
    fp4Flops: 1676 * tera,
    nvlink: "none",
  },
  // RTX PRO Blackwell white paper; bandwidth of the server edition (workstation: 1.792 TB/s). 94.95 to 95.01 GiB in logs.
  {
    name: "nvidia-rtx-pro-6000",
    aliases: [
      "nvidia-rtx-pro-6000-blackwell-server-edition",
      "nvidia-rtx-pro-6000-blackwell-workstation-edition",
    ],
    label: "RTX PRO 6000 96GB",
    vendor: "nvidia",
    architecture: "blackwell",
    computeCapability: "12.0",
    visibleBytes: gib(94.95),
    memoryBytesPerSecond: 1.597 * tera,
    bf16Flops: 503 * tera,
    fp8Flops: 1007 * tera,
    fp4Flops: 2015 * tera,
    nvlink: "none",
  },
];
