// Hard days: what an attack on the rollout, the queue for GPUs and the care of children found. Each scenario says what is
// right. A FAULT is what the operator still does, with its severity and place, and its test is marked `test.fails`; of those
// that are mended the comment says what was and where.
import { expect, test } from "vitest";
import { ApiError, type KubeObject, type Live } from "@llama-operator/kube-runtime/client";
import { types } from "../testing/cluster/objects.ts";
import { oneGpu, refusedEngine, twoNodes, wholeNode } from "../testing/example-specs.ts";
import { gpuPool } from "../testing/manifests.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

const longer = { context: { maxTokens: 65_536 } } as const;
const teamB = { podTemplate: { labels: { team: "b" } } } as const;
const forbidden = new ApiError("simulated", { code: 403, reason: "Forbidden", message: "a policy says no" });
const costAnnotation = "controller.kubernetes.io/pod-deletion-cost";

function foreignService(name: string): KubeObject {
  const spec = { selector: { app: "web" } };
  const manifest = { apiVersion: "v1", kind: "Service", metadata: { name }, spec };
  return manifest;
}

function revisionOf(sim: Simulation, llama: string, number = 1): string {
  const found = sim
    .list<KubeObject & { readonly revision?: number }>("ControllerRevision")
    .find(({ metadata, revision }) => metadata.name.startsWith(`${llama}-`) && revision === number);
  if (found === undefined) throw new Error(`there is no revision ${number} of ${llama}`);
  return found.metadata.name;
}

function deployments(sim: Simulation): readonly Live<KubeObject & { spec: { replicas: number } }>[] {
  return sim.list("Deployment");
}

/** Engines of the first revision end at every start; those of team b are well. */
function breakAllBut(sim: Simulation, team: string): void {
  sim.engines(({ metadata }) => metadata.labels?.["team"] !== team, { exitCode: 1 });
}

/** The fewest replicas that answer while time goes by, looked at every tenth of a second. */
async function fewestAnswering(sim: Simulation, llama: string, seconds: number): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY;
  for (let tenth = 0; tenth < seconds * 10; tenth += 1) {
    await sim.pass(0.1);
    fewest = Math.min(fewest, sim.endpoints(llama).length);
  }
  return fewest;
}

/** Four replicas of which the new revision has all, and the old one its last; the cache is a second late from here on. */
async function lateInRollout(): Promise<Simulation> {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 4 });
  await sim.settle();
  sim.edit("chat", longer);
  await sim.until("one old replica is left", () =>
    sim.written().includes("change Deployment chat@1: spec.replicas 2 -> 1"),
  );
  await sim.pass(5);
  sim.delayWatch("Deployment", 1);
  return sim;
}

// --- A. an early return leaves what runs without care ---

// MENDED, outage (GPUs cannot be freed). children/step.ts:36 returns before the workloads where a Service, a
// PodDisruptionBudget or a ServiceAccount of the name is somebody else's. Fault 9 again, by another way.
test("no replicas of a model whose Service is somebody else's free its GPUs", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.delete("Service", "chat");
  sim.apply(foreignService("chat"));
  sim.scale("chat", 0);
  await sim.settle();
  expect(sim.pods("chat")).toEqual([]);
});

// MENDED, outage (GPUs cannot be freed). children/step.ts:34: a refused Service throws before the workloads are written.
test("no replicas of a model whose Service is refused free its GPUs", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.refuse({ verb: "apply", kind: "Service" }, forbidden, 10_000);
  sim.delete("Service", "chat");
  sim.scale("chat", 0);
  await sim.settle();
  expect(sim.pods("chat")).toEqual([]);
});

test("fewer replicas are fewer replicas though pods may not be marked", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 3 });
  await sim.settle();
  sim.refuse({ verb: "patch", kind: "Pod" }, forbidden, 10_000);
  sim.scale("chat", 2);
  await sim.settle();
  expect(sim.pods("chat")).toHaveLength(2);
});

