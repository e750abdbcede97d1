import { expect, test } from "vitest";

import { deviceStatus } from "./devices.ts";

const gpu = { resource: "nvidia.com/gpu", count: 8, needs: ["k8s-device-plugin"], conflicts: ["driver"] };
const node = (capacity: Record<string, string>, allocatable: Record<string, string>) => ({
  status: { capacity, allocatable },
});

test("a device is not announced before its plugin runs", () => {
  expect(deviceStatus(node({}, {}), [gpu], new Set())).toBeUndefined();
  expect(deviceStatus(node({}, {}), [gpu], new Set(["k8s-device-plugin"]))).toEqual({
    capacity: { "nvidia.com/gpu": "8" },
    allocatable: { "nvidia.com/gpu": "8" },
  });
});

test("a device whose plugin is gone, or whose driver is doubled, keeps its capacity and gives nothing", () => {
  const announced = node({ "nvidia.com/gpu": "8" }, { "nvidia.com/gpu": "8" });
  expect(deviceStatus(announced, [gpu], new Set(["k8s-device-plugin"]))).toBeUndefined();
  const withdrawn = { capacity: {}, allocatable: { "nvidia.com/gpu": "0" } };
  expect(deviceStatus(announced, [gpu], new Set())).toEqual(withdrawn);
  expect(deviceStatus(announced, [gpu], new Set(["k8s-device-plugin", "driver"]))).toEqual(withdrawn);
  expect(deviceStatus(node({ "nvidia.com/gpu": "8" }, { "nvidia.com/gpu": "0" }), [gpu], new Set())).toBe(
    undefined,
  );
});
