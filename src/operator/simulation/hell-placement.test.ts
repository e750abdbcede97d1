import { expect, test } from "vitest";
import { oneGpu, twoNodes, wholeNode } from "../testing/example-specs.ts";
import { gpuPool } from "../testing/manifests.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";
import type { WorkloadObject } from "../testing/cluster/objects.ts";

const gpuToleration = { key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" } as const;
const tol = (n: number) => [gpuToleration, { key: `t${n}`, operator: "Exists", effect: "NoSchedule" }];
const ready = (sim: Simulation, n = "chat") => sim.condition(n, "Ready")?.status === "True";

test("three pool edits, a pod lost after each, all answer and no Deployments are left over", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("chat", { ...wholeNode, replicas: 3 });
  await sim.settle();
  for (const n of [1, 2, 3]) {
    sim.patch("GpuPool", "h100", { spec: { tolerations: tol(n) } });
    await sim.settle();
    sim.deletePod(sim.pods("chat")[0]);
    await sim.settle();
    expect(sim.endpoints("chat")).toHaveLength(3);
    expect(ready(sim)).toBe(true);
  }
  sim.restartOperator();
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(3);
  sim.edit("chat", { context: { maxTokens: 32768 } });
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(3);
  expect(sim.list<WorkloadObject>("Deployment")).toHaveLength(1);
});

test("a full pool: pool edited, spec edited, taken back", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("chat", { ...wholeNode, replicas: 2 });
  await sim.settle();
  sim.patch("GpuPool", "h100", { spec: { tolerations: tol(1) } });
  await sim.settle();
  sim.edit("chat", { context: { maxTokens: 32768 } });
  await sim.pass(15);
  sim.edit("chat", { context: { maxTokens: null } });
  await sim.pass(600);
  expect(sim.endpoints("chat")).toHaveLength(2);
  expect(ready(sim)).toBe(true);
});

test("groups on a full pool A and a full pool B do not flip between them", async () => {
  const sim = simulate({ nodes: 2 });
  sim.apply(gpuPool("b", { nodeSelector: { pool: "b" } }));
  sim.addNodes(2, { labels: { pool: "b" } });
  sim.patch("GpuPool", "h100", { spec: { nodeSelector: { pool: "a" } } });
  sim.patch("Node", "node-1", { metadata: { labels: { pool: "a" } } });
  sim.patch("Node", "node-2", { metadata: { labels: { pool: "a" } } });
  sim.llama("one", twoNodes);
  await sim.settle();
  sim.llama("two", twoNodes);
  await sim.settle();
  sim.llama("three", twoNodes);
  await sim.pass(120);
  sim.forgetWrites();
  await sim.pass(120);
  expect(sim.written()).toEqual([]);
  sim.delete("LlamaDeployment", "one");
  await sim.pass(120);
  sim.expectCondition("three", { type: "Ready", status: "True" });
});

test("scale to zero after a pool edit, and back", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("chat", { ...wholeNode, replicas: 2 });
  await sim.settle();
  sim.patch("GpuPool", "h100", { spec: { tolerations: tol(1) } });
  await sim.settle();
  sim.deletePod(sim.pods("chat")[0]);
  await sim.settle();
  sim.scale("chat", 0);
  await sim.settle();
  expect(sim.pods("chat")).toEqual([]);
  sim.scale("chat", 2);
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(2);
  sim.forgetWrites();
  await sim.pass(600);
  expect(sim.written()).toEqual([]);
});

test("ControllerRevision deleted while two placements run: nobody that serves goes", async () => {
  const sim = simulate({ nodes: 3 });
  sim.llama("chat", { ...wholeNode, replicas: 2 });
  await sim.settle();
  sim.patch("GpuPool", "h100", { spec: { tolerations: tol(1) } });
  await sim.settle();
  sim.deletePod(sim.pods("chat")[0]);
  await sim.settle();
  const before = sim.pods("chat").map((p) => p.metadata.uid).sort();
  sim.delete("ControllerRevision", sim.list("ControllerRevision")[0]?.metadata.name ?? "");
  await sim.settle();
  expect(sim.pods("chat").map((p) => p.metadata.uid).sort()).toEqual(expect.arrayContaining(before));
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  sim.scale("chat", 1);
  await sim.settle();
  expect(sim.pods("chat")).toHaveLength(1);
  sim.scale("chat", 0);
  await sim.settle();
  expect(sim.pods("chat")).toHaveLength(0);
});

test("an operator upgrade over Deployments of Recreate rolls nothing", async () => {
  const sim = simulate({ nodes: 1 });
  sim.llama("chat", { ...wholeNode, replicas: 1 });
  await sim.settle();
  const before = sim.pods("chat")[0]?.metadata.uid;
  sim.killOperator();
  const d = sim.list("Deployment")[0]?.metadata.name ?? "";
  sim.patch("Deployment", d, { spec: { strategy: { type: "Recreate", rollingUpdate: null } } });
  sim.startOperator();
  await sim.settle();
  expect(sim.pods("chat")[0]?.metadata.uid).toBe(before);
  expect(sim.get("Deployment", d)).toMatchObject({ spec: { strategy: { type: "RollingUpdate" } } });
});

test("a pool that is gone and another that takes its place: two lost pods at once", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("chat", { ...oneGpu, replicas: 3 });
  await sim.settle();
  sim.apply(gpuPool("next", { nodeSelector: { pool: "next" } }));
  sim.addNodes(2, { labels: { pool: "next" } });
  sim.delete("GpuPool", "h100");
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(3);
  const [a, b] = sim.pods("chat");
  sim.deletePod(a);
  sim.deletePod(b);
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(3);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  for (const n of ["node-1", "node-2", "node-3", "node-4"]) sim.removeNode(n);
  await sim.pass(900);
  expect(sim.endpoints("chat")).toHaveLength(3);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});
