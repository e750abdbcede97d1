// From one revision to the next: one replica at a time, with GPUs to spare and without.
import { expect, test } from "vitest";
import { oneGpu, twoNodes, wholeNode } from "../testing/example-specs.ts";
import { simulate } from "../testing/simulation.ts";

const longer = { context: { maxTokens: 65_536 } } as const;

test("with a GPU to spare the new replica answers before the old one goes", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const before = sim.endpoints("chat");
  sim.forgetWrites();
  sim.edit("chat", longer);
  await sim.until("the new replica loads", () => sim.pods("chat").length === 2);
  expect(sim.endpoints("chat")).toEqual(before);
  sim.expectCondition("chat", { type: "Available", status: "True" });
  await sim.settle();
  expect(sim.effects()).toEqual([
    "create ControllerRevision chat@2",
    "create Deployment chat@2",
    "delete Deployment chat@1",
  ]);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  expect(sim.status("chat").plan?.maxTokens).toBe(65_536);
});

test("several replicas are replaced one after the other, and as many answer throughout", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 3 });
  await sim.settle();
  sim.forgetWrites();
  sim.edit("chat", longer);
  let fewest = 3;
  await sim.until("it is rolled out", () => {
    fewest = Math.min(fewest, sim.endpoints("chat").length);
    return sim.written().includes("delete Deployment chat@1");
  });
  await sim.settle();
  expect(fewest).toBe(3);
  expect(sim.effects().filter((write) => !write.startsWith("change Pod"))).toEqual([
    "create ControllerRevision chat@2",
    "create Deployment chat@2",
    "change Deployment chat@2: spec.replicas 1 -> 2",
    "change Deployment chat@1: spec.replicas 3 -> 2",
    "change Deployment chat@2: spec.replicas 2 -> 3",
    "change Deployment chat@1: spec.replicas 2 -> 1",
    "delete Deployment chat@1",
  ]);
  // Each old replica that leaves others behind is marked before it goes.
  expect(sim.effects().filter((write) => write.startsWith("change Pod"))).toEqual(
    Array.from({ length: 2 }, () => expect.stringContaining("llama-operator.dev/victim none -> true")),
  );
  sim.expectCondition("chat", { type: "Ready", status: "True", message: "3 of 3" });
});

test("without a GPU to spare the old replica makes room after a wait", async () => {
  const sim = simulate();
  sim.llama("chat", wholeNode);
  await sim.settle();
  sim.forgetWrites();
  const editedAt = sim.seconds;
  sim.edit("chat", longer);
  await sim.until("the old replica goes", () => sim.written().includes("delete Deployment chat@1"));
  expect(sim.seconds - editedAt).toBeGreaterThanOrEqual(19);
  expect(sim.seconds - editedAt).toBeLessThan(25);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  expect(sim.status("chat").plan?.maxTokens).toBe(65_536);
});

test("a node that comes in time spares the old replica the wait", async () => {
  const sim = simulate();
  sim.llama("chat", wholeNode);
  await sim.settle();
  sim.edit("chat", longer);
  await sim.pass(10);
  sim.addNodes(1);
  let alwaysServed = true;
  await sim.until("it is rolled out", () => {
    alwaysServed &&= sim.endpoints("chat").length > 0;
    return sim.written().includes("delete Deployment chat@1");
  });
  expect(alwaysServed).toBe(true);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("an edit that fails to start leaves the old replica serving", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const before = sim.endpoints("chat");
  sim.engines((pod) => pod.metadata.labels?.["team"] === "b", { exitCode: 1, lastWords: "ValueError: no" });
  sim.edit("chat", { podTemplate: { labels: { team: "b" } } });
  await sim.settle();
  expect(sim.endpoints("chat")).toEqual(before);
  sim.expectCondition("chat", { type: "Available", status: "True" });
  sim.expectCondition("chat", { type: "Ready", status: "False", reason: "EngineFailed" });
});

test("an edit taken back is the old revision again, and its replica was never touched", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const before = sim.endpoints("chat");
  sim.engines("chat", { startSeconds: 600 });
  sim.edit("chat", longer);
  await sim.pass(60);
  sim.forgetWrites();
  sim.edit("chat", { context: { maxTokens: null } });
  await sim.settle();
  expect(sim.effects()).toEqual(["delete Deployment chat@2"]);
  expect(sim.endpoints("chat")).toEqual(before);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("an edit in the middle of a rollout takes over from both older revisions", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 2 });
  await sim.settle();
  sim.edit("chat", longer);
  await sim.until("both revisions answer", () => sim.endpoints("chat").length === 3);
  sim.edit("chat", { context: { maxTokens: 32_768 } });
  await sim.settle();
  expect(sim.objects().filter((name) => name.startsWith("Deployment"))).toEqual(["Deployment chat@3"]);
  sim.expectCondition("chat", { type: "Ready", status: "True", message: "2 of 2" });
});

test("of the revisions that nothing uses, two are kept", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  for (const maxTokens of [65_536, 32_768, 16_384, 8192]) {
    sim.edit("chat", { context: { maxTokens } });
    await sim.settle();
  }
  expect(sim.objects().filter((name) => name.startsWith("ControllerRevision"))).toEqual([
    "ControllerRevision chat@3",
    "ControllerRevision chat@4",
    "ControllerRevision chat@5",
  ]);
});

test("a group is replaced by a group where nodes allow, without an outage", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.forgetWrites();
  sim.edit("big", longer);
  let alwaysServed = true;
  await sim.until("it is rolled out", () => {
    alwaysServed &&= sim.endpoints("big").length > 0;
    return sim.written().includes("delete LeaderWorkerSet big@1/0");
  });
  await sim.settle();
  expect(alwaysServed).toBe(true);
  expect(sim.effects()).toEqual([
    "create ControllerRevision big@2",
    "create LeaderWorkerSet big@2/0",
    "delete LeaderWorkerSet big@1/0",
  ]);
  sim.expectCondition("big", { type: "Ready", status: "True" });
});

test("a group without nodes to spare goes before its successor is made", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.forgetWrites();
  sim.edit("big", longer);
  await sim.settle();
  expect(sim.effects()).toEqual([
    "create ControllerRevision big@2",
    "delete LeaderWorkerSet big@1/0",
    "create LeaderWorkerSet big@2/0",
  ]);
  sim.expectCondition("big", { type: "Ready", status: "True" });
});

test("from one node to two and back, the new replica comes first", async () => {
  const sim = simulate({ nodes: 3 });
  sim.llama("chat", wholeNode);
  await sim.settle();
  for (const [pipeline, left] of [
    [2, "LeaderWorkerSet chat@2/0"],
    [1, "Deployment chat@1"],
  ] as const) {
    sim.edit("chat", { parallelism: { tensor: 8, pipeline } });
    let alwaysServed = true;
    await sim.until(`${left} alone is there`, () => {
      alwaysServed &&= sim.endpoints("chat").length > 0;
      const workloads = sim.objects().filter((name) => /^(Deployment|LeaderWorkerSet)/.test(name));
      return workloads.length === 1 && workloads[0] === left;
    });
    expect(alwaysServed).toBe(true);
    await sim.settle();
  }
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  expect(sim.pods("chat")).toHaveLength(1);
});
