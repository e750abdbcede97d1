import { expect, test } from "vitest";
import { DeviceUse } from "./device-use.ts";
import { foreignPod } from "./testing/objects.ts";

const gpu = "nvidia.com/gpu";
const pod = foreignPod("p", "a", 6);
const { nodeName: _, ...unplaced } = pod;

test("a pod takes its GPUs from its node until it ends, however often it is seen", () => {
  const changed: string[] = [];
  const use = new DeviceUse((node) => changed.push(node));
  use.observe(unplaced);
  expect(use.used("a", gpu)).toBe(0);
  use.observe(pod);
  use.observe({ ...pod, ready: true });
  expect(use.used("a", gpu)).toBe(6);
  use.observe({ ...pod, phase: "Succeeded" });
  expect(use.used("a", gpu)).toBe(0);
  expect(changed).toEqual(["a", "a"]);
});

test("a pod that is deleted gives back what it was last seen to hold, once", () => {
  const use = new DeviceUse();
  use.observe(pod);
  use.forget({ ...pod, phase: "Failed" });
  use.forget(pod);
  expect(use.used("a", gpu)).toBe(0);
});
