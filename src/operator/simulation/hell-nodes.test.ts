import { expect, test } from "vitest";
import { oneGpu, twoNodes, wholeNode } from "../testing/example-specs.ts";
import { foreignPod, gpuPool } from "../testing/manifests.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";
import type { WorkloadObject } from "../testing/cluster/objects.ts";

const told = (sim: Simulation, n: string) => sim.status(n).conditions?.map((c) => `${c.type}=${c.status} ${c.reason}: ${c.message}`).join("\n");

test("a group whose node is lost for good does not keep another from nodes that it cannot take", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("big", twoNodes);
  await sim.settle();
  const node = sim.pods("big")[0]?.spec.nodeName ?? "";
  sim.loseNode(node);
  await sim.pass(1800);
  console.log(told(sim, "big"), sim.pods("big").map((p) => [p.metadata.name, p.spec.nodeName, p.metadata.deletionTimestamp].join(" ")));
  sim.llama("two", twoNodes);
  await sim.pass(600);
  console.log(told(sim, "two"));
  sim.expectCondition("two", { type: "Ready", status: "True" });
});

test("a single replica whose node is lost: status names the node", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("chat", { ...wholeNode, replicas: 2 });
  await sim.settle();
  sim.loseNode("node-1");
  await sim.pass(1800);
  console.log(told(sim, "chat"));
  expect(told(sim, "chat")).toContain("node-1");
});

test("a Deployment rolls out while a node is lost and its pods never end", async () => {
  const sim = simulate({ nodes: 3 });
  sim.llama("chat", { ...wholeNode, replicas: 3 });
  await sim.settle();
  sim.loseNode("node-1");
  await sim.pass(900);
  sim.edit("chat", { context: { maxTokens: 32768 } });
  await sim.pass(1800);
  console.log(told(sim, "chat"), sim.list<WorkloadObject>("Deployment").map((d) => [d.metadata.name, d.spec.replicas].join(" ")));
  expect(sim.endpoints("chat")).toHaveLength(2);
  expect(sim.list<WorkloadObject>("Deployment")).toHaveLength(1);
});

test("two groups hold half each while a third, that has answered, lost a node", async () => {
  const sim = simulate({ nodes: 2 });
  sim.patch("GpuPool", "h100", { spec: { nodes: { max: 8 } } });
  sim.llama("old", twoNodes);
  await sim.settle();
  sim.expectCondition("old", { type: "Ready", status: "True" });
  sim.loseNode(sim.pods("old")[0]?.spec.nodeName ?? "");
  await sim.pass(900);
  sim.llama("a", twoNodes);
  await sim.pass(5);
  sim.llama("b", twoNodes);
  await sim.pass(60);
  sim.addNodes(1);
  await sim.pass(60);
  sim.addNodes(1);
  await sim.pass(900);
  console.log(["old", "a", "b"].map((n) => n + "\n" + told(sim, n)).join("\n"), ["old", "a", "b"].flatMap((n) => sim.pods(n)).map((p) => [p.metadata.name, p.spec.nodeName, p.metadata.deletionTimestamp].join(" ")));
  const serving = ["a", "b", "old"].filter((n) => sim.condition(n, "Ready")?.status === "True");
  expect(serving.length).toBeGreaterThan(0);
});

test("cordoned node under maintenance: pool edited to other nodes, drain one after other", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("chat", { ...wholeNode, replicas: 2 });
  await sim.settle();
  sim.addNodes(2, { labels: { pool: "gold" } });
  sim.patch("GpuPool", "h100", { spec: { nodeSelector: { pool: "gold" } } });
  await sim.settle();
  for (const n of ["node-1", "node-2"]) {
    sim.cordon(n);
    for (const p of sim.pods("chat").filter((x) => x.spec.nodeName === n)) sim.deletePod(p);
    await sim.settle();
    expect(sim.endpoints("chat")).toHaveLength(2);
  }
  expect(sim.list("Deployment")).toHaveLength(1);
  sim.expectNoCondition("chat", "PlacementDiffers");
});

test("autoscaling up and down across placements never goes below wanted", async () => {
  const sim = simulate({ nodes: 8 });
  sim.llama("chat", { ...oneGpu, replicas: 4 });
  await sim.settle();
  sim.patch("GpuPool", "h100", { spec: { tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }, { key: "x", operator: "Exists" }] } });
  await sim.settle();
  for (const n of [8, 2, 6, 1, 5]) {
    const before = Math.min(sim.endpoints("chat").length, n);
    sim.scale("chat", n);
    for (let i = 0; i < 60; i += 1) {
      await sim.pass(1);
      expect(sim.endpoints("chat").length).toBeGreaterThanOrEqual(before);
    }
    await sim.settle();
    expect(sim.endpoints("chat")).toHaveLength(n);
  }
});

test("an evicted pod label removed: counted once", async () => {
  const sim = simulate({ nodes: 1 });
  sim.llama("chat", { ...oneGpu, replicas: 2 });
  await sim.settle();
  const name = sim.pods("chat")[0]?.metadata.name ?? "";
  sim.patch("Pod", name, { metadata: { labels: { "llama-operator.dev/deployment": null } } });
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(2);
  expect(sim.status("chat")).toMatchObject({ replicas: 2, readyReplicas: 2 });
  sim.forgetWrites();
  await sim.pass(600);
  expect(sim.written()).toEqual([]);
});

test("a group whose first pool edit moves it, its node drained: comes back, old one leaves", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("big", { ...twoNodes, replicas: 2 });
  await sim.settle();
  sim.patch("GpuPool", "h100", { spec: { tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }, { key: "x", operator: "Exists" }] } });
  await sim.settle();
  for (const round of [0, 1, 2]) {
    sim.deletePod(sim.pods("big")[round % 2]);
    await sim.pass(900);
    sim.expectCondition("big", { type: "Ready", status: "True" });
  }
  sim.scale("big", 1);
  await sim.settle();
  expect(sim.list("LeaderWorkerSet")).toHaveLength(1);
  sim.scale("big", 2);
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True" });
});

test("tolerations removed by a tenant edit while operator restarts in the middle of a move", async () => {
  for (let n = 1; n < 9; n += 1) {
    const sim = simulate({ nodes: 4, seed: n });
    sim.llama("chat", { ...wholeNode, replicas: 3 });
    await sim.settle();
    sim.patch("GpuPool", "h100", { spec: { tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }, { key: "x", operator: "Exists" }] } });
    sim.crashAfterWrite(n);
    sim.deletePod(sim.pods("chat")[0]);
    await sim.pass(30);
    if (!sim.isOperatorRunning) sim.startOperator();
    sim.deletePod(sim.pods("chat")[1]);
    await sim.pass(900);
    if (!sim.isOperatorRunning) sim.startOperator();
    await sim.pass(900);
    expect(sim.endpoints("chat"), String(n)).toHaveLength(3);
    expect(sim.list("ControllerRevision")).toHaveLength(1);
  }
});
void foreignPod; void gpuPool;
