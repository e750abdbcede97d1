import { describe, expect, test } from "vitest";
import { findMachineShape, machineShapes } from "../../catalog/machine-shapes.ts";
import { examplePool, exampleSpec } from "../../testing/example-pools.ts";
import type { Plan } from "../plan.ts";
import { plan } from "../planner.ts";

const gibibyte = 2 ** 30;

function planned(tensor: number, pool: Readonly<Record<string, unknown>>): Plan {
  const source = { persistentVolumeClaim: { claimName: "weights" } };
  const spec = exampleSpec({ model: { name: "llama-3.1-8b-instruct", source }, parallelism: { tensor } });
  const result = plan({ spec, pools: [examplePool("pool", pool)] });
  if (result.kind === "refusal") throw new Error(result.message);
  return result;
}

describe("a pod's requests", () => {
  test.each(machineShapes)("with all GPUs of a $name leave room for daemonsets", (shape) => {
    const { pod } = planned(shape.gpusPerNode, {
      gpu: { product: shape.gpu, perNode: shape.gpusPerNode },
      machineShape: shape.name,
    });
    expect(pod.cpuMillicores).toBeLessThanOrEqual(shape.allocatable.cpuMillicores - 2000);
    expect(pod.memoryBytes).toBeLessThanOrEqual(shape.allocatable.memoryBytes - 8 * gibibyte);
    expect(pod.ephemeralStorageBytes).toBeLessThan(shape.allocatable.ephemeralStorageBytes);
    expect(pod.cpuMillicores).toBeGreaterThan(shape.allocatable.cpuMillicores * 0.8);
    expect(pod.memoryBytes).toBeGreaterThan(shape.allocatable.memoryBytes * 0.88);
  });

  test("are the share of its GPUs, so that eight pods of one GPU fit a node", () => {
    const machineShape = "a3-highgpu-8g";
    const { pod } = planned(1, { gpu: { product: "nvidia-h100-80gb", perNode: 8 }, machineShape });
    const offered = findMachineShape(machineShape)?.allocatable;
    expect(pod.cpuMillicores * 8).toBeLessThanOrEqual(offered?.cpuMillicores ?? 0);
    expect(pod.memoryBytes * 8).toBeLessThanOrEqual(offered?.memoryBytes ?? 0);
    expect(pod.sharedMemoryBytes).toBe(16 * gibibyte);
  });

  test("follow what the pool says of its nodes over its machine shape", () => {
    const { pod } = planned(8, {
      gpu: { product: "nvidia-h100-80gb", perNode: 8, resourceName: "example.com/gpu" },
      machineShape: "a3-highgpu-8g",
      allocatable: { cpu: "100", memory: "1000Gi" },
    });
    expect(pod.cpuMillicores).toBe(98_000);
    expect(pod.memoryBytes).toBe(992 * gibibyte);
    expect(pod.gpuResourceName).toBe("example.com/gpu");
  });

  test("are a rule of thumb where nothing is known of the node, and the plan says so", () => {
    const { pod, because } = planned(2, { gpu: { product: "nvidia-h100-80gb", perNode: 8 } });
    expect(pod.cpuMillicores).toBe(16_000);
    expect(pod.memoryBytes).toBe(192 * gibibyte);
    expect(because.join()).toContain("CPU and memory are requested by rule of thumb");
  });
});
