// Replicas and status from pods, as a table of small worlds.
import { describe, expect, test } from "vitest";
import type { Pod } from "../../observed/pod.ts";
import { replicaOf } from "./replica.ts";

function pod(over: Partial<Pod> = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default", uid: "u", resourceVersion: "1" },
    nodeName: "node-0",
    devices: { "nvidia.com/gpu": 8 },
    phase: "Running",
    ready: true,
    engine: { startedAt: "2026-11-23T10:00:00Z" },
    ...over,
  };
}

describe("a replica", () => {
  test("of a group answers only once every rank is there and Ready", () => {
    expect(replicaOf("r", 2, [pod()]).ready).toBe(false);
    expect(replicaOf("r", 2, [pod(), pod({ ready: false })]).ready).toBe(false);
    expect(replicaOf("r", 2, [pod(), pod()]).ready).toBe(true);
  });

  test("does not count pods that are leaving", () => {
    const leaving = pod({
      metadata: { ...pod().metadata, deletionTimestamp: "2026-11-23T10:00:00Z" },
    });
    expect(replicaOf("r", 1, [leaving])).toMatchObject({ ready: false, placed: false, pods: [] });
  });

  test("quotes the engine's last words, on one line and without tokens", () => {
    const lastExit = {
      exitCode: 1,
      reason: "Error",
      message: "Traceback\n  File x\nValueError: To serve at least one request hf_abcdefgh12345678 …\n",
    };
    const replica = replicaOf("r", 1, [pod({ ready: false, engine: { lastExit } })]);
    expect(replica.failure).toEqual({
      reason: "EngineFailed",
      message: "the engine ended with exit code 1 (Error): ValueError: To serve at least one request hf_… …",
    });
  });

  test("says so where the engine ended without a word, or was never configured", () => {
    const lastExit = { exitCode: 137, reason: "OOMKilled", message: "\n \n" };
    expect(replicaOf("r", 1, [pod({ ready: false, engine: { lastExit } })]).failure).toEqual({
      reason: "EngineFailed",
      message: "the engine ended with exit code 137 (OOMKilled): it said nothing",
    });
    const waiting = { reason: "CreateContainerConfigError", message: 'configmap "c" not found' };
    expect(replicaOf("r", 1, [pod({ ready: false, engine: { waiting } })]).failure).toEqual({
      reason: "EngineFailed",
      message: `the engine's container waits: configmap "c" not found`,
    });
  });

  test("of a group is named by its slot, also while it has no pod", () => {
    expect(replicaOf("r", 2, [], 1)).toMatchObject({ id: "slot-1", placed: false, ready: false, pods: [] });
  });

  test("names the Secret that its container waits for", () => {
    const waiting = { reason: "CreateContainerConfigError", message: 'secret "hf-token" not found' };
    const replica = replicaOf("r", 1, [pod({ ready: false, engine: { waiting } })]);
    expect(replica.failure).toEqual({
      reason: "SecretNotFound",
      message: `the engine's container waits: secret "hf-token" not found`,
    });
  });
});
