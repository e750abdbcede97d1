import { describe, expect, test } from "vitest";
import { fabrics } from "./fabrics.ts";
import { findGpu, gpuResourceName } from "./gpus.ts";
import { findMachineShape, machineShapes } from "./machine-shapes.ts";

const gibibyte = 2 ** 30;

describe("machine shapes", () => {
  test.each(machineShapes)("$name has a GPU of the catalog, and keeps a part of itself", (shape) => {
    expect(findGpu(shape.gpu)).toBeDefined();
    expect(shape.allocatable.memoryBytes).toBeLessThan(shape.memoryBytes);
    expect(shape.allocatable.cpuMillicores).toBeLessThan(shape.cpuCores * 1000);
    expect(shape.nvlinkDomain).toBeLessThanOrEqual(shape.gpusPerNode);
    expect(shape.allocatable.ephemeralStorageBytes).toBeGreaterThan(0);
  });

  test("follow the clouds' reservation formulas", () => {
    const highgpu = findMachineShape("a3-highgpu-8g");
    // 208 cores less 60 + 10 + 10 + 204 x 2.5 millicores; 6000 GiB of SSD less 100, less a tenth.
    expect(highgpu?.allocatable.cpuMillicores).toBe(207_410);
    expect(highgpu?.allocatable.ephemeralStorageBytes).toBe(5310 * gibibyte);
    expect(findMachineShape("Standard_NC40ads_H100_v5")?.allocatable.cpuMillicores).toBe(39_500);
  });

  test("give EKS nodes the published figures, and 17 GiB of disk until the NVMe disks are joined", () => {
    const p5 = findMachineShape("p5.48xlarge");
    expect(p5?.allocatable.memoryBytes).toBe(1_938_410 * 2 ** 20);
    expect(p5?.allocatable.ephemeralStorageBytes).toBe(17 * gibibyte);
  });

  test("without a local SSD keep part of their boot disk", () => {
    // 100 GiB less 6 + 35, less a tenth.
    expect(findMachineShape("a2-highgpu-8g")?.allocatable.ephemeralStorageBytes).toBe(53 * gibibyte);
  });

  test("of Intel leave pods less than those of AMD", () => {
    expect(findMachineShape("p5en.48xlarge")?.allocatable.memoryBytes).toBe(1_937_332 * 2 ** 20);
  });

  test("with GPUs on PCIe alone let tensor parallel span them all", () => {
    expect(findMachineShape("g6e.48xlarge")).toMatchObject({ gpusPerNode: 8, nvlinkDomain: 8 });
  });

  test("of AMD are asked for by AMD's resource", () => {
    expect(gpuResourceName(findMachineShape("BM.GPU.MI300X.8")?.gpu ?? "")).toBe("amd.com/gpu");
    expect(gpuResourceName(findMachineShape("a3-highgpu-8g")?.gpu ?? "")).toBe("nvidia.com/gpu");
  });

  test("have names that are looked up exactly", () => {
    expect(findMachineShape("a3-highgpu-8g")?.nodeLabels["cloud.google.com/gke-accelerator"]).toBe(
      "nvidia-h100-80gb",
    );
    expect(findMachineShape("A3-HIGHGPU-8G")).toBeUndefined();
  });
});

test.each(Object.values(fabrics))("$type asks for a privileged namespace only for what it adds", (fabric) => {
  const needsMore = fabric.capabilities.length + fabric.hostPaths.length > 0;
  expect(fabric.podSecurity).toBe(needsMore ? "privileged" : "restricted");
});
