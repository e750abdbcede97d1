// GPUs that are free where pods cannot go: taints, CPU, memory, and what only the scheduler knows. Nothing is made to wait
// half placed, and status says what it is.
import { expect, test } from "vitest";
import { oneGpu, twoNodes, wholeNode } from "../testing/example-specs.ts";
import { gpuPool } from "../testing/manifests.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

function taint(sim: Simulation, node: string, ...taints: readonly Record<string, string>[]): void {
  sim.patch("Node", node, { spec: { taints } });
}

const training = { key: "dedicated", value: "training", effect: "NoSchedule" };

/** A pod of somebody else that takes no GPU. */
function greedyPod(sim: Simulation, node: string, requests: Readonly<Record<string, string>>): void {
  const containers = [{ name: "c", image: "other", resources: { requests } }];
  sim.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `greedy-${node}` },
    spec: { nodeName: node, containers },
  } as never);
}

test("a group is not made while taints keep it from nodes, and is when the pool tolerates them", async () => {
  const sim = simulate({ nodes: 4 });
  for (const node of ["node-1", "node-2", "node-3"]) taint(sim, node, training);
  sim.llama("big", twoNodes);
  await sim.settle();
  expect(sim.list("LeaderWorkerSet")).toEqual([]);
  sim.expectCondition("big", {
    type: "Scheduled",
    status: "False",
    reason: "Unschedulable",
    message: "taints that the pool does not tolerate: dedicated=training:NoSchedule",
  });
  expect(sim.condition("big", "ModelLoaded")).toBeUndefined();
  taint(sim, "node-1");
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True" });
});

test.each([
  ["CPU", { cpu: "150" }, "too little CPU left"],
  ["memory", { memory: "1500Gi" }, "too little memory left"],
])("a group is not made while others hold the nodes' %s, and is when they go", async (...given) => {
  const [, requests, message] = given;
  const sim = simulate({ nodes: 3 });
  for (const node of ["node-1", "node-2"]) greedyPod(sim, node, requests);
  sim.llama("big", twoNodes);
  await sim.settle();
  expect(sim.list("LeaderWorkerSet")).toEqual([]);
  sim.expectCondition("big", { type: "Scheduled", status: "False", reason: "Unschedulable", message });
  sim.delete("Pod", "greedy-node-1");
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True" });
});

test("one pod is told of taints and of CPU too", async () => {
  const sim = simulate({ nodes: 2 });
  taint(sim, "node-1", training);
  greedyPod(sim, "node-2", { cpu: "150" });
  sim.llama("chat", wholeNode);
  await sim.settle();
  for (const message of ["dedicated=training:NoSchedule", "too little CPU left"]) {
    sim.expectCondition("chat", { type: "Scheduled", status: "False", reason: "Unschedulable", message });
  }
  taint(sim, "node-1");
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("GPUs that are missing are blamed where nodes have taints too, but no GPUs", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("first", { ...wholeNode, replicas: 2 });
  await sim.settle();
  taint(sim, "node-1", training);
  sim.llama("second", wholeNode);
  await sim.settle();
  sim.expectCondition("second", { type: "Scheduled", status: "False", reason: "WaitingForGpus" });
});

test("a taint that is named after the GPU's resource is left to the API server, which adds the toleration", async () => {
  const sim = simulate({ pool: false });
  sim.apply(gpuPool("h100", { tolerations: [] }));
  for (const node of sim.addNodes(2)) {
    taint(sim, node, { key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" });
  }
  sim.llama("big", twoNodes);
  await sim.settle();
  expect(sim.list("LeaderWorkerSet")).toHaveLength(1);
});

test("what a model waits for otherwise is told in the scheduler's words, and keeps no GPUs from others", async () => {
  const sim = simulate({ pool: false });
  sim.apply(gpuPool("h100", { tolerations: [] }));
  for (const node of sim.addNodes(2)) {
    taint(sim, node, { key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" });
  }
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", {
    type: "Scheduled",
    status: "False",
    reason: "Unschedulable",
    message: "kube-scheduler places no pod: node(s) had untolerated taint(s)",
  });
  expect(sim.status("chat")).not.toHaveProperty("waitingForGpus");
});

test("no time to answer is promised while a rank has no node", async () => {
  const sim = simulate({ pool: false });
  sim.apply(gpuPool("h100", { nodes: { max: 2 } }));
  sim.llama("big", twoNodes);
  sim.addNodes(1);
  await sim.settle();
  expect(sim.pods("big").some(({ spec }) => spec.nodeName !== undefined)).toBe(true);
  sim.expectCondition("big", { type: "ModelLoaded", status: "False", message: "wait for a node" });
});
