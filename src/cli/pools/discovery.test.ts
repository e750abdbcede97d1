import { expect, test } from "vitest";
import { findMachineShape } from "@llama-operator/llama/catalog";
import { discoverPools } from "./discovery.ts";
import type { DiscoveredNode } from "./discovery.ts";

const gibibyte = 2 ** 30;

/** A node as its cloud makes it, from the catalog's machine shape. */
function nodeOf(shapeName: string, change: Partial<DiscoveredNode> = {}): DiscoveredNode {
  const shape = findMachineShape(shapeName);
  if (shape === undefined) throw new RangeError(shapeName);
  return {
    name: `${shapeName}-0`,
    taints: shape.nodeTaints,
    ...change,
    labels: { ...shape.nodeLabels, ...change.labels },
    allocatable: {
      cpu: `${shape.allocatable.cpuMillicores}m`,
      memory: `${shape.allocatable.memoryBytes / 1024}Ki`,
      "ephemeral-storage": String(shape.allocatable.ephemeralStorageBytes),
      "nvidia.com/gpu": String(shape.gpusPerNode),
      ...change.allocatable,
    },
  };
}

test("nodes of one GKE node pool become one GpuPool, named and selected by the node pool", () => {
  const labels = { "cloud.google.com/gke-nodepool": "h100" };
  const { pools, skipped, withoutGpu } = discoverPools([
    nodeOf("a3-highgpu-8g", { name: "a", labels }),
    nodeOf("a3-highgpu-8g", { name: "b", labels }),
    { name: "system", labels: {}, taints: [], allocatable: { cpu: "4" } },
  ]);
  expect(pools).toEqual([
    {
      apiVersion: "llama-operator.dev/v1alpha1",
      kind: "GpuPool",
      metadata: { name: "h100" },
      spec: {
        gpu: { product: "nvidia-h100-80gb", perNode: 8, resourceName: "nvidia.com/gpu" },
        machineShape: "a3-highgpu-8g",
        nodeSelector: { "cloud.google.com/gke-nodepool": "h100" },
        tolerations: [{ key: "nvidia.com/gpu", operator: "Equal", value: "present", effect: "NoSchedule" }],
      },
    },
  ]);
  expect(skipped).toEqual([]);
  expect(withoutGpu).toBe(1);
});

test("nodes without a pool's label are grouped and selected by machine and GPU", () => {
  const { pools } = discoverPools([nodeOf("p5.48xlarge"), nodeOf("a3-highgpu-8g")]);
  expect(pools.map(({ metadata }) => metadata.name)).toEqual(["a3-highgpu-8g", "p5.48xlarge"]);
  expect(pools[1]?.spec.nodeSelector).toEqual({
    "node.kubernetes.io/instance-type": "p5.48xlarge",
    "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
  });
});

test("a node that offers less than its machine should is described by what it offers", () => {
  const { pools } = discoverPools([
    nodeOf("a3-highgpu-8g", { name: "a" }),
    nodeOf("a3-highgpu-8g", { name: "b", allocatable: { memory: "1700Gi" } }),
  ]);
  expect(pools[0]?.spec.allocatable).toEqual({ memory: "1700Gi" });
});

test("a machine that the catalog lacks is described whole", () => {
  const { pools } = discoverPools([
    {
      name: "gd-1",
      labels: {
        "compute.coreweave.com/node-pool": "H100_Pool",
        "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
      },
      taints: [],
      allocatable: {
        cpu: "126",
        memory: `${2000 * gibibyte}`,
        "ephemeral-storage": "7Ti",
        "nvidia.com/gpu": "8",
      },
    },
  ]);
  expect(pools[0]?.metadata.name).toBe("h100-pool");
  expect(pools[0]?.spec.machineShape).toBeUndefined();
  expect(pools[0]?.spec.allocatable).toEqual({
    cpu: "126",
    memory: String(2000 * gibibyte),
    ephemeralStorage: "7Ti",
  });
});

test("spot capacity and EFA are read off the node; taints that come and go are not", () => {
  const { pools } = discoverPools([
    nodeOf("p5.48xlarge", {
      labels: { "eks.amazonaws.com/capacityType": "SPOT", "eks.amazonaws.com/nodegroup": "p5-spot" },
      taints: [
        { key: "nvidia.com/gpu", effect: "NoSchedule" },
        { key: "node.kubernetes.io/not-ready", effect: "NoExecute" },
        { key: "a-preference", effect: "PreferNoSchedule" },
      ],
      allocatable: { "vpc.amazonaws.com/efa": "32" },
    }),
  ]);
  expect(pools[0]?.spec).toMatchObject({
    capacity: "spot",
    fabric: { type: "efa", resources: { "vpc.amazonaws.com/efa": "32" } },
    tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }],
  });
});

test("two sizes of node in one node pool are two GpuPools that tell them apart", () => {
  const labels = { "karpenter.sh/nodepool": "gpu" };
  const { pools } = discoverPools([nodeOf("p5.48xlarge", { labels }), nodeOf("p5.4xlarge", { labels })]);
  expect(pools.map(({ metadata, spec }) => [metadata.name, spec.gpu.perNode])).toEqual([
    ["gpu", 8],
    ["gpu-2", 1],
  ]);
  expect(pools[1]?.spec.nodeSelector).toMatchObject({
    "karpenter.sh/nodepool": "gpu",
    "node.kubernetes.io/instance-type": "p5.4xlarge",
  });
});

test("a GPU that nobody knows is left out and said so", () => {
  const allocatable = { "nvidia.com/gpu": "8" };
  const { pools, skipped } = discoverPools([
    { name: "a", labels: {}, taints: [], allocatable },
    { name: "b", labels: { "nvidia.com/gpu.product": "Tesla-K80" }, taints: [], allocatable },
  ]);
  expect(pools).toEqual([]);
  expect(skipped.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/^no label says which GPU/),
    "the catalog has no GPU Tesla-K80",
  ]);
});
