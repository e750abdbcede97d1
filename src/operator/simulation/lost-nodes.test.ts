// A node whose kubelet says nothing more. Its pods end for nobody, so that a group is not made anew for as long: status
// names the node and since when, and what a person can do.
import { expect, test } from "vitest";
import type { NodeObject } from "../testing/cluster/objects.ts";
import { oneGpu, twoNodes } from "../testing/example-specs.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

async function serving(spec: Readonly<Record<string, unknown>>, nodes = 3): Promise<Simulation> {
  const sim = simulate({ nodes });
  sim.llama("big", spec);
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True" });
  return sim;
}

function nodeOf(sim: Simulation, rank: "leader" | "worker"): string {
  const role = rank === "leader" ? "serving" : "worker";
  const pod = sim.pods("big").find(({ metadata }) => metadata.labels?.["llama-operator.dev/role"] === role);
  return pod?.spec.nodeName ?? "";
}

function since(sim: Simulation, name: string): string {
  const node = sim.list<NodeObject>("Node").find(({ metadata }) => metadata.name === name);
  return node?.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime ?? "";
}

test.each(["leader", "worker"] as const)(
  "a node lost under the %s of a group is named, and since when",
  async (rank) => {
    const sim = await serving(twoNodes, 2);
    const lost = nodeOf(sim, rank);
    sim.loseNode(lost);
    await sim.pass(70);
    const message = `node ${lost} is not Ready since ${since(sim, lost)}`;
    const told = { status: "False", reason: "NodeLost", message } as const;
    sim.expectCondition("big", { type: "Ready", ...told });
    sim.expectCondition("big", { type: "ModelLoaded", ...told });
    expect(sim.events("big")).toContain("Warning NodeLost");
    // Its pods are told to go, and nobody there hears it.
    await sim.pass(420);
    sim.expectCondition("big", { type: "Ready", ...told });
    sim.expectCondition("big", { type: "Scheduled", ...told });
    sim.forgetWrites();
    await sim.pass(3600);
    expect(sim.written()).toEqual([]);
    sim.bringNodeBack(lost);
    await sim.settle();
    sim.expectCondition("big", { type: "Ready", status: "True" });
  },
);

test("a node lost under one of several replicas is named while the others answer", async () => {
  const sim = await serving({ ...oneGpu, replicas: 2 });
  const lost = sim.pods("big")[0]?.spec.nodeName ?? "";
  const before = sim.endpoints("big").length;
  expect(before).toBe(2);
  sim.loseNode(lost);
  await sim.pass(70);
  sim.expectCondition("big", { type: "Ready", status: "False", reason: "NodeLost", message: `node ${lost}` });
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True" });
});

test("an operator that starts afterwards says the same", async () => {
  const sim = await serving(twoNodes, 2);
  const lost = nodeOf(sim, "worker");
  sim.killOperator();
  sim.loseNode(lost);
  await sim.pass(600);
  sim.startOperator();
  await sim.settle();
  sim.expectCondition("big", {
    type: "Ready",
    status: "False",
    reason: "NodeLost",
    message: `node ${lost} is not Ready since ${since(sim, lost)}`,
  });
});