test("what was refused is tried again soon after the cause is gone", async () => {
  const sim = simulate();
  const { server } = sim.cluster;
  const apply = server.apply.bind(server);
  let isRefusing = true;
  server.apply = (type, intent, how) => {
    if (isRefusing && type.kind === "Deployment") throw forbidden;
    return apply(type, intent, how);
  };
  sim.llama("chat", oneGpu);
  await sim.pass(3600);
  sim.expectCondition("chat", { type: "Ready", status: "False", reason: "WriteRefused" });
  isRefusing = false;
  await sim.pass(120);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

// --- B. rollouts that never end, because what serves nothing keeps its GPUs ---

// MENDED, outage for ever. rollout/planner.ts:84: only one candidate is looked at, the pending one, which frees nothing;
// the one that crashes behind it keeps the node from its own repair. The rest of fault 2.
test("a repair gets the node of a replica that crashes, though another is pending", async () => {
  const sim = simulate();
  breakAllBut(sim, "b");
  sim.llama("chat", { ...wholeNode, replicas: 2 });
  await sim.settle();
  sim.edit("chat", teamB);
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(1);
});

// MENDED, outage for ever. The same line: two that crash would make room together, and each alone does not.
test("a group gets the nodes of two replicas that crash", async () => {
  const sim = simulate({ nodes: 2 });
  breakAllBut(sim, "b");
  sim.llama("chat", { ...wholeNode, replicas: 2 });
  await sim.settle();
  sim.edit("chat", { ...teamB, parallelism: { tensor: 8, pipeline: 2 } });
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(1);
});

// MENDED, outage for ever. capacity/contenders.ts:36 keeps room for the ranks of the very group that is to go, which
// rollout/step.ts:58 does not say: a group that no scheduler places (a schedulerName with a typing error, a node selector)
// is never replaced by its repair.
test("a group that nobody places makes room for its repair", async () => {
  const sim = simulate({ nodes: 2 });
  await sim.settle();
  sim.pauseController("scheduler");
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.edit("big", longer);
  await sim.settle();
  expect(sim.effects()).toContain("delete LeaderWorkerSet big@1/0");
  expect(sim.effects()).toContain("create LeaderWorkerSet big@2/0");
});

// Old revisions do not grow, so that as many as are wanted would never have answered.
test("an edit that asks for more replicas at once gets the GPUs of the one that fills the pool", async () => {
  const sim = simulate();
  sim.llama("chat", wholeNode);
  await sim.settle();
  sim.edit("chat", { replicas: 2, parallelism: { tensor: 4, pipeline: 1 } });
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

// MENDED, stuck for ever. capacity/wake-ups.ts:86 wakes where the answer is another, and that counts whole replicas; a
// rollout decides by what is free once an old replica has gone (roomAfter), which nobody asks again.
test.each([
  ["one node", 2, wholeNode, { tensor: 8, pipeline: 2 }],
  ["four GPUs", 1, { ...wholeNode, parallelism: { tensor: 4, pipeline: 1 } }, { tensor: 8, pipeline: 1 }],
] as const)("a rollout that lacks %s beside its old replica goes on when that is free", async (...given) => {
  const [, nodes, spec, parallelism] = given;
  const sim = simulate({ nodes });
  sim.llama("chat", spec);
  sim.llama("other", spec);
  await sim.settle();
  sim.edit("chat", { parallelism });
  await sim.settle();
  sim.scale("other", 0);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

// MENDED, stuck for ever. rollout/step.ts:103 has its clock in status.waitingForGpus alone, which the CRD of the version
// before drops (Helm upgrades no CRDs): patience never ends, and a full pool rolls nothing out any more.
test("an old replica makes room in time on the CRD of the version before", async () => {
  const sim = simulate();
  const { server } = sim.cluster;
  const setStatus = server.setStatus.bind(server);
  server.setStatus = (type, ref, status, metadata) => {
    const { waitingForGpus: _, ...known } = status as Record<string, unknown>;
    return setStatus(type, ref, type.kind === types.llamaDeployments.kind ? known : status, metadata);
  };
  sim.llama("chat", wholeNode);
  await sim.settle();
  sim.edit("chat", longer);
  await sim.settle();
  await sim.pass(600);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

// --- C. what cannot be read, or has lost its label ---

// MENDED, outage. replicas/workloads.ts:47 leaves out the Deployment of a revision that is not stored; rollout/step.ts:118
// then counts from zero, and the write scales what serves to `room`: 0 where a group is ahead. Fault 4 in a new form.
test("a revision that somebody deletes while a group waits ends no replica", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("chat", { ...oneGpu, replicas: 3 });
  await sim.settle();
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.delete("ControllerRevision", revisionOf(sim, "chat"));
  expect(await fewestAnswering(sim, "chat", 10)).toBe(3);
});

// MENDED, outage of capacity. The same place, in a rollout: from 4 to 1, then one after the other again.
test("the current revision that somebody deletes in a rollout ends no replica", async () => {
  const sim = await lateInRollout();
  sim.delete("ControllerRevision", revisionOf(sim, "chat", 2));
  expect(await fewestAnswering(sim, "chat", 10)).toBe(4);
});

// MENDED, outage of capacity. observed/watched.ts:41 finds children by their label alone: without it the Deployment counts
// as not there, and is written with the count of a first replica.
test("a Deployment that loses its label in a rollout loses no replica", async () => {
  const sim = await lateInRollout();
  const current = deployments(sim).find(({ spec }) => spec.replicas === 4);
  sim.patch("Deployment", current?.metadata.name ?? "", {
    metadata: { labels: { "llama-operator.dev/deployment": null } },
  });
  expect(await fewestAnswering(sim, "chat", 10)).toBe(4);
});

// MENDED, leak for ever (GPUs, and requests answered by the old revision while Ready is True): T8f. The same place.
test("an old Deployment that loses its label goes with its rollout", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const old = deployments(sim)[0]?.metadata.name ?? "";
  sim.edit("chat", longer);
  await sim.pass(5);
  sim.patch("Deployment", old, { metadata: { labels: { "llama-operator.dev/deployment": null } } });
  await sim.settle();
  expect(sim.get("Deployment", old)).toBeUndefined();
});

test("Ready is not True while a workload of an unknown revision answers too", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const old = revisionOf(sim, "chat");
  sim.edit("chat", longer);
  await sim.pass(5);
  sim.delete("ControllerRevision", old);
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(2);
  sim.expectCondition("chat", { type: "Ready", status: "False" });
});

// MENDED, outage after the next lost pod. children/step.ts:73 deletes our ServiceAccount once no readable workload names
// it: a workload that cannot be read runs as it still. The rest of fault 5.
test("our ServiceAccount stays while a workload that nobody can read may run as it", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "other" } });
  sim.patch("ControllerRevision", revisionOf(sim, "chat"), { data: { plan: null } });
  sim.edit("chat", { podTemplate: { serviceAccountName: "other" } });
  await sim.settle();
  expect(sim.get("ServiceAccount", "chat")).toBeDefined();
});

// MENDED, outage. revision/stored.ts:38 takes the newest stored revision for the one in force where status names one that
// cannot be read, or none: a model that is Stalled begins to run what was taken out of use.
test("a stalled model whose revision cannot be read starts no other one", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.edit("chat", longer);
  await sim.settle();
  sim.edit("chat", { engine: refusedEngine });
  await sim.settle();
  sim.forgetWrites();
  sim.patch("ControllerRevision", revisionOf(sim, "chat", 2), { data: { plan: null } });
  await sim.settle();
  expect(sim.effects()).toEqual([]);
});

