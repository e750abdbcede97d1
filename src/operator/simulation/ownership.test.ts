// Names that others hold, children that others change, and objects made anew under an old name.
import { expect, test } from "vitest";
import { oneGpu, twoNodes, wholeNode } from "../testing/example-specs.ts";
import { simulate } from "../testing/simulation.ts";

const foreignService = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "chat" },
  spec: { selector: { app: "web" } },
};

test("a Service of the same name that is not ours is left alone and named, until it goes", async () => {
  const sim = simulate();
  sim.apply(foreignService);
  const before = sim.get("Service", "chat");
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", {
    type: "Stalled",
    status: "True",
    reason: "NameConflict",
    message: "Service chat is there and not ours",
  });
  expect(sim.get("Service", "chat")).toEqual(before);
  expect(sim.objects()).toEqual([]);
  sim.delete("Service", "chat");
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("a ServiceAccount of the same name stands in the way only where the spec names no other", async () => {
  const sim = simulate();
  sim.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "chat" } });
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", { type: "Stalled", status: "True", reason: "NameConflict" });
  sim.edit("chat", { podTemplate: { serviceAccountName: "search" } });
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("a ServiceAccount that the spec names may have the model's own name", async () => {
  const sim = simulate();
  sim.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "chat" } });
  sim.llama("chat", { ...oneGpu, podTemplate: { serviceAccountName: "chat" } });
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("a foreign Service that the cache has not seen is not taken over", async () => {
  const sim = simulate();
  await sim.settle();
  sim.delayWatch("Service", 30);
  sim.apply(foreignService);
  const before = sim.get("Service", "chat");
  sim.llama("chat", oneGpu);
  await sim.pass(10);
  expect(sim.get("Service", "chat")).toEqual(before);
  sim.delayWatch("Service", 0);
  await sim.settle();
  sim.expectCondition("chat", { type: "Stalled", status: "True", reason: "NameConflict" });
});

test("a child that somebody changes is put right, and the write says where", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.forgetWrites();
  sim.patch("Service", "chat", { spec: { selector: { "llama-operator.dev/role": "nobody" } } });
  await sim.settle();
  expect(sim.effects()).toEqual([
    "change Service chat: spec.selector.llama-operator.dev/role nobody -> serving",
  ]);
  expect(sim.endpoints("chat")).toHaveLength(1);
});

test("a child that somebody deletes is made again", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.forgetWrites();
  sim.delete("PodDisruptionBudget", "chat");
  await sim.settle();
  expect(sim.effects()).toEqual(["create PodDisruptionBudget chat"]);
});

test("what others add to a child stays", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.forgetWrites();
  sim.patch("Service", "chat", { metadata: { annotations: { "example.com/note": "keep" } } });
  await sim.settle();
  expect(sim.written()).toEqual([]);
  expect(sim.get("Service", "chat")?.metadata.annotations).toMatchObject({ "example.com/note": "keep" });
});

test("a Deployment that somebody scales is set back", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const name = sim.list("Deployment")[0]?.metadata.name ?? "";
  sim.forgetWrites();
  sim.patch("Deployment", name, { spec: { replicas: 4 } });
  await sim.settle();
  expect(sim.effects()).toEqual(["change Deployment chat@1: spec.replicas 4 -> 1"]);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("a Deployment that somebody deletes is made again with its revision", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const name = sim.list("Deployment")[0]?.metadata.name ?? "";
  sim.forgetWrites();
  sim.delete("Deployment", name);
  await sim.settle();
  expect(sim.effects()).toEqual(["create Deployment chat@1"]);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test.each([
  ["Deployment", oneGpu, "chat@1"],
  ["LeaderWorkerSet", twoNodes, "chat@1/0"],
] as const)("a %s that loses its label is known by its name, and gets it back", async (kind, spec, known) => {
  const sim = simulate({ nodes: 2 });
  sim.llama("chat", spec);
  await sim.settle();
  const before = sim.endpoints("chat");
  const name = sim.list(kind)[0]?.metadata.name ?? "";
  sim.forgetWrites();
  sim.patch(kind, name, { metadata: { labels: { "llama-operator.dev/revision": null } } });
  await sim.settle();
  expect(sim.effects()).toHaveLength(1);
  expect(sim.effects()[0]).toMatch(
    `change ${kind} ${known}: metadata.labels.llama-operator.dev/revision none -> `,
  );
  expect(sim.endpoints("chat")).toEqual(before);
});

test("a revision that no operator can read keeps its workloads", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const [revision] = sim.list("ControllerRevision");
  const [served] = sim.endpoints("chat");
  sim.killOperator();
  sim.patch("ControllerRevision", revision?.metadata.name ?? "", { data: { plan: null } });
  sim.startOperator();
  sim.edit("chat", { context: { maxTokens: 65_536 } });
  await sim.settle();
  expect(sim.pods("chat").map(({ metadata }) => metadata.name)).toContain(served);
});

test("deletion leaves nothing", async () => {
  const sim = simulate({ nodes: 3 });
  sim.llama("chat", oneGpu);
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.delete("LlamaDeployment", "chat");
  sim.delete("LlamaDeployment", "big");
  await sim.settle();
  const kinds = [
    "Deployment",
    "ReplicaSet",
    "LeaderWorkerSet",
    "StatefulSet",
    "ControllerRevision",
    "Service",
    "Pod",
  ];
  expect(kinds.flatMap((kind) => sim.list(kind))).toEqual([]);
});

test("an object made anew under its name waits for its predecessor's children, and then serves", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const before = sim.get("Service", "chat");
  sim.pauseController("garbage-collector");
  sim.delete("LlamaDeployment", "chat");
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", { type: "Reconciling", status: "True", reason: "PredecessorLeaving" });
  sim.expectNoCondition("chat", "Stalled");
  expect(sim.get("Service", "chat")).toEqual(before);
  sim.pauseController("garbage-collector", false);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  expect(sim.get("Service", "chat")?.metadata.uid).not.toBe(before?.metadata.uid);
  expect(sim.pods("chat")).toHaveLength(1);
});

const revisionLabel = "llama-operator.dev/revision";

test.each([
  ["Deployment", oneGpu],
  ["LeaderWorkerSet", { ...twoNodes, replicas: 2 }],
])("a %s whose labels somebody takes away or changes is known by its name", async (kind, spec) => {
  const sim = simulate({ nodes: 4 });
  sim.llama("chat", wholeNode);
  await sim.settle();
  const older = sim.list("ControllerRevision")[0]?.metadata.labels?.[revisionLabel];
  sim.llama("chat", spec);
  await sim.settle();
  const before = sim.pods("chat");
  const workloads = sim.list(kind);
  const labelsOf = (): unknown => sim.list(kind).map(({ metadata }) => [metadata.name, metadata.labels]);
  const labels = labelsOf();
  for (const changed of [null, "0123abcd", older]) {
    for (const { metadata } of workloads) {
      sim.patch(kind, metadata.name, { metadata: { labels: { [revisionLabel]: changed } } });
    }
    await sim.settle();
    expect(labelsOf()).toEqual(labels);
  }
  expect(sim.pods("chat")).toEqual(before);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});
