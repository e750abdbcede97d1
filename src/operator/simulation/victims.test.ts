// Which replica goes when one must: it is marked before it goes, and the mark is taken back from one that stays.
import { expect, test } from "vitest";
import { oneGpu } from "../testing/example-specs.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

const cost = "metadata.annotations.controller.kubernetes.io/pod-deletion-cost";
const mark = "metadata.annotations.llama-operator.dev/victim";
const marked = `change Pod chat@1: ${cost} none -> -1000, ${mark} none -> true`;
const unmarked = `change Pod chat@1: ${cost} -1000 -> none, ${mark} true -> none`;

/** Three replicas that answer, of which one is marked to go, which the operator does not see yet. */
async function withVictim(): Promise<Simulation> {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 3 });
  await sim.settle();
  sim.forgetWrites();
  sim.delayWatch("Pod", 5);
  sim.scale("chat", 2);
  await sim.until("a victim is marked", () => sim.effects().length > 0);
  return sim;
}

test("a victim is marked, and goes once the mark is seen", async () => {
  const sim = await withVictim();
  expect(sim.effects()).toEqual([marked]);
  expect(sim.endpoints("chat")).toHaveLength(3);
  await sim.settle();
  expect(sim.effects()).toEqual([marked, "change Deployment chat@1: spec.replicas 3 -> 2"]);
  expect(sim.endpoints("chat")).toHaveLength(2);
});

test("a victim that is wanted after all loses its mark and stays", async () => {
  const sim = await withVictim();
  const before = sim.endpoints("chat");
  sim.scale("chat", 3);
  await sim.settle();
  expect(sim.effects()).toEqual([marked, unmarked]);
  expect(sim.endpoints("chat")).toEqual(before);
  sim.expectCondition("chat", { type: "Ready", status: "True", message: "3 of 3" });
});

test("where another stops answering in that instant, that one goes, and the victim serves on", async () => {
  const sim = await withVictim();
  const isMarked = ({ metadata }: { readonly metadata: { readonly annotations?: object } }): boolean =>
    JSON.stringify(metadata.annotations ?? {}).includes("llama-operator.dev/victim");
  const victim = sim.pods("chat").find(isMarked);
  const other = sim.pods("chat").find((pod) => !isMarked(pod));
  sim.engines((pod) => pod.metadata.name === other?.metadata.name, { startSeconds: 3600 });
  sim.failPod(other);
  await sim.settle();
  expect(sim.effects()).toContain(unmarked);
  expect(sim.endpoints("chat")).toHaveLength(2);
  expect(sim.endpoints("chat")).toContain(victim?.metadata.name);
  expect(sim.endpoints("chat")).not.toContain(other?.metadata.name);
});
