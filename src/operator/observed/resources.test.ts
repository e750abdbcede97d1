import { expect, test } from "vitest";
import { allocatableOf, noResources, requestsOf } from "./resources.ts";

const container = (cpu: string, memory = "0") => ({ resources: { requests: { cpu, memory } } });

test("a pod requests what its containers and sidecars do, or one init container where that is more", () => {
  const spec = {
    containers: [container("500m", "1Gi"), container("1", "1Gi")],
    initContainers: [
      { ...container("100m"), restartPolicy: "Always" },
      container("4", "1Mi"),
      { ...container("200m"), restartPolicy: "Always" },
    ],
    overhead: { cpu: "250m", "ephemeral-storage": "1k" },
  };
  expect(requestsOf(spec)).toEqual({
    cpuMillicores: 4100 + 250,
    memoryBytes: 2 ** 31,
    ephemeralStorageBytes: 1000,
  });
});

test("a pod that requests nothing costs no object of its own", () => {
  expect(requestsOf({ containers: [{}] })).toBe(noResources);
  expect(requestsOf(undefined)).toBe(noResources);
});

test("a resource that a node does not state is not limited", () => {
  expect(allocatableOf({ cpu: "1930m" })).toEqual({
    cpuMillicores: 1930,
    memoryBytes: Infinity,
    ephemeralStorageBytes: Infinity,
  });
});
