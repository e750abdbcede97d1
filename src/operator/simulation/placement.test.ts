// Pools that change under models that run there: what serves stays, and whatever is made from then on goes where the pool
// says now.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import type { Pod, WorkloadObject } from "../testing/cluster/objects.ts";
import { oneGpu, twoNodes, wholeNode } from "../testing/example-specs.ts";
import { gpuPool } from "../testing/manifests.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

const gpuToleration = { key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" } as const;
const maintenance = { key: "maintenance", value: "yes", effect: "NoSchedule" } as const;
const tolerations = [gpuToleration, { ...maintenance, operator: "Equal" }];
const gold = { pool: "gold" } as const;

/** Every node repels pods that do not tolerate this, from now on. */
function taintNodes(sim: Simulation): void {
  for (const { metadata } of sim.list("Node")) {
    sim.patch("Node", metadata.name, { spec: { taints: [gpuToleration, maintenance] } });
  }
}

function uids(pods: readonly Live<KubeObject>[]): readonly string[] {
  return pods.map(({ metadata }) => metadata.uid).toSorted();
}

function running(sim: Simulation, llama = "chat"): readonly Pod[] {
  return sim.pods(llama).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** Nothing of ours but notes on revisions. */
function effects(sim: Simulation): readonly string[] {
  return sim.effects().filter((write) => !write.startsWith("change ControllerRevision"));
}

/** Two replicas serve, and what the pool asks of pods changes. */
async function twoReplicas(change: (sim: Simulation) => void): Promise<Simulation> {
  const sim = simulate({ nodes: 4 });
  sim.llama("chat", { ...wholeNode, replicas: 2 });
  await sim.settle();
  const before = running(sim);
  change(sim);
  await sim.settle();
  expect(uids(running(sim))).toEqual(uids(before));
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  sim.expectCondition("chat", { type: "PlacementDiffers", status: "True", reason: "PoolChanged" });
  return sim;
}

const changes: readonly (readonly [string, (sim: Simulation) => void, string])[] = [
  [
    "other taints",
    (sim) => {
      taintNodes(sim);
      sim.patch("GpuPool", "h100", { spec: { tolerations } });
    },
    "tolerations was ",
  ],
  [
    "other nodes",
    (sim) => {
      sim.addNodes(2, { labels: gold });
      sim.patch("GpuPool", "h100", { spec: { nodeSelector: gold } });
      // What was the pool's is nobody's to use.
      for (const name of ["node-3", "node-4"]) sim.cordon(name);
    },
    'nodeSelector was null and is {"pool":"gold"}',
  ],
  [
    "GPUs under another name",
    (sim) => {
      sim.addNodes(2, { allocatable: { "nvidia.com/gpu": "0", "example.com/gpu": "8" } });
      sim.patch("GpuPool", "h100", { spec: { gpu: { resourceName: "example.com/gpu" } } });
    },
    'gpu.resourceName was "nvidia.com/gpu" and is "example.com/gpu"',
  ],
  [
    "smaller nodes",
    (sim) => {
      for (const name of ["node-3", "node-4"]) sim.cordon(name);
      sim.addNodes(2, { allocatable: { cpu: "100" } });
      sim.patch("GpuPool", "h100", { spec: { allocatable: { cpu: "100" } } });
    },
    "CPU of a pod in thousandths was ",
  ],
];

test.each(changes)(
  "a pool with %s: what serves stays, and a lost pod comes back as the pool asks",
  async (...given) => {
    const [, change, said] = given;
    const sim = await twoReplicas(change);
    sim.expectCondition("chat", { type: "PlacementDiffers", status: "True", message: said });
    const [lost, kept] = running(sim);
    sim.deletePod(lost);
    await sim.settle();
    const after = running(sim);
    expect(after).toHaveLength(2);
    expect(uids(after)).toContain(kept?.metadata.uid);
    expect(sim.endpoints("chat")).toHaveLength(2);
    sim.expectCondition("chat", { type: "Ready", status: "True" });
    expect(sim.list("ControllerRevision")).toHaveLength(1);
    const replicas = sim.list<WorkloadObject>("Deployment").map(({ spec }) => spec.replicas);
    expect(replicas).toEqual([1, 1]);
  },
);

test.each(changes)("a pool with %s: further replicas go where the pool says now", async (...given) => {
  const [, change] = given;
  const sim = await twoReplicas(change);
  const before = uids(running(sim));
  sim.scale("chat", 4);
  await sim.settle();
  expect(uids(running(sim))).toEqual(expect.arrayContaining([...before]));
  expect(sim.endpoints("chat")).toHaveLength(4);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("a lost pod comes back as the pool asks, though its old workload would find a node for it at once", async () => {
  const sim = await twoReplicas((each) => each.patch("GpuPool", "h100", { spec: { tolerations } }));
  const [lost, kept] = running(sim);
  // Its ReplicaSet is quicker than the operator.
  sim.killOperator();
  sim.deletePod(lost);
  await sim.until("another has a node", () => running(sim).length === 2);
  await sim.pass(1);
  expect(running(sim).every(({ spec }) => spec.nodeName !== undefined)).toBe(true);
  sim.startOperator();
  await sim.settle();
  expect(uids(running(sim))).toContain(kept?.metadata.uid);
  expect(sim.endpoints("chat")).toHaveLength(2);
  const fresh = running(sim).find(({ metadata }) => metadata.uid !== kept?.metadata.uid);
  expect(fresh?.spec.tolerations).toContainEqual({ ...maintenance, operator: "Equal" });
});

test("once no pod is left of how the pool was, nothing is said of it, and nothing of it is there", async () => {
  const sim = await twoReplicas((each) => {
    taintNodes(each);
    each.patch("GpuPool", "h100", { spec: { tolerations } });
  });
  for (const pod of running(sim)) {
    sim.deletePod(pod);
    await sim.settle();
  }
  sim.expectNoCondition("chat", "PlacementDiffers");
  expect(sim.list("Deployment")).toHaveLength(1);
  expect(sim.endpoints("chat")).toHaveLength(2);
  sim.forgetWrites();
  sim.restartOperator();
  await sim.settle();
  expect(sim.written()).toEqual([]);
});

test("a pool that is put back as it was leaves nothing behind", async () => {
  const sim = await twoReplicas((each) => each.patch("GpuPool", "h100", { spec: { tolerations } }));
  sim.scale("chat", 3);
  await sim.settle();
  sim.patch("GpuPool", "h100", { spec: { tolerations: [gpuToleration] } });
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(3);
  sim.scale("chat", 1);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  expect(sim.pods("chat")).toHaveLength(1);
});

test("a lost group comes back as the pool asks by now", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("big", { ...twoNodes, replicas: 2 });
  await sim.settle();
  taintNodes(sim);
  sim.patch("GpuPool", "h100", { spec: { tolerations } });
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True" });
  const before = uids(running(sim, "big"));
  const [lost] = running(sim, "big");
  sim.deletePod(lost);
  await sim.settle();
  sim.expectCondition("big", { type: "Ready", status: "True" });
  expect(sim.endpoints("big")).toHaveLength(2);
  expect(uids(running(sim, "big")).filter((uid) => before.includes(uid))).toHaveLength(2);
});

test("a change of a pool reaches a model whose last edit cannot run", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("chat", wholeNode);
  await sim.settle();
  sim.edit("chat", { context: { maxTokens: 9_000_000 } });
  taintNodes(sim);
  sim.patch("GpuPool", "h100", { spec: { tolerations } });
  await sim.settle();
  sim.deletePod(running(sim)[0]);
  await sim.settle();
  sim.expectCondition("chat", { type: "Available", status: "True" });
});

test.each([
  ["the new one first", true],
  ["the old one deleted first", false],
])("a pool that is renamed, %s, restarts nothing", async (_, isMadeFirst) => {
  const sim = simulate({ nodes: 4 });
  sim.llama("chat", { ...oneGpu, replicas: 2 });
  sim.llama("big", twoNodes);
  await sim.settle();
  sim.forgetWrites();
  if (isMadeFirst) sim.apply(gpuPool("renamed"));
  sim.delete("GpuPool", "h100");
  await sim.pass(5);
  if (!isMadeFirst) sim.apply(gpuPool("renamed"));
  await sim.settle();
  expect(effects(sim)).toEqual([]);
  for (const name of ["chat", "big"]) {
    sim.expectCondition(name, { type: "Ready", status: "True" });
    sim.expectNoCondition(name, "PlacementDiffers");
    expect(sim.status(name).plan?.pool).toBe("renamed");
  }
  // Its old name is somebody else's by now.
  sim.apply(gpuPool("h100", { nodeSelector: { another: "pool" } }));
  await sim.settle();
  sim.scale("chat", 3);
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  expect(effects(sim)).toEqual(["change Deployment chat@1: spec.replicas 2 -> 3"]);
  sim.restartOperator();
  sim.forgetWrites();
  await sim.settle();
  expect(sim.written()).toEqual([]);
});

test("a pool that is gone keeps its pods, and others go where the same engine runs too", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("chat", wholeNode);
  await sim.settle();
  const before = uids(running(sim));
  sim.apply(gpuPool("gold", { nodeSelector: gold }));
  sim.addNodes(1, { labels: gold });
  sim.delete("GpuPool", "h100");
  await sim.settle();
  expect(uids(running(sim))).toEqual(before);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  sim.scale("chat", 2);
  await sim.settle();
  expect(running(sim).map(({ spec }) => spec.nodeName)).toContain("node-3");
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("a pool whose GPUs are others leaves pods nowhere to be: they go, one after the other", async () => {
  const sim = simulate({ nodes: 1 });
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.addNodes(1, { shape: "a3-ultragpu-8g", labels: gold });
  sim.patch("GpuPool", "h100", {
    spec: {
      gpu: { product: "nvidia-h200-141gb" },
      machineShape: "a3-ultragpu-8g",
      nodeSelector: gold,
      tolerations: [{ operator: "Exists" }],
    },
  });
  await sim.settle();
  expect(running(sim).map(({ spec }) => spec.nodeName)).toEqual(["node-2"]);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test.each([
  ["what shapes the plan", { context: { maxTokens: 65_536 } }],
  ["what does not", { podTemplate: { labels: { team: "b" } } }],
])("an edit of %s goes to a pool that has room, and not to its own that is full", async (_, edit) => {
  const sim = simulate({ pool: false });
  sim.apply(gpuPool("erste", { nodeSelector: { pool: "silver" } }));
  sim.addNodes(1, { labels: { pool: "silver" } });
  sim.llama("chat", wholeNode);
  await sim.settle();
  sim.apply(gpuPool("zweite", { nodeSelector: gold }));
  sim.addNodes(1, { labels: gold });
  await sim.settle();
  sim.edit("chat", edit);
  let isAnswering = true;
  for (let second = 0; second < 300; second += 1) {
    await sim.pass(1);
    isAnswering &&= sim.endpoints("chat").length > 0;
  }
  expect(isAnswering).toBe(true);
  expect(sim.status("chat").plan?.pool).toBe("zweite");
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("a model whose ControllerRevision somebody deletes stays where it is, though another pool has room", async () => {
  const sim = simulate({ nodes: 2, pool: false });
  sim.apply(gpuPool("b"));
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.apply(gpuPool("a", { nodeSelector: gold }));
  sim.addNodes(1, { labels: gold });
  await sim.settle();
  const before = uids(running(sim));
  sim.delete("ControllerRevision", sim.list("ControllerRevision")[0]?.metadata.name ?? "");
  await sim.settle();
  expect(uids(running(sim))).toEqual(before);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  expect(sim.list("ControllerRevision")).toHaveLength(1);
  expect(sim.list("Deployment")).toHaveLength(1);
});

test("a change of a pool ends nothing that serves, though the operator sees pods late", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("chat", { ...wholeNode, replicas: 2 });
  await sim.settle();
  sim.delayWatch("Pod", 120);
  sim.scale("chat", 4);
  await sim.until("all four answer", () => sim.endpoints("chat").length === 4);
  await sim.pass(1);
  const before = uids(running(sim));
  sim.patch("GpuPool", "h100", { spec: { tolerations } });
  for (let second = 0; second < 300; second += 1) {
    await sim.pass(1);
    expect(uids(running(sim))).toEqual(before);
  }
});

const sets = [[gpuToleration], tolerations, [{ operator: "Exists" }]] as const;

/** What may happen to a pool and a model in it; `n` is a small number that the deed may use. */
const deeds: Readonly<Record<string, (sim: Simulation, n: number) => void>> = {
  tolerate: (sim, n) => sim.apply(gpuPool(poolOf(sim), { tolerations: sets[n % sets.length] })),
  rename: (sim, n) => {
    const old = poolOf(sim);
    const name = `pool-${n}`;
    if (name === old) return;
    sim.apply(gpuPool(name, { tolerations: sets[n % sets.length] }));
    sim.delete("GpuPool", old);
  },
  scale: (sim, n) => sim.scale("chat", 1 + (n % 4)),
  deletePod: (sim, n) => {
    const pods = running(sim);
    const pod = pods[n % Math.max(1, pods.length)];
    if (pod !== undefined) sim.deletePod(pod);
  },
  deletePodOfGroup: (sim, n) => {
    const pod = running(sim, "big")[n % 2];
    if (pod !== undefined) sim.deletePod(pod);
  },
  edit: (sim, n) => sim.edit("chat", { podTemplate: { labels: { team: `t${n % 2}` } } }),
  crash: (sim, n) => sim.crashAfterWrite(1 + (n % 4)),
  start: (sim) => {
    if (!sim.isOperatorRunning) sim.startOperator();
  },
};

function poolOf(sim: Simulation): string {
  return sim.list("GpuPool")[0]?.metadata.name ?? "";
}

test("whatever became of a pool, in the end everything serves, nothing is left over, and a restart writes nothing", async () => {
  const step = fc.record({
    deed: fc.constantFrom(...Object.keys(deeds)),
    n: fc.nat(5),
    seconds: fc.constantFrom(0, 0.5, 5, 60),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 10 }), fc.nat(1000), async (steps, seed) => {
      // So many that whole nodes are left for the group wherever pods of the other lie.
      const sim = simulate({ nodes: 9, seed });
      sim.llama("chat", oneGpu);
      sim.llama("big", twoNodes);
      await sim.settle();
      for (const { deed, n, seconds } of steps) {
        deeds[deed]?.(sim, n);
        await sim.pass(seconds);
      }
      sim.crashAfterWrite(Number.MAX_SAFE_INTEGER);
      sim.restartOperator();
      sim.scale("chat", 3);
      await sim.settle();
      sim.expectCondition("chat", { type: "Ready", status: "True" });
      sim.expectCondition("big", { type: "Ready", status: "True" });
      expect(sim.endpoints("chat")).toHaveLength(3);
      expect(running(sim, "big")).toHaveLength(2);
      expect(sim.status("chat").plan?.pool).toBe(poolOf(sim));
      const empty = sim.list<WorkloadObject>("Deployment").filter(({ spec }) => spec.replicas === 0);
      expect(empty.length).toBeLessThanOrEqual(1);
      sim.forgetWrites();
      sim.restartOperator();
      await sim.settle();
      expect(sim.written()).toEqual([]);
    }),
    { numRuns: 12, seed: 41 },
  );
});

test.each(Array.from({ length: 6 }, (_, index) => index + 1))(
  "an operator that dies after its write %i while a lost pod moves ends in the same",
  async (write) => {
    const sim = await twoReplicas((each) => {
      taintNodes(each);
      each.patch("GpuPool", "h100", { spec: { tolerations } });
    });
    const [lost, kept] = running(sim);
    sim.crashAfterWrite(write);
    sim.deletePod(lost);
    await sim.settle();
    if (!sim.isOperatorRunning) sim.startOperator();
    await sim.settle();
    expect(uids(running(sim))).toContain(kept?.metadata.uid);
    expect(sim.endpoints("chat")).toHaveLength(2);
    expect(sim.list("Deployment")).toHaveLength(2);
  },
);
