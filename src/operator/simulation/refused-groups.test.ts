// Groups whose pods nobody makes: an edit that mends it is carried out, and meanwhile nothing is asked in a loop.
import { expect, test } from "vitest";
import { twoNodes } from "../testing/example-specs.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

/** Pods of one ServiceAccount are refused, as where that account is not there. */
function refuseTypo(sim: Simulation): void {
  sim.refusePods(({ spec }) =>
    "serviceAccountName" in spec && spec.serviceAccountName === "typo"
      ? 'pods "x" is forbidden: serviceaccount "typo" not found'
      : undefined,
  );
}

/** How often the operator asks the API server for events in a minute. */
async function asksInAMinute(sim: Simulation): Promise<number> {
  const { server } = sim.cluster;
  const list = server.list.bind(server);
  let asks = 0;
  server.list = (type, ...rest) => {
    if (type.plural === "events") asks += 1;
    return list(type, ...rest);
  };
  await sim.pass(60);
  server.list = list;
  return asks;
}

test("a group whose pods are refused is replaced by the edit that mends it", async () => {
  const sim = simulate({ nodes: 4 });
  refuseTypo(sim);
  sim.llama("big", { ...twoNodes, podTemplate: { serviceAccountName: "typo" } });
  await sim.pass(180);
  sim.edit("big", { podTemplate: { serviceAccountName: null } });
  await sim.pass(300);
  sim.expectCondition("big", { type: "Ready", status: "True" });
});

test("events are asked for every half minute while a group that is refused is to be replaced", async () => {
  const sim = simulate({ nodes: 4 });
  refuseTypo(sim);
  sim.llama("big", { ...twoNodes, podTemplate: { serviceAccountName: "typo" } });
  await sim.pass(180);
  sim.edit("big", { podTemplate: { serviceAccountName: null } });
  await sim.pass(120);
  expect(await asksInAMinute(sim)).toBeLessThan(10);
});

test("events are asked for every half minute while a further group is refused", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.refusePods(() => 'pods "x" is forbidden: exceeded quota: gpus');
  sim.scale("big", 2);
  await sim.pass(180);
  expect(await asksInAMinute(sim)).toBeLessThan(10);
});

test("events are asked for every half minute while the older group serves and the newer one is refused", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.refusePods((pod) =>
    pod.metadata?.labels?.["a"] === "2" ? 'pods "x" is forbidden: policy' : undefined,
  );
  sim.edit("big", { podTemplate: { labels: { a: "2" } } });
  await sim.pass(90);
  expect(await asksInAMinute(sim)).toBeLessThan(10);
});
