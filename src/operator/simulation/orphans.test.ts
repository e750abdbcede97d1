// What is left of an earlier object of the name: `kubectl delete --cascade=orphan` keeps all that was made for it, with our
// labels and no owner. It is named all at once, and its last going is seen.
import { expect, test } from "vitest";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import { oneGpu, twoNodes } from "../testing/example-specs.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

const kinds = [
  "Service",
  "ServiceAccount",
  "PodDisruptionBudget",
  "ControllerRevision",
  "Deployment",
  "LeaderWorkerSet",
] as const;

/** What the operator made for it; controllers of the cluster make such kinds too. */
function made(sim: Simulation): readonly Live<KubeObject>[] {
  return kinds
    .flatMap((kind) => sim.list(kind))
    .filter(({ metadata }) => metadata.labels?.["app.kubernetes.io/managed-by"] === "llama-operator")
    .filter(
      ({ metadata }) =>
        metadata.labels?.["llama-operator.dev/slot"] !== undefined || !isOfGroup(metadata.name),
    );
}

/** StatefulSets keep ControllerRevisions with the labels of their pods. */
function isOfGroup(name: string): boolean {
  return /-[0-9a-f]{8}-/.test(name);
}

/** `kubectl delete llama chat --cascade=orphan` */
async function orphan(sim: Simulation): Promise<readonly Live<KubeObject>[]> {
  sim.killOperator();
  sim.pauseController("garbage-collector");
  const left = made(sim);
  for (const { kind, metadata } of left)
    sim.patch(kind, metadata.name, { metadata: { ownerReferences: null } });
  sim.delete("LlamaDeployment", "chat");
  sim.pauseController("garbage-collector", false);
  sim.startOperator();
  await sim.settle();
  return left;
}

test.each([
  ["a Deployment", oneGpu],
  ["a group", twoNodes],
] as const)(
  "orphans of %s are all named at once, and the last of them to go lets the new object serve",
  async (_, spec) => {
    const sim = simulate({ nodes: 2 });
    sim.llama("chat", spec);
    await sim.settle();
    const left = await orphan(sim);
    expect(left).toHaveLength(5);
    sim.llama("chat", spec);
    await sim.settle();
    const message = sim.condition("chat", "Stalled")?.message;
    for (const { kind, metadata } of left) expect(message).toContain(`${kind} ${metadata.name}`);
    sim.expectCondition("chat", { type: "Ready", status: "False", reason: "NameConflict" });
    expect(sim.events("chat")).toContain("Warning NameConflict");
    for (const [index, { kind, metadata }] of left.entries()) {
      sim.delete(kind, metadata.name);
      await sim.settle();
      if (index === left.length - 1) break;
      expect(sim.condition("chat", "Ready")?.message).not.toContain(`${kind} ${metadata.name}`);
      sim.expectCondition("chat", { type: "Ready", status: "False", reason: "NameConflict" });
    }
    sim.expectCondition("chat", { type: "Ready", status: "True" });
  },
);

test("in any order: whatever is the last", async () => {
  for (let first = 0; first < 5; first += 1) {
    const sim = simulate();
    sim.llama("chat", oneGpu);
    await sim.settle();
    const left = await orphan(sim);
    sim.llama("chat", oneGpu);
    await sim.settle();
    for (const { kind, metadata } of [...left.slice(first), ...left.slice(0, first)]) {
      sim.delete(kind, metadata.name);
      await sim.settle();
    }
    sim.expectCondition("chat", { type: "Ready", status: "True" });
  }
});

test("nothing of the orphans is touched, and what they serve goes on", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  await orphan(sim);
  const before = made(sim);
  const answering = sim.endpoints("chat");
  sim.llama("chat", oneGpu);
  await sim.settle();
  expect(made(sim)).toEqual(before);
  expect(sim.endpoints("chat")).toEqual(answering);
});

test("a workload that somebody leaves beside a model that serves is named, and keeps nothing from going on", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const [own] = sim.list("Deployment");
  const { name = "", labels } = own?.metadata ?? {};
  sim.apply({
    ...own,
    kind: "Deployment",
    apiVersion: "apps/v1",
    metadata: { name: "copy", labels: labels ?? {} },
  });
  sim.scale("chat", 2);
  sim.edit("chat", { context: { maxTokens: 65_536 } });
  await sim.settle();
  sim.expectCondition("chat", {
    type: "Ready",
    status: "False",
    reason: "NameConflict",
    message: "Deployment copy",
  });
  expect(sim.get("Deployment", name)).toBeUndefined();
  expect(sim.status("chat")).toMatchObject({ replicas: 2, readyReplicas: 2 });
  sim.delete("Deployment", "copy");
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("a Deployment whose owner reference is taken away is named and left alone", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const name = sim.list("Deployment")[0]?.metadata.name ?? "";
  const before = sim.endpoints("chat");
  sim.patch("Deployment", name, { metadata: { ownerReferences: null } });
  await sim.settle();
  expect(sim.endpoints("chat")).toEqual(before);
  sim.expectCondition("chat", {
    type: "Ready",
    status: "False",
    reason: "NameConflict",
    message: `Deployment ${name}`,
  });
});

test("a foreign object under the name of a revision is named, and its end is seen", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const name = sim.list("ControllerRevision")[0]?.metadata.name ?? "";
  sim.killOperator();
  sim.delete("LlamaDeployment", "chat");
  await sim.settle();
  sim.apply({ apiVersion: "apps/v1", kind: "ControllerRevision", metadata: { name } });
  sim.startOperator();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const message = `ControllerRevision ${name}`;
  sim.expectCondition("chat", { type: "Ready", status: "False", reason: "NameConflict", message });
  sim.delete("ControllerRevision", name);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});
