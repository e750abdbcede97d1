import { describe, expect, test } from "vitest";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import { deletionCostAnnotation, victimAnnotation } from "../workloads/deletion-cost.ts";
import { podLabels } from "../workloads/labels.ts";
import { projectPod } from "./pod.ts";

const restarted = {
  name: "engine",
  restartCount: 3,
  state: { running: { startedAt: "2026-11-23T10:05:00Z" } },
  lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
};

function pod(metadata: Partial<Live<KubeObject>["metadata"]>, containerStatuses: readonly unknown[] = []) {
  const identity = { name: "llama-0", namespace: "team", uid: "1", resourceVersion: "7" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...identity, creationTimestamp: "2026-11-23T10:00:00Z", ...metadata },
    spec: { containers: [{ resources: { limits: { "nvidia.com/gpu": "8", cpu: "4" } } }] },
    status: { phase: "Running", podIP: "10.0.0.1", containerStatuses },
  } as Live<KubeObject>;
}

const ours = { labels: podLabels("llama", "0a1b", "serving") };

describe("of a pod of ours", () => {
  test("the cache keeps its age, its address, and how often its engine was started again", () => {
    expect(projectPod(pod(ours, [{ name: "sidecar", restartCount: 9 }, restarted]))).toMatchObject({
      createdAt: "2026-11-23T10:00:00Z",
      address: "10.0.0.1",
      devices: { "nvidia.com/gpu": 8 },
      engine: {
        startedAt: "2026-11-23T10:05:00Z",
        restarts: 3,
        lastExit: { exitCode: 137, reason: "OOMKilled", message: "" },
      },
    });
  });

  test("an engine that was never started again has no restarts", () => {
    const { engine } = projectPod(pod(ours, [{ name: "engine", restartCount: 0 }]));
    expect(engine).toEqual({});
  });

  test("the operator's mark of a victim is kept, and neither costs of others nor any other annotation", () => {
    const annotated = (annotations: Record<string, string>) => projectPod(pod({ ...ours, annotations }));
    expect(annotated({ [victimAnnotation]: "true" }).isVictim).toBe(true);
    expect(annotated({ [deletionCostAnnotation]: "-1000" })).not.toHaveProperty("isVictim");
    expect(annotated({ [victimAnnotation]: "true" }).metadata).not.toHaveProperty("annotations");
  });
});

test("of a foreign pod only the devices it holds are kept", () => {
  const projected = projectPod(pod({ labels: { app: "web" } }, [restarted]));
  expect(projected).toEqual({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "llama-0", namespace: "team", uid: "1", resourceVersion: "7" },
    devices: { "nvidia.com/gpu": 8 },
    phase: "Running",
    ready: false,
    engine: {},
  });
});
