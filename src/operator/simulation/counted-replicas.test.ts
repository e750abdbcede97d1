// What counts as a replica: a pod that its workload controls, that has not ended, and that the Service can reach. Not one
// that a kubelet turned away, that was evicted, or that somebody took out of service by its labels.
import { expect, test } from "vitest";
import { types, type Pod } from "../testing/cluster/objects.ts";
import { oneGpu, twoNodes } from "../testing/example-specs.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

const roleLabel = "llama-operator.dev/role";

async function serving(replicas: number, spec: object = oneGpu): Promise<Simulation> {
  const sim = simulate({ nodes: 2 });
  sim.llama("chat", { ...spec, replicas });
  await sim.settle();
  return sim;
}

function end(sim: Simulation, pod: Pod | undefined, phase: string, reason: string): void {
  if (pod === undefined) throw new Error("there is no such pod");
  const { namespace, name } = pod.metadata;
  sim.cluster.server.setStatus(types.pods, { namespace, name }, { phase, reason });
}

test.each([
  ["Failed", "Evicted"],
  ["Failed", "UnexpectedAdmissionError"],
  ["Succeeded", "Completed"],
] as const)("a pod that is %s (%s) is no replica", async (phase, reason) => {
  const sim = await serving(2);
  end(sim, sim.pods("chat")[0], phase, reason);
  await sim.settle();
  expect(sim.pods("chat")).toHaveLength(3);
  expect(sim.status("chat")).toMatchObject({ replicas: 2, readyReplicas: 2 });
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  sim.expectCondition("chat", { type: "ModelLoaded", status: "True" });
});

test("pods that ended do not keep a model from being scaled to zero", async () => {
  const sim = await serving(1);
  end(sim, sim.pods("chat")[0], "Failed", "Evicted");
  await sim.settle();
  sim.scale("chat", 0);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True", reason: "ScaledToZero" });
});

test.each([
  ["role", { [roleLabel]: "quarantine" }],
  ["deployment", { "llama-operator.dev/deployment": null }],
  ["revision", { "llama-operator.dev/revision": "quarantine" }],
])("a pod in quarantine by its %s label is no replica, and lives on", async (_, labels) => {
  const sim = await serving(2);
  const [pod] = sim.pods("chat");
  const name = pod?.metadata.name ?? "";
  sim.patch("Pod", name, { metadata: { labels } });
  await sim.settle();
  expect(sim.get("Pod", name)).toBeDefined();
  expect(sim.status("chat")).toMatchObject({ replicas: 2, readyReplicas: 2 });
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  // A rollout counts it neither as new nor as old, and a scale-down does not choose it.
  sim.edit("chat", { context: { maxTokens: 65_536 } });
  await sim.settle();
  sim.scale("chat", 1);
  await sim.settle();
  expect(sim.get("Pod", name)).toBeDefined();
  expect(sim.status("chat")).toMatchObject({ replicas: 1, readyReplicas: 1 });
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("a pod in quarantine that carries the hash of a revision does not answer for it in a rollback", async () => {
  const sim = await serving(1);
  const name = sim.pods("chat")[0]?.metadata.name ?? "";
  sim.patch("Pod", name, { metadata: { labels: { [roleLabel]: "quarantine" } } });
  await sim.settle();
  sim.edit("chat", { context: { maxTokens: 65_536 } });
  await sim.settle();
  sim.engines("chat", { startSeconds: 600 });
  sim.edit("chat", { context: { maxTokens: null } });
  await sim.pass(60);
  expect(sim.endpoints("chat")).toHaveLength(1);
  expect(sim.status("chat").readyReplicas).toBe(1);
});

test.each([
  ["role", { [roleLabel]: "quarantine" }],
  ["deployment", { "llama-operator.dev/deployment": null }],
])(
  "a group whose leader was taken out of service by its %s label does not answer, and that is said",
  async (_, labels) => {
    const sim = await serving(1, twoNodes);
    const leader = sim.pods("chat").find(({ metadata }) => metadata.labels?.[roleLabel] === "serving");
    const name = leader?.metadata.name ?? "";
    sim.patch("Pod", name, { metadata: { labels } });
    await sim.settle();
    expect(sim.status("chat")).toMatchObject({ replicas: 1, readyReplicas: 0 });
    sim.expectCondition("chat", { type: "Available", status: "False" });
    sim.expectCondition("chat", { type: "Ready", status: "False", reason: "OutOfService", message: name });
    sim.patch("Pod", name, { metadata: { labels: leader?.metadata.labels } });
    await sim.settle();
    sim.expectCondition("chat", { type: "Ready", status: "True" });
  },
);

test("a group whose rank ended is made again and counted once", async () => {
  const sim = await serving(1, twoNodes);
  end(sim, sim.pods("chat").at(-1), "Failed", "Evicted");
  await sim.settle();
  expect(sim.status("chat")).toMatchObject({ replicas: 1, readyReplicas: 1 });
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});
