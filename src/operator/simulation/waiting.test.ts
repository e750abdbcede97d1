// Full pools: what waits says why, and freed GPUs reach it; clocks in status stand still while nothing changes.
import { expect, test } from "vitest";
import { oneGpu, twoNodes, wholeNode } from "../testing/example-specs.ts";
import { priorityClass } from "../testing/manifests.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

test("GPUs that one object gives back go to the one that waits", async () => {
  const sim = simulate();
  sim.llama("first", wholeNode);
  await sim.settle();
  sim.llama("second", wholeNode);
  await sim.settle();
  sim.expectCondition("second", { type: "Scheduled", status: "False", reason: "WaitingForGpus" });
  sim.scale("first", 0);
  await sim.settle();
  sim.expectCondition("second", { type: "Ready", status: "True" });
  sim.expectCondition("first", { type: "Ready", status: "True", reason: "ScaledToZero" });
});

test("free GPUs that are enough but scattered over nodes are said to be so", async () => {
  const sim = simulate({ nodes: 2 });
  const limits = { "nvidia.com/gpu": "4" };
  for (const nodeName of ["node-1", "node-2"]) {
    sim.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `other-on-${nodeName}` },
      spec: { nodeName, containers: [{ name: "c", image: "other", resources: { limits } }] },
    } as never);
  }
  sim.llama("chat", wholeNode);
  await sim.settle();
  sim.expectCondition("chat", { type: "Scheduled", status: "False", reason: "Fragmented" });
  sim.expectCondition("chat", { type: "Ready", status: "False", message: "are enough but scattered" });
  sim.delete("Pod", "other-on-node-2");
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("two objects share a pool down to its last GPU", async () => {
  const sim = simulate();
  sim.llama("first", { ...oneGpu, replicas: 5 });
  sim.llama("second", { ...oneGpu, replicas: 3 });
  await sim.settle();
  sim.expectCondition("first", { type: "Ready", status: "True", message: "5 of 5" });
  sim.expectCondition("second", { type: "Ready", status: "True", message: "3 of 3" });
  expect(sim.get("GpuPool", "h100", "")).toMatchObject({ status: { gpus: { used: 8, freeWholeNodes: 0 } } });
});

test("pods of higher priority are placed first", async () => {
  const sim = simulate({ nodes: 0 });
  sim.apply(priorityClass("urgent", 1000));
  sim.llama("first", wholeNode);
  await sim.settle();
  sim.llama("urgent", { ...wholeNode, podTemplate: { priorityClassName: "urgent" } });
  await sim.settle();
  sim.addNodes(1);
  await sim.settle();
  sim.expectCondition("urgent", { type: "Ready", status: "True" });
  sim.expectCondition("first", { type: "Scheduled", status: "False", reason: "WaitingForGpus" });
});

test("of two groups that wait the older is served first, and that outlives a restart", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("running", twoNodes);
  await sim.settle();
  sim.llama("older", twoNodes);
  await sim.pass(60);
  sim.llama("later", twoNodes);
  await sim.settle();
  const since = sim.status("older").waitingForGpus?.since;
  sim.restartOperator();
  await sim.settle();
  expect(sim.status("older").waitingForGpus?.since).toBe(since);
  sim.expectCondition("later", { type: "Scheduled", status: "False", message: "models/older waits" });
  sim.delete("LlamaDeployment", "running");
  await sim.settle();
  sim.expectCondition("older", { type: "Ready", status: "True" });
  sim.expectCondition("later", { type: "Scheduled", status: "False", reason: "WaitingForGpus" });
  expect(sim.status("older")).not.toHaveProperty("waitingForGpus");
});

test("a group of higher priority is served before one that has waited longer", async () => {
  const sim = simulate({ nodes: 2 });
  sim.apply(priorityClass("urgent", 1000));
  sim.llama("running", twoNodes);
  await sim.settle();
  sim.llama("older", twoNodes);
  await sim.pass(60);
  sim.llama("urgent", { ...twoNodes, podTemplate: { priorityClassName: "urgent" } });
  await sim.settle();
  sim.scale("running", 0);
  await sim.settle();
  sim.expectCondition("urgent", { type: "Ready", status: "True" });
  sim.expectCondition("older", { type: "Scheduled", status: "False", reason: "WaitingForGpus" });
});

test("a model of one GPU behind a group is not made where the group needs the node", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("small", oneGpu);
  await sim.settle();
  sim.llama("big", twoNodes);
  await sim.pass(30);
  sim.llama("later", oneGpu);
  await sim.settle();
  expect(sim.pods("later")).toEqual([]);
  sim.expectCondition("later", { type: "Scheduled", status: "False", message: "models/big waits for GPUs" });
  sim.delete("LlamaDeployment", "small");
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True" });
  sim.addNodes(1);
  await sim.settle();
  sim.expectCondition("later", { type: "Ready", status: "True" });
});

function sinceOf(sim: Simulation, name: string, type: string): string | undefined {
  return sim.condition(name, type)?.lastTransitionTime;
}

test("a condition's time is that of its change", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const since = sinceOf(sim, "chat", "Planned");
  await sim.pass(100);
  sim.failPod(sim.pods("chat")[0]);
  await sim.pass(1);
  expect(sinceOf(sim, "chat", "Planned")).toBe(since);
  expect(sinceOf(sim, "chat", "Ready")).toMatch(/^2026-01-01T00:02:/);
});

test("a condition's time stays while only its message changes", async () => {
  const sim = simulate();
  sim.engines("chat", { exitCode: 1, lastWords: "ValueError: the first" });
  sim.llama("chat", oneGpu);
  await sim.settle();
  const since = sinceOf(sim, "chat", "ModelLoaded");
  sim.engines("chat", { exitCode: 1, lastWords: "ValueError: the second" });
  await sim.pass(600);
  sim.expectCondition("chat", { type: "ModelLoaded", status: "False", message: "the second" });
  expect(sinceOf(sim, "chat", "ModelLoaded")).toBe(since);
});

test("an old replica makes room in time though counts of the pool change meanwhile", async () => {
  const sim = simulate({ nodes: 3 });
  sim.llama("big", twoNodes);
  await sim.settle();
  const used = new Set(sim.pods("big").map(({ spec }) => spec.nodeName));
  const spare = ["node-1", "node-2", "node-3"].find((name) => !used.has(name)) ?? "";
  sim.edit("big", { context: { maxTokens: 65_536 } });
  for (let round = 0; round < 12; round += 1) {
    sim.cordon(spare, round % 2 === 0);
    await sim.pass(10);
  }
  expect(sim.effects()).toContain("delete LeaderWorkerSet big@1/0");
});

test("a model of a PriorityClass that is not there is told so, and goes on when it comes", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, podTemplate: { priorityClassName: "urgent" } });
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "False", reason: "PriorityClassNotFound" });
  expect(sim.list("Deployment")).toEqual([]);
  sim.apply(priorityClass("urgent", 1000));
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});
