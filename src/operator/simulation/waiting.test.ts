// Full pools: what waits says why, and freed GPUs reach it; clocks in status stand still while nothing changes.
import { expect, test } from "vitest";
import { oneGpu, twoNodes, wholeNode } from "../testing/example-specs.ts";
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
  sim.apply({
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: "urgent" },
    value: 1000,
  } as never);
  sim.llama("first", wholeNode);
  await sim.settle();
  sim.llama("urgent", { ...wholeNode, podTemplate: { priorityClassName: "urgent" } });
  await sim.settle();
  sim.addNodes(1);
  await sim.settle();
  sim.expectCondition("urgent", { type: "Ready", status: "True" });
  sim.expectCondition("first", { type: "Scheduled", status: "False", reason: "WaitingForGpus" });
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
