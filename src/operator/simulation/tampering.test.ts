// What people on call do to the Deployments that the operator made: `rollout restart`, `set env`, `set image`, a sidecar
// for debugging. Never do all replicas end at once; what was added to the pods is taken out again, and that is told.
import { expect, test } from "vitest";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import type { Pod, WorkloadObject } from "../testing/cluster/objects.ts";
import { oneGpu, twoNodes } from "../testing/example-specs.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

async function serving(replicas = 3): Promise<Simulation> {
  const sim = simulate();
  sim.llama("chat", { ...oneGpu, replicas });
  await sim.settle();
  sim.forgetWrites();
  return sim;
}

function deployment(sim: Simulation): Live<WorkloadObject> {
  const [found] = sim.list<WorkloadObject>("Deployment");
  if (found === undefined) throw new Error("there is no Deployment");
  return found;
}

type PodTemplate = WorkloadObject["spec"]["template"];

function change(sim: Simulation, template: object): void {
  sim.patch("Deployment", deployment(sim).metadata.name, { spec: { template } });
}

/** The engine's container with something more. */
function engineWith(sim: Simulation, more: (engine: PodTemplate["spec"]["containers"][number]) => object) {
  const [engine, ...others] = deployment(sim).spec.template.spec.containers;
  if (engine === undefined) throw new Error("there is no engine");
  return { spec: { containers: [{ ...engine, ...more(engine) }, ...others] } };
}

/** The fewest replicas that answer until everything is at rest. */
async function fewestAnswering(sim: Simulation, seconds: number): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY;
  for (let second = 0; second < seconds; second += 1) {
    await sim.pass(1);
    fewest = Math.min(fewest, sim.endpoints("chat").length);
  }
  await sim.settle();
  return fewest;
}

const uids = (pods: readonly Pod[]): readonly string[] => pods.map(({ metadata }) => metadata.uid).toSorted();

test("kubectl rollout restart replaces one replica after the other, and nobody undoes it", async () => {
  const sim = await serving();
  const before = uids(sim.pods("chat"));
  const at = { "kubectl.kubernetes.io/restartedAt": "2026-01-01T01:00:00Z" };
  change(sim, { metadata: { annotations: at } });
  expect(await fewestAnswering(sim, 1800)).toBe(2);
  expect(uids(sim.pods("chat")).filter((uid) => before.includes(uid))).toEqual([]);
  expect(sim.effects()).toEqual([]);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

const debug = { name: "debug", image: "busybox" };
const additions: readonly (readonly [string, (sim: Simulation) => object, string])[] = [
  [
    "set env",
    (sim) => engineWith(sim, ({ env = [] }) => ({ env: [...env, { name: "X", value: "1" }] })),
    'spec.template.spec.containers["engine"].env["X"]',
  ],
  [
    "set env --from",
    (sim) => engineWith(sim, () => ({ envFrom: [{ secretRef: { name: "all" } }] })),
    'spec.template.spec.containers["engine"].envFrom',
  ],
  [
    "a sidecar",
    (sim) => ({ spec: { containers: [...deployment(sim).spec.template.spec.containers, debug] } }),
    'spec.template.spec.containers["debug"]',
  ],
  [
    "a sidecar put first",
    (sim) => ({ spec: { containers: [debug, ...deployment(sim).spec.template.spec.containers] } }),
    'spec.template.spec.containers["debug"]',
  ],
  [
    "an init container",
    () => ({ spec: { initContainers: [debug] } }),
    'spec.template.spec.initContainers["debug"]',
  ],
  [
    "a volume",
    (sim) => ({
      spec: {
        volumes: [...(deployment(sim).spec.template.spec.volumes ?? []), { name: "scratch", emptyDir: {} }],
      },
    }),
    'spec.template.spec.volumes["scratch"]',
  ],
];

test.each(additions)("%s is taken out again, one replica at a time, and told", async (_, added, path) => {
  const sim = await serving();
  const { template } = deployment(sim).spec;
  change(sim, added(sim));
  expect(await fewestAnswering(sim, 1800)).toBeGreaterThanOrEqual(2);
  expect(deployment(sim).spec.template).toEqual(template);
  expect(sim.pods("chat").map(({ spec }) => spec.containers.length)).toEqual([1, 1, 1]);
  expect(sim.notes("chat").at(-1)).toContain(path);
  expect(sim.events("chat")).toContain("Warning TemplateRepaired");
  sim.expectCondition("chat", { type: "Ready", status: "True" });
  sim.forgetWrites();
  await sim.pass(3600);
  expect(sim.written()).toEqual([]);
});

test("kubectl set image is set back, one replica at a time", async () => {
  const sim = await serving();
  const image = sim.pods("chat")[0]?.spec.containers[0]?.image;
  change(
    sim,
    engineWith(sim, () => ({ image: "example.com/engine:mine" })),
  );
  expect(await fewestAnswering(sim, 1800)).toBeGreaterThanOrEqual(2);
  expect(sim.pods("chat").map(({ spec }) => spec.containers[0]?.image)).toEqual([image, image, image]);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("what somebody keeps adding is no fight in which pods restart for ever: it stays, and is told once", async () => {
  const sim = await serving();
  for (let round = 0; round < 5; round += 1) {
    const present = deployment(sim).spec.template.spec.containers;
    if (!present.some(({ name }) => name === debug.name))
      change(sim, { spec: { containers: [...present, debug] } });
    await sim.settle();
  }
  expect(sim.effects()).toHaveLength(1);
  expect(sim.events("chat").filter((event) => event.startsWith("Warning Template"))).toEqual([
    "Warning TemplateRepaired",
    "Warning TemplateChanged",
  ]);
  expect(sim.endpoints("chat")).toHaveLength(3);
});

test("a strategy that somebody sets to Recreate is set back before it can end all replicas", async () => {
  const sim = await serving();
  sim.patch("Deployment", deployment(sim).metadata.name, {
    spec: { strategy: { type: "Recreate", rollingUpdate: null } },
  });
  await sim.settle();
  expect(deployment(sim).spec.strategy?.type).toBe("RollingUpdate");
  expect(sim.endpoints("chat")).toHaveLength(3);
});

test("a container that somebody adds to a group is taken out again", async () => {
  const sim = simulate({ nodes: 2 });
  sim.llama("chat", twoNodes);
  await sim.settle();
  interface Group extends KubeObject {
    readonly spec: { readonly leaderWorkerTemplate: { readonly leaderTemplate: PodTemplate } };
  }
  const group = sim.list<Group>("LeaderWorkerSet")[0];
  const template = group?.spec.leaderWorkerTemplate.leaderTemplate;
  const containers = [...(template?.spec.containers ?? []), debug];
  sim.patch("LeaderWorkerSet", group?.metadata.name ?? "", {
    spec: { leaderWorkerTemplate: { leaderTemplate: { spec: { containers } } } },
  });
  await sim.settle();
  expect(sim.list<Group>("LeaderWorkerSet")[0]?.spec.leaderWorkerTemplate.leaderTemplate).toEqual(template);
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});
