// Pools that grow node by node, or lose nodes: groups that wait for their nodes must not each keep a part of what comes.
import { expect, test } from "vitest";
import { oneGpu, twoNodes, wholeNode } from "../testing/example-specs.ts";
import { gpuPool, priorityClass } from "../testing/manifests.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

/** A pool without nodes that may have so many. */
function emptyPool(most: number): Simulation {
  const sim = simulate({ pool: false });
  sim.apply(gpuPool("h100", { nodes: { max: most } }));
  return sim;
}

/** Nodes come one at a time, each when all is quiet. */
async function addSlowly(sim: Simulation, nodes: number): Promise<void> {
  for (let node = 0; node < nodes; node += 1) {
    sim.addNodes(1);
    await sim.settle();
  }
}

function serving(sim: Simulation, names: readonly string[]): readonly string[] {
  return names.filter((name) => sim.endpoints(name).length > 0);
}

const three = ["one", "two", "three"];

test.each([2, 3, 4, 5])("of three groups the first serve when %i nodes come one at a time", async (nodes) => {
  const sim = emptyPool(6);
  for (const name of three) {
    sim.llama(name, twoNodes);
    await sim.pass(5);
  }
  await sim.settle();
  expect(sim.list("LeaderWorkerSet")).toHaveLength(3);
  await addSlowly(sim, nodes);
  expect(serving(sim, three)).toEqual(three.slice(0, Math.floor(nodes / 2)));
});

test("nodes that come at once are for all groups that wait, and none is taken back", async () => {
  const sim = emptyPool(6);
  for (const name of three) sim.llama(name, twoNodes);
  await sim.settle();
  sim.addNodes(2);
  await sim.pass(15);
  sim.addNodes(4);
  await sim.settle();
  expect(serving(sim, three)).toEqual(three);
  expect(sim.effects().filter((write) => write.startsWith("delete"))).toEqual([]);
});

test("of the replicas of one model one serves when nodes come one at a time", async () => {
  const sim = emptyPool(6);
  sim.llama("big", { ...twoNodes, replicas: 3 });
  await sim.settle();
  await addSlowly(sim, 3);
  expect(sim.endpoints("big")).toHaveLength(1);
});

test("the group of higher priority is completed first, though it came last", async () => {
  const sim = emptyPool(6);
  sim.apply(priorityClass("urgent", 1000));
  for (const name of ["one", "two"]) sim.llama(name, twoNodes);
  await sim.settle();
  await addSlowly(sim, 1);
  sim.llama("urgent", { ...twoNodes, podTemplate: { priorityClassName: "urgent" } });
  await sim.settle();
  await addSlowly(sim, 1);
  expect(serving(sim, ["one", "two", "urgent"])).toEqual(["urgent"]);
});

test("restarts while nodes come one at a time change nothing in the end", async () => {
  const sim = emptyPool(6);
  for (const name of three) {
    sim.llama(name, twoNodes);
    await sim.pass(5);
  }
  await sim.settle();
  for (let node = 0; node < 4; node += 1) {
    sim.addNodes(1);
    await sim.pass(10);
    sim.restartOperator();
    await sim.settle();
    sim.restartOperator();
    await sim.settle();
  }
  expect(serving(sim, three)).toEqual(["one", "two"]);
});

test("a group that was taken back is made again when its nodes are there, and kept its age", async () => {
  const sim = emptyPool(8);
  for (const name of ["one", "two"]) {
    sim.llama(name, twoNodes);
    await sim.pass(5);
  }
  await sim.settle();
  const since = sim.status("two").waitingForGpus?.since;
  await addSlowly(sim, 1);
  sim.llama("three", twoNodes);
  await sim.settle();
  await addSlowly(sim, 1);
  expect(sim.status("two").waitingForGpus?.since).toBe(since);
  await addSlowly(sim, 2);
  expect(serving(sim, three)).toEqual(["one", "two"]);
});

test("nodes that are cordoned or silent are none that may still come", async () => {
  const sim = simulate({ pool: false });
  sim.apply(gpuPool("h100", { nodes: { max: 4 } }));
  const [first = "", second = "", third = "", last = ""] = sim.addNodes(4);
  for (const node of [first, second, third]) sim.cordon(node);
  sim.loseNode(last);
  await sim.pass(60);
  for (const name of ["one", "two"]) {
    sim.llama(name, twoNodes);
    await sim.settle();
  }
  expect(sim.list("LeaderWorkerSet")).toEqual([]);
  for (const node of [first, second]) {
    sim.cordon(node, false);
    await sim.settle();
  }
  expect(serving(sim, ["one", "two"])).toEqual(["one"]);
});

// T16: nothing decided it but the scheduler's order.
test("of two groups that each lose a node the first serves again with what is left", async () => {
  const sim = simulate({ nodes: 4 });
  for (const name of ["one", "two"]) {
    sim.llama(name, twoNodes);
    await sim.settle();
  }
  for (const name of ["one", "two"]) sim.removeNode(sim.pods(name)[0]?.spec.nodeName ?? "");
  await sim.pass(3600);
  expect(serving(sim, ["one", "two"])).toEqual(["one"]);
});

test("a group that has answered and lost a node gives way to none that never did", async () => {
  const sim = simulate({ pool: false });
  sim.apply(gpuPool("h100", { nodes: { max: 6 } }));
  sim.apply(priorityClass("urgent", 1000));
  sim.addNodes(2);
  sim.llama("old", twoNodes);
  await sim.settle();
  sim.llama("urgent", { ...twoNodes, podTemplate: { priorityClassName: "urgent" } });
  await sim.settle();
  sim.removeNode(sim.pods("old")[0]?.spec.nodeName ?? "");
  await sim.pass(600);
  expect(sim.effects().filter((write) => write.startsWith("delete LeaderWorkerSet old"))).toEqual([]);
  await addSlowly(sim, 1);
  expect(serving(sim, ["old", "urgent"])).toEqual(["old"]);
});

test("small models take what no group ahead of them can use", async () => {
  const sim = emptyPool(4);
  sim.llama("big", twoNodes);
  await sim.settle();
  await addSlowly(sim, 1);
  sim.llama("small", oneGpu);
  sim.llama("whole", wholeNode);
  await sim.settle();
  await addSlowly(sim, 3);
  expect(serving(sim, ["big", "small", "whole"])).toEqual(["big", "small", "whole"]);
});