// MENDED, outage. The same place: a status that was lost (a restored backup) lets a stalled model roll to a revision that
// an edit took back.
test("a stalled model that lost its status keeps the revision that serves", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  for (const maxTokens of [65_536, null]) {
    sim.edit("chat", { context: { maxTokens } });
    await sim.settle();
  }
  sim.edit("chat", { engine: refusedEngine });
  await sim.settle();
  const before = sim.endpoints("chat");
  sim.killOperator();
  sim.cluster.server.setStatus(types.llamaDeployments, { namespace: "models", name: "chat" }, {});
  sim.forgetWrites();
  sim.startOperator();
  await sim.settle();
  expect(sim.effects()).toEqual([]);
  expect(sim.endpoints("chat")).toEqual(before);
});

// --- D. the queue for GPUs ---

// MENDED, outage of others, across namespaces. rollout/step.ts:63: what may not be made (growth "none") counts as withheld
// for lack of GPUs, and so stands ahead of everybody for as long as a person does nothing.
test.each(["NameConflict", "LeaderWorkerSetMissing"])(
  "a group that may not be made for %s keeps no GPUs from others",
  async (reason) => {
    const sim = simulate({ nodes: 3 });
    sim.llama("big", twoNodes);
    await sim.settle();
    sim.scale("big", 0);
    await sim.settle();
    if (reason === "NameConflict") {
      sim.delete("Service", "big");
      sim.apply(foreignService("big"));
    } else {
      sim.serveLeaderWorkerSets(false);
    }
    sim.scale("big", 2);
    await sim.settle();
    sim.expectCondition("big", { type: "Ready", status: "False", reason });
    sim.llama("chat", { ...oneGpu, replicas: 12 });
    await sim.settle();
    sim.expectCondition("chat", { type: "Ready", status: "True" });
  },
);

