// The first start of a model, from a manifest to an engine that answers, and what it may wait for on the way.
import { expect, test } from "vitest";
import { oneGpu, twoNodes } from "../testing/example-specs.ts";
import { gpuPool } from "../testing/manifests.ts";
import { simulate } from "../testing/simulation.ts";

test("a model on one GPU is planned, made, placed, loaded and answers", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True", reason: "Serving" });
  expect(sim.status("chat")).toMatchObject({
    replicas: 1,
    readyReplicas: 1,
    endpoint: "http://chat.models.svc/v1",
    plan: { pool: "h100", tensor: 1, gpusPerReplica: 1 },
  });
  expect(sim.effects()).toEqual([
    "create ServiceAccount chat",
    "create Service chat",
    "create PodDisruptionBudget chat",
    "create ControllerRevision chat@1",
    "create Deployment chat@1",
  ]);
  expect(sim.events("chat")).toEqual(["Normal Fits", "Normal Serving"]);
  expect(sim.endpoints("chat")).toEqual(sim.pods("chat").map(({ metadata }) => metadata.name));
});

test("a model over two nodes is one group, and its leader alone answers", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True", reason: "Serving" });
  expect(sim.status("big").plan).toMatchObject({ tensor: 8, pipeline: 2, nodesPerReplica: 2 });
  expect(sim.effects().at(-1)).toBe("create LeaderWorkerSet big@1/0");
  expect(new Set(sim.pods("big").map(({ spec }) => spec.nodeName))).toEqual(new Set(["node-1", "node-2"]));
  expect(sim.endpoints("big")).toEqual([sim.pods("big")[0]?.metadata.name]);
});

test("while weights load, status says until when, and is written once for it", async () => {
  const sim = simulate();
  sim.engines("chat", { startSeconds: 600 });
  sim.llama("chat", oneGpu);
  await sim.pass(60);
  sim.expectCondition("chat", {
    type: "ModelLoaded",
    status: "False",
    reason: "Loading",
    message: "expected to answer by 2026-01-01T00:0",
  });
  sim.forgetWrites();
  await sim.pass(500);
  expect(sim.written()).toEqual([]);
  await sim.settle();
  sim.expectCondition("chat", { type: "ModelLoaded", status: "True", reason: "Loaded" });
});

test("at rest nothing is written, however long it lasts", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.forgetWrites();
  await sim.pass(24 * 3600);
  expect(sim.written()).toEqual([]);
  sim.expectCondition("chat", { type: "Ready", status: "True", reason: "Serving" });
});

test("without a pool it waits, and goes on by itself when there is one", async () => {
  const sim = simulate({ pool: false });
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", { type: "Planned", status: "False", reason: "NoPool" });
  sim.expectCondition("chat", { type: "Reconciling", status: "True", reason: "NoPool" });
  sim.expectNoCondition("chat", "Stalled");
  expect(sim.effects()).toEqual([]);
  sim.apply(gpuPool());
  sim.addNodes(1);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True", reason: "Serving" });
  expect(sim.events("chat")).toEqual(["Warning NoPool", "Normal Fits", "Normal Serving"]);
});

test("a pool without nodes is planned for, and its first node takes the pods that wait", async () => {
  const sim = simulate({ nodes: 0 });
  sim.apply(gpuPool("h100", { nodes: { max: 2 }, capacity: "flexStart" }));
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", {
    type: "Scheduled",
    status: "False",
    reason: "WaitingForGpus",
    message: "(capacity: flexStart)",
  });
  expect(sim.pods("chat")).toHaveLength(1);
  sim.addNodes(1);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True", reason: "Serving" });
});

test("a missing claim is named, and the model starts once it is there", async () => {
  const sim = simulate();
  const source = { persistentVolumeClaim: { claimName: "weights", path: "8b" } };
  sim.llama("chat", { model: { ...oneGpu.model, source } });
  await sim.settle();
  sim.expectCondition("chat", {
    type: "Scheduled",
    status: "False",
    reason: "ClaimNotFound",
    message: "weights",
  });
  sim.apply({ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "weights" } });
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True", reason: "Serving" });
});

test("a missing token is named, and the model starts once it is there", async () => {
  const sim = simulate();
  const source = { huggingFace: { tokenSecretRef: { name: "hub", key: "token" } } };
  sim.llama("chat", { model: { ...oneGpu.model, source } });
  await sim.settle();
  sim.expectCondition("chat", {
    type: "ModelLoaded",
    status: "False",
    reason: "SecretNotFound",
    message: "hub",
  });
  sim.apply({ apiVersion: "v1", kind: "Secret", metadata: { name: "hub" } });
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True", reason: "Serving" });
  expect(sim.events("chat")).toEqual(["Normal Fits", "Warning SecretNotFound", "Normal Serving"]);
});

test("a pod's own ServiceAccount is used where the spec names one, and ours goes", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.forgetWrites();
  sim.edit("chat", { podTemplate: { serviceAccountName: "search" } });
  await sim.settle();
  expect(sim.effects()).toContain("delete ServiceAccount chat");
  expect(sim.objects()).not.toContain("ServiceAccount chat");
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});
