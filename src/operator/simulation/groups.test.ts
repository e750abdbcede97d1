// Replicas over several nodes: LeaderWorkerSet late, absent or removed, ranks that fail, and groups that compete.
import { expect, test } from "vitest";
import { oneGpu, twoNodes } from "../testing/example-specs.ts";
import { foreignPod } from "../testing/manifests.ts";
import { simulate } from "../testing/simulation.ts";

test("without LeaderWorkerSet it waits and says what to install, and goes on once that is there", async () => {
  const sim = simulate({ nodes: 2, leaderWorkerSet: false });
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.expectCondition("big", { type: "Reconciling", status: "True", reason: "LeaderWorkerSetMissing" });
  sim.expectCondition("big", { type: "Planned", status: "True" });
  expect(sim.effects()).toEqual([]);
  sim.serveLeaderWorkerSets(true);
  await sim.until("it is ready", () => sim.condition("big", "Ready")?.status === "True", 180);
  expect(sim.events("big")).toEqual(["Normal Fits", "Warning LeaderWorkerSetMissing", "Normal Serving"]);
});

test("models on one node need no LeaderWorkerSet", async () => {
  const sim = simulate({ leaderWorkerSet: false });
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("LeaderWorkerSet removed takes its groups along, and they come back with it", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.serveLeaderWorkerSets(false);
  await sim.pass(120);
  sim.expectCondition("big", { type: "Ready", status: "False", reason: "LeaderWorkerSetMissing" });
  sim.expectCondition("big", { type: "Available", status: "False" });
  expect(sim.pods("big")).toEqual([]);
  sim.serveLeaderWorkerSets(true);
  await sim.until("it is ready", () => sim.condition("big", "Ready")?.status === "True", 300);
});

test("a LeaderWorkerSet controller that is late changes nothing but the time", async () => {
  const sim = simulate({ nodes: 2 });
  sim.pauseController("leader-worker-set");
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.expectCondition("big", { type: "Scheduled", status: "Unknown", reason: "PlacingPods" });
  sim.forgetWrites();
  sim.pauseController("leader-worker-set", false);
  await sim.settle();
  expect(sim.effects()).toEqual([]);
  sim.expectCondition("big", { type: "Ready", status: "True" });
});

test("a rank that dies takes its group along, and the operator has nothing to write but status", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("big", twoNodes);
  await sim.settle();
  const before = sim.pods("big").map(({ metadata }) => metadata.uid);
  sim.forgetWrites();
  sim.failPod(sim.pods("big").at(-1), 1, "RuntimeError: NCCL timeout");
  await sim.pass(10);
  sim.expectCondition("big", { type: "Available", status: "False", reason: "NoReplicaReady" });
  await sim.settle();
  expect(sim.effects()).toEqual([]);
  sim.expectCondition("big", { type: "Ready", status: "True" });
  expect(sim.pods("big")).toHaveLength(2);
  expect(before).not.toContain(sim.pods("big")[0]?.metadata.uid);
  expect(sim.events("big")).toContain("Warning EngineFailed");
});

test("two groups never each hold half of what they need", async () => {
  const sim = simulate({ nodes: 3 });
  sim.llama("one", twoNodes);
  sim.llama("two", twoNodes);
  await sim.settle();
  expect(sim.list("LeaderWorkerSet")).toHaveLength(1);
  sim.expectCondition("one", { type: "Ready", status: "True" });
  sim.expectCondition("two", {
    type: "Scheduled",
    status: "False",
    reason: "WaitingForGpus",
    message: "needs 2 nodes with 8 free GPUs",
  });
  sim.delete("LlamaDeployment", "one");
  await sim.settle();
  sim.expectCondition("two", { type: "Ready", status: "True" });
});

test("nodes for a group are free but scattered: that is said, and a node made whole starts it", async () => {
  const sim = simulate({ nodes: 2 });
  for (const node of ["node-1", "node-2"]) sim.apply(foreignPod(`other-on-${node}`, node, 1));
  sim.addNodes(1);
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.expectCondition("big", { type: "Scheduled", status: "False", reason: "Fragmented" });
  sim.delete("Pod", "other-on-node-1");
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True" });
});

test("what a pass promised to its group is given back when the write fails", async () => {
  const sim = simulate({ nodes: 2 });
  sim.refuse({ verb: "apply", kind: "LeaderWorkerSet" }, new Error("webhook is away"), 3);
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True" });
  expect(sim.list("LeaderWorkerSet")).toHaveLength(1);
});

// A group asks only for whole nodes, while each model of one GPU would take what comes. The group is older than all of
// them.
test("a group over two nodes does not starve behind models of one GPU that keep coming", async () => {
  const sim = simulate({ nodes: 2 });
  for (let index = 0; index < 16; index += 1) sim.llama(`small-${index}`, oneGpu);
  await sim.settle();
  sim.llama("big", twoNodes);
  await sim.settle();
  for (let round = 0; round < 16; round += 1) {
    sim.llama(`later-${round}`, oneGpu);
    await sim.pass(5);
    sim.delete("LlamaDeployment", `small-${round}`);
    await sim.pass(60);
  }
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True" });
});
