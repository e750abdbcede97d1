// Who may use which pool, and pools that change or go under models that run there.
import { expect, test } from "vitest";
import { oneGpu, twoNodes, wholeNode } from "../testing/example-specs.ts";
import { gpuPool } from "../testing/manifests.ts";
import { simulate } from "../testing/simulation.ts";

const forResearch = { namespaceSelector: { matchLabels: { team: "research" } } } as const;
const namespace = (labels: Readonly<Record<string, string>>) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "models", labels },
});

test("a pool is there for the namespaces that it names, and a label opens it", async () => {
  const sim = simulate();
  sim.apply(gpuPool("h100", forResearch));
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", { type: "Planned", status: "False", reason: "NoPool" });
  sim.apply(namespace({ team: "research" }));
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("a namespace that loses its label keeps what serves, and a new generation must wait", async () => {
  const sim = simulate();
  sim.apply(gpuPool("h100", forResearch));
  sim.apply(namespace({ team: "research" }));
  sim.llama("chat", oneGpu);
  await sim.settle();
  const before = sim.endpoints("chat");
  sim.patch("Namespace", "models", { metadata: { labels: { team: null } } });
  await sim.settle();
  expect(sim.endpoints("chat")).toEqual(before);
  sim.expectCondition("chat", { type: "Available", status: "True" });
  sim.expectCondition("chat", { type: "Ready", status: "False", reason: "NoPool" });
});

test("a pool that goes takes nothing along, and back again it is the same plan", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const before = sim.endpoints("chat");
  sim.delete("GpuPool", "h100");
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "False", reason: "NoPool" });
  sim.expectCondition("chat", { type: "Available", status: "True" });
  sim.forgetWrites();
  sim.apply(gpuPool());
  await sim.settle();
  expect(sim.effects()).toEqual([]);
  expect(sim.endpoints("chat")).toEqual(before);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("a plan stays in its pool though a better one comes", async () => {
  const sim = simulate();
  sim.llama("chat", wholeNode);
  await sim.settle();
  sim.forgetWrites();
  sim.apply(gpuPool("another", { nodeSelector: { another: "pool" } }));
  sim.addNodes(4, { labels: { another: "pool" } });
  await sim.settle();
  expect(sim.effects()).toEqual([]);
  expect(sim.status("chat").plan?.pool).toBe("h100");
});

test("a model moves to the pool that its selector names", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.apply({
    ...gpuPool("labelled", { nodeSelector: { pool: "labelled" } }),
    metadata: { name: "labelled", labels: { tier: "gold" } },
  });
  sim.addNodes(1, { labels: { pool: "labelled" } });
  sim.edit("chat", { placement: { poolSelector: { matchLabels: { tier: "gold" } } } });
  await sim.settle();
  expect(sim.status("chat").plan?.pool).toBe("labelled");
  expect(sim.pods("chat").map(({ spec }) => spec.nodeName)).toEqual(["node-2"]);
});

test("a fabric that the namespace's Pod Security refuses stalls, before anything is made", async () => {
  const sim = simulate({ pool: false });
  const shape = "Standard_ND96isr_H100_v5";
  const rdma = "rdma/rdma_shared_device_a";
  sim.apply(
    gpuPool("nd-h100", {
      machineShape: shape,
      fabric: { type: "infiniband", resources: { [rdma]: "1" } },
      tolerations: [{ operator: "Exists" }],
    }),
  );
  sim.addNodes(2, { shape, allocatable: { [rdma]: "63" } });
  sim.apply(namespace({ "pod-security.kubernetes.io/enforce": "restricted" }));
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.expectCondition("big", { type: "Stalled", status: "True", reason: "PodSecurity" });
  expect(sim.effects()).toEqual([]);
  sim.apply(namespace({ "pod-security.kubernetes.io/enforce": "privileged" }));
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True" });
});

test("a pool's counts are written once in half a minute, and its new generation at once", async () => {
  const sim = simulate({ nodes: 2 });
  await sim.settle();
  sim.forgetWrites();
  for (let index = 0; index < 6; index += 1) {
    sim.llama(`chat-${index}`, oneGpu);
    await sim.pass(8);
  }
  const counts = sim.written().filter((write) => write.includes("GpuPool"));
  expect(counts.length).toBeLessThanOrEqual(2);
  await sim.settle();
  expect(sim.get("GpuPool", "h100", "")).toMatchObject({
    status: { nodes: 2, gpus: { total: 16, used: 6 } },
  });
  sim.forgetWrites();
  sim.patch("GpuPool", "h100", { spec: { capacity: "reserved" } });
  await sim.pass(2);
  expect(sim.written().filter((write) => write.includes("GpuPool"))).toEqual([
    "status GpuPool h100: observedGeneration",
  ]);
});

test("pods that wait in another pool keep no group from this one's nodes", async () => {
  const sim = simulate({ nodes: 3 });
  const team = { matchLabels: { team: "team" } };
  sim.apply({ ...namespace(team.matchLabels), metadata: { name: "team", labels: team.matchLabels } });
  sim.llama("chat", wholeNode);
  await sim.settle();
  // Its pool becomes another team's; what runs stays, and further replicas go to a pool that has no nodes yet.
  sim.patch("GpuPool", "h100", { spec: { namespaceSelector: team } });
  sim.apply(gpuPool("other", { nodeSelector: { pool: "other" } }));
  sim.scale("chat", 2);
  await sim.pass(120);
  expect(sim.pods("chat").map(({ spec }) => spec.nodeName)).toContain(undefined);
  sim.llama("big", twoNodes, "team");
  await sim.pass(600);
  // Two of three nodes are free.
  sim.expectCondition("big", { type: "Ready", status: "True" }, "team");
});
