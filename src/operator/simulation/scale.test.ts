// More replicas, fewer, none: what is written for it, and which pods go.
import { expect, test } from "vitest";
import { oneGpu, refusedEngine, twoNodes, wholeNode } from "../testing/example-specs.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

/** Names of the pods that carry the mark of a victim. */
function markedPods(sim: Simulation): readonly string[] {
  return sim
    .pods("chat")
    .filter(
      ({ metadata }) => metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"] !== undefined,
    )
    .map(({ metadata }) => metadata.name);
}

test("more replicas are one write of the Deployment, and all of them answer", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.forgetWrites();
  sim.scale("chat", 3);
  await sim.settle();
  expect(sim.effects()).toEqual(["change Deployment chat@1: spec.replicas 1 -> 3"]);
  sim.expectCondition("chat", { type: "Ready", status: "True", message: "3 of 3" });
  expect(sim.endpoints("chat")).toHaveLength(3);
});

test("fewer replicas keep the pods that answer: one that does not goes first", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 3 });
  await sim.settle();
  const [first, victim, last] = sim.pods("chat");
  sim.engines((pod) => pod.metadata.name === victim?.metadata.name, { startSeconds: 3600 });
  sim.failPod(victim);
  await sim.pass(30);
  sim.scale("chat", 2);
  await sim.settle();
  expect(sim.pods("chat").map(({ metadata }) => metadata.name)).toEqual([
    first?.metadata.name,
    last?.metadata.name,
  ]);
  sim.expectCondition("chat", { type: "Ready", status: "True", message: "2 of 2" });
});

test("of replicas that all answer the one that is marked goes", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 3 });
  await sim.settle();
  sim.forgetWrites();
  sim.scale("chat", 2);
  await sim.until("a pod is marked", () => markedPods(sim).length > 0);
  const [victim] = markedPods(sim);
  await sim.settle();
  expect(sim.effects()).toEqual([
    expect.stringContaining("llama-operator.dev/victim none -> true"),
    "change Deployment chat@1: spec.replicas 3 -> 2",
  ]);
  expect(sim.endpoints("chat")).toHaveLength(2);
  expect(sim.endpoints("chat")).not.toContain(victim);
});

test("a pod that stops answering in that instant goes instead, and the marked one serves on", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 3 });
  await sim.settle();
  sim.pauseController("replica-set");
  sim.scale("chat", 2);
  await sim.until("the Deployment is scaled", () => sim.written().some((write) => write.endsWith("3 -> 2")));
  const [victim = ""] = markedPods(sim);
  const unlucky = sim.pods("chat").find(({ metadata }) => metadata.name !== victim);
  sim.engines((pod) => pod.metadata.uid === unlucky?.metadata.uid, { startSeconds: 3600 });
  sim.failPod(unlucky);
  sim.pauseController("replica-set", false);
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(2);
  expect(sim.endpoints("chat")).toContain(victim);
  expect(markedPods(sim)).toEqual([]);
  sim.expectCondition("chat", { type: "Ready", status: "True", message: "2 of 2" });
});

test("at zero nothing is left of the pods, and that is Ready", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 2 });
  await sim.settle();
  sim.scale("chat", 0);
  await sim.pass(5);
  sim.expectCondition("chat", { type: "Ready", status: "False", reason: "RollingOut", message: "leaving" });
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True", reason: "ScaledToZero" });
  sim.expectCondition("chat", { type: "Available", status: "False", reason: "ScaledToZero" });
  expect(sim.status("chat")).toMatchObject({ replicas: 0, readyReplicas: 0 });
  expect(sim.pods("chat")).toEqual([]);
});

test("from zero it comes back as the revision that it was", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 0 });
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True", reason: "ScaledToZero" });
  sim.forgetWrites();
  sim.scale("chat", 1);
  await sim.settle();
  expect(sim.effects()).toEqual(["change Deployment chat@1: spec.replicas 0 -> 1"]);
  sim.expectCondition("chat", { type: "Ready", status: "True", reason: "Serving" });
});

test("replicas beyond the pool wait, and those that are there go on answering", async () => {
  const sim = simulate();
  sim.llama("chat", { ...wholeNode });
  await sim.settle();
  sim.scale("chat", 2);
  await sim.settle();
  sim.expectCondition("chat", {
    type: "Ready",
    status: "False",
    reason: "WaitingForGpus",
    message: "pool h100 has too few",
  });
  sim.expectCondition("chat", { type: "Available", status: "True" });
  expect(sim.status("chat")).toMatchObject({ replicas: 2, readyReplicas: 1 });
  sim.addNodes(1);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True", message: "2 of 2" });
});

test("a replica that waits for GPUs is the one that goes when it is wanted no more", async () => {
  const sim = simulate();
  sim.llama("chat", { ...wholeNode });
  await sim.settle();
  const [served] = sim.endpoints("chat");
  sim.scale("chat", 2);
  await sim.settle();
  sim.scale("chat", 1);
  await sim.settle();
  expect(sim.endpoints("chat")).toEqual([served]);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("groups are made one for each replica, and the one that answers is kept", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("big", { ...twoNodes, replicas: 2 });
  await sim.settle();
  expect(sim.objects()).toEqual(
    expect.arrayContaining(["LeaderWorkerSet big@1/0", "LeaderWorkerSet big@1/1"]),
  );
  const first = sim.pods("big").find(({ metadata }) => metadata.name.endsWith("-0"));
  sim.engines((pod) => pod.metadata.name === first?.metadata.name, { startSeconds: 3600 });
  sim.failPod(first);
  await sim.pass(300);
  sim.forgetWrites();
  sim.scale("big", 1);
  await sim.settle();
  expect(sim.effects()).toEqual(["delete LeaderWorkerSet big@1/0"]);
  sim.expectCondition("big", { type: "Ready", status: "True", message: "1 of 1" });
});

test("groups that the pool has no nodes for are not made at all", async () => {
  const sim = simulate({ nodes: 3 });
  sim.llama("big", { ...twoNodes, replicas: 2 });
  await sim.settle();
  expect(sim.list("LeaderWorkerSet")).toHaveLength(1);
  sim.expectCondition("big", { type: "Ready", status: "False", reason: "WaitingForGpus" });
  sim.addNodes(1);
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True", message: "2 of 2" });
});

test("no replicas of a stalled model free its GPUs", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.edit("chat", { engine: refusedEngine });
  await sim.settle();
  sim.scale("chat", 0);
  await sim.settle();
  expect(sim.pods("chat")).toEqual([]);
});