// MENDED, outage of others until the operator restarts. rollout/step.ts:33 returns without taking the object out of the
// queue where it has no revision any more: an entry that nobody owns stays ahead.
test("a request whose revision can be read no more stands in nobody's way", async () => {
  const sim = simulate({ nodes: 3 });
  sim.llama("hold", { ...wholeNode, replicas: 2 });
  await sim.settle();
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.edit("big", { engine: refusedEngine });
  await sim.settle();
  sim.patch("ControllerRevision", revisionOf(sim, "big"), { data: { plan: null } });
  await sim.settle();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

// MENDED, outage of others, across namespaces: fault 8. capacity/made-pods.ts:123 counted the pods that a LeaderWorkerSet
// asks for and that nobody makes (a quota of its namespace, a webhook) as about to be placed, for ever.
test("a group whose pods are never made does not keep its nodes for ever", async () => {
  const sim = simulate({ nodes: 4 });
  await sim.settle();
  sim.pauseController("leader-worker-set");
  sim.llama("quota", { ...twoNodes, replicas: 2 });
  await sim.settle();
  await sim.pass(3600);
  sim.llama("other", twoNodes);
  await sim.settle();
  expect(sim.effects()).toContain("create LeaderWorkerSet other@1/0");
});

test("who waits behind a group that gets no pods is made once that is clear, and the group makes no further ones", async () => {
  const sim = simulate({ nodes: 4 });
  await sim.settle();
  sim.pauseController("leader-worker-set");
  sim.llama("quota", { ...twoNodes, replicas: 9 });
  sim.llama("other", twoNodes);
  await sim.pass(30);
  expect(sim.effects().filter((write) => write.includes("LeaderWorkerSet other"))).toEqual([]);
  await sim.pass(3600);
  expect(sim.effects().filter((write) => write.startsWith("create LeaderWorkerSet"))).toEqual([
    "create LeaderWorkerSet quota@1/0",
    "create LeaderWorkerSet quota@1/1",
    "create LeaderWorkerSet other@1/0",
  ]);
  sim.expectCondition("quota", { type: "Scheduled", status: "False", reason: "PlacingPods" });
});

// MENDED, outage for ever: fault 7. capacity/gpu-capacity.ts:19 said it as a caveat: nodes that may come count as room for
// each group that asks, and of two groups that wait for them each got one node.
test("of two groups that wait for nodes one serves when two nodes come", async () => {
  const sim = simulate({ pool: false });
  sim.apply(gpuPool("h100", { nodes: { max: 4 } }));
  sim.llama("one", twoNodes);
  sim.llama("two", twoNodes);
  await sim.settle();
  for (let node = 0; node < 2; node += 1) {
    sim.addNodes(1);
    await sim.settle();
  }
  await sim.pass(3600);
  expect(sim.endpoints("one").length + sim.endpoints("two").length).toBe(1);
});

// MENDED, unfair. capacity/queue.ts:47: who asks for less waits anew, as if it had been given something; lowering and
// raising replicas by hand costs a day in the queue.
test("who asks for fewer replicas keeps the place in the queue", async () => {
  const sim = simulate({ nodes: 0 });
  sim.llama("old", { ...twoNodes, replicas: 2 });
  await sim.settle();
  await sim.pass(600);
  sim.llama("young", twoNodes);
  await sim.pass(60);
  sim.scale("old", 1);
  await sim.settle();
  sim.addNodes(2);
  await sim.settle();
  sim.expectCondition("old", { type: "Ready", status: "True" });
});

// MENDED, a policy that does not hold. rollout/step.ts:95 asks for prerequisites but not for the pool: a namespace that may
// use a pool no more goes on growing in it, though status says NoPool.
test("a namespace that may use the pool no more keeps its replicas and gets no further ones", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.patch("GpuPool", "h100", { spec: { namespaceSelector: { matchLabels: { team: "others" } } } });
  await sim.settle();
  sim.scale("chat", 3);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "False", reason: "NoPool" });
  expect(sim.pods("chat")).toHaveLength(1);
});

