import { expect, test } from "vitest";
import { findMachineShape, type MachineShape, machineShapes } from "@llama-operator/llama/catalog";
import { simulatedNode } from "./nodes.ts";

function shapeNamed(name: string): MachineShape {
  const shape = findMachineShape(name);
  if (shape === undefined) {
    throw new Error(`the catalog lacks ${name}`);
  }
  return shape;
}

const place = { addressBlock: "127.3" };

test("a GKE node offers what its shape says and carries its cloud's labels and taint", () => {
  const node = simulatedNode(shapeNamed("a3-highgpu-8g"), 2, place);
  expect(node.metadata.name).toBe("a3-highgpu-8g-2");
  expect(node.metadata.annotations).toMatchObject({ "kwok.x-k8s.io/node": "fake" });
  expect(node.metadata.labels).toMatchObject({
    "kubernetes.io/hostname": "a3-highgpu-8g-2",
    "node.kubernetes.io/instance-type": "a3-highgpu-8g",
    "cloud.google.com/gke-accelerator": "nvidia-h100-80gb",
    "topology.kubernetes.io/zone": "us-central1-a",
  });
  expect(node.spec.taints).toEqual([{ key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" }]);
  expect(node.status?.allocatable).toMatchObject({ "nvidia.com/gpu": "8", pods: "110" });
  expect(node.status?.addresses).toContainEqual({ type: "InternalIP", address: "127.3.224.3" });
});

test("a node with a fabric offers its devices", () => {
  const node = simulatedNode(shapeNamed("p5.48xlarge"), 0, place);
  expect(node.status?.allocatable).toMatchObject({ "vpc.amazonaws.com/efa": "32" });
  expect(node.status?.capacity).toMatchObject({ "vpc.amazonaws.com/efa": "32" });
});

test("a pool's labels and zone are added", () => {
  const node = simulatedNode(shapeNamed("a3-highgpu-8g"), 0, {
    ...place,
    zone: "us-central1-c",
    labels: { "cloud.google.com/gke-nodepool": "h100" },
  });
  expect(node.metadata.labels).toMatchObject({
    "topology.kubernetes.io/zone": "us-central1-c",
    "cloud.google.com/gke-nodepool": "h100",
  });
});

test.each(machineShapes.map((shape) => [shape.name, shape] as const))(
  "%s gives a name that Kubernetes takes, and no more allocatable than capacity",
  (_, shape) => {
    const { metadata, status } = simulatedNode(shape, 0, place);
    expect(metadata.name).toMatch(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
    const bytes = (list: "capacity" | "allocatable", resource: string) =>
      Number.parseInt(String(status?.[list]?.[resource]), 10);
    for (const resource of ["memory", "ephemeral-storage"]) {
      expect(bytes("allocatable", resource)).toBeLessThanOrEqual(bytes("capacity", resource));
    }
    expect(shape.allocatable.cpuMillicores).toBeLessThanOrEqual(shape.cpuCores * 1000);
  },
);
