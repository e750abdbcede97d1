// Pods that fail and nodes that go: what status says, and that what can be made good is.
import { expect, test } from "vitest";
import { oneGpu, twoNodes } from "../testing/example-specs.ts";
import { simulate } from "../testing/simulation.ts";

test("an engine that dies is back by itself, and status tells so meanwhile", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.forgetWrites();
  sim.failPod(sim.pods("chat")[0], 137, "Killed");
  await sim.pass(5);
  sim.expectCondition("chat", { type: "Available", status: "False", reason: "NoReplicaReady" });
  sim.expectCondition("chat", {
    type: "Ready",
    status: "False",
    reason: "EngineFailed",
    message: "OOMKilled",
  });
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  expect(sim.effects()).toEqual([]);
});

test("an engine that cannot start is quoted, without what looks like a token", async () => {
  const sim = simulate();
  sim.engines("chat", { exitCode: 1, lastWords: "Traceback\nOSError: no access with hf_abcdefghijklmnop" });
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", {
    type: "ModelLoaded",
    status: "False",
    reason: "EngineFailed",
    message: "exit code 1 (Error): OSError: no access with hf_…",
  });
  sim.forgetWrites();
  await sim.pass(1800);
  // It crashes on, and there is nothing new to say of it.
  expect(sim.written()).toEqual([]);
  sim.healEngines();
  await sim.pass(600);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("an image that cannot be pulled is a wait, and ends when it can", async () => {
  const sim = simulate();
  sim.engines("chat", { imagePullError: "unauthorized" });
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", {
    type: "Ready",
    status: "False",
    reason: "ImageNotPulled",
    message: "unauthorized",
  });
  sim.expectCondition("chat", { type: "Reconciling", status: "True" });
  sim.healEngines();
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  expect(sim.events("chat")).toEqual(["Normal Fits", "Warning ImageNotPulled", "Normal Serving"]);
});

test("of several replicas one that fails is named while the others answer", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 3 });
  await sim.settle();
  sim.failPod(sim.pods("chat")[1]);
  await sim.pass(5);
  sim.expectCondition("chat", { type: "Available", status: "True", message: "2 replicas answer" });
  sim.expectCondition("chat", { type: "Ready", status: "False", reason: "EngineFailed" });
  expect(sim.endpoints("chat")).toHaveLength(2);
});

test("a pod that somebody deletes is replaced", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const [before] = sim.pods("chat");
  sim.deletePod(before);
  await sim.pass(3);
  expect(sim.endpoints("chat")).toEqual([]);
  sim.expectCondition("chat", { type: "Available", status: "False" });
  await sim.settle();
  expect(sim.pods("chat").map(({ metadata }) => metadata.uid)).not.toContain(before?.metadata.uid);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("a node that falls silent and comes back has its engines started again", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.loseNode("node-1");
  await sim.pass(100);
  sim.expectCondition("chat", { type: "Available", status: "False" });
  sim.bringNodeBack("node-1");
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  expect(sim.pods("chat")[0]?.status?.containerStatuses?.[0]?.restartCount).toBe(1);
});

test("a node that stays silent loses its replica to another node", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("chat", oneGpu);
  await sim.settle();
  const lost = sim.pods("chat")[0]?.spec.nodeName ?? "";
  sim.loseNode(lost);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  const [answering] = sim.endpoints("chat");
  expect(sim.pods("chat").find(({ metadata }) => metadata.name === answering)?.spec.nodeName).not.toBe(lost);
  sim.removeNode(lost);
  await sim.settle();
  expect(sim.pods("chat")).toHaveLength(1);
});

test("a group that loses a node is made again on the nodes that are left", async () => {
  const sim = simulate({ nodes: 3 });
  sim.llama("big", twoNodes);
  await sim.settle();
  const lost = sim.pods("big")[1]?.spec.nodeName ?? "";
  sim.removeNode(lost);
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True" });
  expect(sim.pods("big").map(({ spec }) => spec.nodeName)).not.toContain(lost);
});

test("a node without room is no room, though it is cordoned only", async () => {
  const sim = simulate();
  sim.cordon("node-1");
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", { type: "Scheduled", status: "False", reason: "WaitingForGpus" });
  sim.cordon("node-1", false);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});
