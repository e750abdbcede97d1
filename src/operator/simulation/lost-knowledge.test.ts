// Children whose label, slot or ControllerRevision somebody removes, and watches that lag each other after a failover: what
// serves stays, what is missing is put back, and nothing is made twice.
import { expect, test } from "vitest";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import { oneGpu, twoNodes, wholeNode } from "../testing/example-specs.ts";
import { gpuPool } from "../testing/manifests.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

const longer = { context: { maxTokens: 65_536 } } as const;

function uids(sim: Simulation): readonly string[] {
  return sim
    .pods("chat")
    .map(({ metadata }) => metadata.uid)
    .toSorted();
}

/** Those of the operator: StatefulSets have ControllerRevisions too. */
function revisions(sim: Simulation): readonly Live<KubeObject>[] {
  return sim
    .list("ControllerRevision")
    .filter(({ metadata }) => metadata.ownerReferences?.[0]?.kind === "LlamaDeployment");
}

test("a slot label that is taken away from groups that fill the pool is put back", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("chat", { ...twoNodes, replicas: 2 });
  await sim.settle();
  const before = uids(sim);
  const labels = sim.list("LeaderWorkerSet").map(({ metadata }) => metadata.labels);
  for (const { metadata } of sim.list("LeaderWorkerSet")) {
    sim.patch("LeaderWorkerSet", metadata.name, {
      metadata: { labels: { "llama-operator.dev/slot": null } },
    });
  }
  await sim.settle();
  expect(uids(sim)).toEqual(before);
  expect(sim.list("LeaderWorkerSet").map(({ metadata }) => metadata.labels)).toEqual(labels);
});

test.each([
  ["groups that fill the pool", twoNodes],
  ["a Deployment that fills the pool", wholeNode],
] as const)("the revision of %s is stored again", async (_, spec) => {
  const sim = simulate({ nodes: 4 });
  sim.llama("chat", { ...spec, replicas: spec === twoNodes ? 2 : 4 });
  await sim.settle();
  const before = uids(sim);
  const [revision] = revisions(sim);
  sim.delete("ControllerRevision", revision?.metadata.name ?? "");
  await sim.settle();
  expect(uids(sim)).toEqual(before);
  expect(revisions(sim).map(({ metadata }) => metadata.name)).toEqual([revision?.metadata.name]);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("the old revision that is deleted in a rollout leaves what it serves", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("chat", wholeNode);
  await sim.settle();
  const before = sim.endpoints("chat");
  const [old] = revisions(sim);
  sim.engines("chat", { startSeconds: 3600 });
  sim.edit("chat", longer);
  await sim.pass(30);
  sim.delete("ControllerRevision", old?.metadata.name ?? "");
  await sim.pass(600);
  expect(sim.endpoints("chat")).toEqual(before);
  sim.expectCondition("chat", { type: "Available", status: "True" });
});

test("a ServiceAccount that is not there for the edit stays for those that serve", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 2 });
  await sim.settle();
  sim.refusePods(({ spec }) =>
    (spec as { serviceAccountName?: string }).serviceAccountName === "typo" ? "no such account" : undefined,
  );
  sim.edit("chat", { podTemplate: { serviceAccountName: "typo" } });
  await sim.settle();
  expect(sim.get("ServiceAccount", "chat")).toBeDefined();
  sim.deletePod(sim.pods("chat")[0]);
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(2);
  sim.expectCondition("chat", { type: "Ready", status: "False", reason: "PodsRefused" });
});

test("of two pools the one that serves stays the one, though its revision is deleted", async () => {
  const sim = simulate({ pool: false });
  sim.apply(gpuPool("b", { nodeSelector: { pool: "b" } }));
  sim.addNodes(1, { labels: { pool: "b" } });
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.apply(gpuPool("a", { nodeSelector: { pool: "a" } }));
  sim.addNodes(2, { labels: { pool: "a" } });
  await sim.settle();
  const before = uids(sim);
  sim.delete("ControllerRevision", revisions(sim)[0]?.metadata.name ?? "");
  await sim.settle();
  expect(uids(sim)).toEqual(before);
  expect(sim.status("chat").plan?.pool).toBe("b");
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test.each([
  ["ControllerRevision", twoNodes],
  ["ControllerRevision", wholeNode],
  ["LeaderWorkerSet", twoNodes],
  ["Deployment", wholeNode],
  ["Pod", twoNodes],
  ["Pod", wholeNode],
] as const)(
  "a new leader that sees each %s late ends nothing and makes nothing twice",
  async (kind, spec) => {
    const sim = simulate({ nodes: 6 });
    sim.llama("chat", spec);
    await sim.settle();
    const before = sim.endpoints("chat");
    sim.engines("chat", { startSeconds: 3600 });
    sim.edit("chat", longer);
    await sim.pass(5);
    // The old leader goes on for a moment that the new one sees late.
    sim.restartOperator();
    sim.delayWatch(kind, 30);
    sim.edit("chat", { podTemplate: { labels: { team: "b" } } });
    await sim.pass(2);
    sim.restartOperator();
    await sim.pass(300);
    expect(sim.endpoints("chat")).toEqual(before);
    const made = sim.effects().filter((line) => line.startsWith("create "));
    expect(new Set(made).size).toBe(made.length);
  },
);

test("a group that serves is not given up while the pods of one that was taken back still leave", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("chat", twoNodes);
  await sim.settle();
  const before = sim.endpoints("chat");
  sim.engines("chat", { startSeconds: 3600 });
  for (const team of ["a", "b"]) {
    sim.edit("chat", { podTemplate: { labels: { team } } });
    await sim.pass(5);
  }
  await sim.pass(600);
  expect(sim.endpoints("chat")).toEqual(before);
  expect(sim.effects()).toContain("create LeaderWorkerSet chat@3/0");
});
