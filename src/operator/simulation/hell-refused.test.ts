// Pods that are refused, and an edit that would end it.
import { expect, test } from "vitest";
import type { PodObject } from "../testing/cluster/objects.ts";
import { oneGpu, twoNodes } from "../testing/example-specs.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

const gpusOf = ({ spec }: Pick<PodObject, "spec">): number =>
  Number(spec.containers[0]?.resources?.limits?.["nvidia.com/gpu"] ?? 0);

function refuseTypo(sim: Simulation): void {
  sim.refusePods(({ spec }) =>
    spec.serviceAccountName === "typo" ? 'pods "x" is forbidden: serviceaccount "typo" not found' : undefined,
  );
}

function quotaOf(sim: Simulation, name: string, gpus: number): void {
  sim.refusePods((pod) => {
    const used = sim.pods(name).reduce((sum, each) => sum + gpusOf(each as unknown as PodObject), 0);
    return used + gpusOf(pod) > gpus ? 'pods "x" is forbidden: exceeded quota: gpus' : undefined;
  });
}

/** How often the operator asks the API server for events in a minute. */
async function asksInAMinute(sim: Simulation): Promise<number> {
  const { server } = sim.cluster;
  const list = server.list.bind(server);
  let asks = 0;
  server.list = ((type: { plural: string }, ...rest: never[]) => {
    if (type.plural === "events") asks += 1;
    return (list as (...all: unknown[]) => unknown)(type, ...rest);
  }) as never;
  await sim.pass(60);
  server.list = list;
  return asks;
}

test("OUTAGE: a group whose pods are refused is replaced by the edit that mends it", async () => {
  const sim = simulate({ nodes: 4 });
  refuseTypo(sim);
  sim.llama("big", { ...twoNodes, podTemplate: { serviceAccountName: "typo" } });
  await sim.pass(180);
  sim.edit("big", { podTemplate: { serviceAccountName: null } });
  await sim.pass(300);
  sim.expectCondition("big", { type: "Ready", status: "True" });
});

test("HOT LOOP: events are asked for every half minute while a group that is refused is to be replaced", async () => {
  const sim = simulate({ nodes: 4 });
  refuseTypo(sim);
  sim.llama("big", { ...twoNodes, podTemplate: { serviceAccountName: "typo" } });
  await sim.pass(180);
  sim.edit("big", { podTemplate: { serviceAccountName: null } });
  await sim.pass(120);
  expect(await asksInAMinute(sim)).toBeLessThan(10);
});

test("HOT LOOP: events are asked for every half minute while a further group is refused", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.refusePods(() => 'pods "x" is forbidden: exceeded quota: gpus');
  sim.scale("big", 2);
  await sim.pass(180);
  expect(await asksInAMinute(sim)).toBeLessThan(10);
});

test("DEADLOCK: a Deployment rolls out in a quota that what serves takes in full", async () => {
  const sim = simulate({ nodes: 2 });
  quotaOf(sim, "chat", 1);
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  sim.edit("chat", { context: { maxTokens: 65_536 } });
  await sim.pass(900);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("DEADLOCK: a group rolls out in a quota that what serves takes in full", async () => {
  const sim = simulate({ nodes: 4 });
  quotaOf(sim, "big", 16);
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True" });
  sim.edit("big", { podTemplate: { labels: { a: "2" } } });
  await sim.pass(400);
  sim.expectCondition("big", { type: "Ready", status: "True" });
});

test("HOT LOOP: the same while the older group serves and the newer one is refused", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.refusePods((pod) => (pod.metadata?.labels?.["a"] === "2" ? 'pods "x" is forbidden: policy' : undefined));
  sim.edit("big", { podTemplate: { labels: { a: "2" } } });
  await sim.pass(90);
  expect(await asksInAMinute(sim)).toBeLessThan(10);
});