// --- E. victims ---

// MENDED, outage. children/step.ts:60 with rollout/step.ts:49: an old Deployment that somebody scales to 0, be it for an
// instant, has no replicas, and what has none is deleted with the pods that it has in truth.
test("an old Deployment that is scaled to zero and back in an instant keeps its replicas", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 3 });
  await sim.settle();
  const old = deployments(sim)[0]?.metadata.name ?? "";
  sim.engines("chat", { startSeconds: 600 });
  sim.edit("chat", longer);
  await sim.pass(10);
  sim.patch("Deployment", old, { spec: { replicas: 0 } });
  sim.patch("Deployment", old, { spec: { replicas: 3 } });
  await sim.pass(30);
  expect(sim.endpoints("chat")).toHaveLength(3);
});

test("a deletion cost that somebody else set stays", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 2 });
  await sim.settle();
  const [pod] = sim.pods("chat");
  sim.patch("Pod", pod?.metadata.name ?? "", { metadata: { annotations: { [costAnnotation]: "-1000" } } });
  await sim.settle();
  expect(sim.effects().filter((write) => write.startsWith("change Pod"))).toEqual([]);
});

// --- what held ---

function marks(sim: Simulation): readonly string[] {
  return sim.pods("chat").flatMap(({ metadata }) => metadata.annotations?.[costAnnotation] ?? []);
}

test("replicas lowered and raised within a second, with pods seen late, end none and leave no mark", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 3 });
  await sim.settle();
  const before = sim.endpoints("chat");
  sim.delayWatch("Pod", 1);
  sim.scale("chat", 1);
  await sim.pass(0.5);
  sim.scale("chat", 3);
  await sim.settle();
  expect(sim.endpoints("chat")).toEqual(before);
  expect(marks(sim)).toEqual([]);
});

test("a mark that a dead leader left is taken back", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 3 });
  await sim.settle();
  sim.crashAfterWrite(1);
  sim.scale("chat", 2);
  await sim.settle();
  expect(marks(sim)).toHaveLength(1);
  sim.scale("chat", 3);
  sim.startOperator();
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(3);
  expect(marks(sim)).toEqual([]);
});

test("a generation that stalls while marks are pending takes them back", async () => {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas: 3 });
  await sim.settle();
  sim.delayWatch("Pod", 5);
  sim.scale("chat", 2);
  await sim.pass(1);
  expect(marks(sim)).toHaveLength(1);
  sim.edit("chat", { engine: refusedEngine, replicas: 3 });
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(3);
  expect(marks(sim)).toEqual([]);
});

test("two edits in a row, the first of them broken, keep the replica that answers", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const before = sim.endpoints("chat");
  for (const team of ["b", "c"]) {
    sim.engines(({ metadata }) => metadata.labels?.["team"] === team, { exitCode: 1 });
    sim.edit("chat", { podTemplate: { labels: { team } } });
    await sim.settle();
  }
  expect(sim.endpoints("chat")).toEqual(before);
});
