// Which GPU a node has, from the labels that clouds and NVIDIA's feature discovery put on it.

const gibibyte = 2 ** 30;

export interface Gpu {
  readonly name: string;
  /** What CUDA shows as total memory, in bytes: less than the data sheet's. */
  readonly visibleBytes: number;
  /** Data sheet, bytes a second. */
  readonly memoryBandwidth: number;
  /** Dense bf16, floating-point operations a second (data sheet). */
  readonly bf16Flops: number;
  readonly isA100: boolean;
}

const h100: Gpu = {
  name: "NVIDIA H100 80GB HBM3",
  visibleBytes: Math.round(79.18 * gibibyte),
  memoryBandwidth: 3.35e12,
  bf16Flops: 989e12,
  isA100: false,
};
const h200: Gpu = {
  name: "NVIDIA H200",
  visibleBytes: Math.round(139.8 * gibibyte),
  memoryBandwidth: 4.8e12,
  bf16Flops: 989e12,
  isA100: false,
};
const b200: Gpu = {
  name: "NVIDIA B200",
  visibleBytes: Math.round(178.35 * gibibyte),
  memoryBandwidth: 8e12,
  bf16Flops: 2250e12,
  isA100: false,
};
const a100of80: Gpu = {
  name: "NVIDIA A100-SXM4-80GB",
  visibleBytes: Math.round(79.15 * gibibyte),
  memoryBandwidth: 2.04e12,
  bf16Flops: 312e12,
  isA100: true,
};
const a100of40: Gpu = {
  name: "NVIDIA A100-SXM4-40GB",
  visibleBytes: Math.round(39.39 * gibibyte),
  memoryBandwidth: 1.555e12,
  bf16Flops: 312e12,
  isA100: true,
};
const l4: Gpu = {
  name: "NVIDIA L4",
  visibleBytes: Math.round(22.05 * gibibyte),
  memoryBandwidth: 0.3e12,
  bf16Flops: 121e12,
  isA100: false,
};

/** Product label of GPU feature discovery, accelerator label of GKE, instance type of EKS and AKS. */
const patterns: readonly (readonly [RegExp, Gpu])[] = [
  [/h200|p5e|nd96isr_h200|a3-ultragpu/i, h200],
  [/h100|\bp5\.|p5-|nd96isr_h100|a3-(?:high|mega|edge)gpu/i, h100],
  [/b200|p6-b200|a4-highgpu/i, b200],
  [/a100.*80|80.*a100|p4de|nd96amsr_a100|a2-ultragpu/i, a100of80],
  [/a100|p4d|a2-highgpu/i, a100of40],
  [/\bl4\b|nvidia-l4|g6\.|g2-standard/i, l4],
];

const labels = [
  "nvidia.com/gpu.product",
  "cloud.google.com/gke-accelerator",
  "karpenter.k8s.aws/instance-gpu-name",
  "node.kubernetes.io/instance-type",
];

/** The GPU that a node's labels name, or `undefined` when none does. */
export function gpuOfNode(nodeLabels: Readonly<Record<string, string>>): Gpu | undefined {
  for (const label of labels) {
    const value = nodeLabels[label];
    const gpu = value === undefined ? undefined : patterns.find(([pattern]) => pattern.test(value))?.[1];
    if (gpu !== undefined) return gpu;
  }
  return undefined;
}
