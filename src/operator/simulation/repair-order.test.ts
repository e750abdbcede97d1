// Repairs of templates restart pods: of the workloads of one object, one after the other.
import { expect, test } from "vitest";
import { twoNodes, wholeNode } from "../testing/example-specs.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

interface Template {
  spec: { containers: readonly object[] };
}
interface Live {
  spec: { template: Template; leaderWorkerTemplate: { leaderTemplate: Template; workerTemplate: Template } };
}
const side = { name: "side", image: "x" };

/** The fewest endpoints of any second. */
async function fewest(sim: Simulation, name: string, seconds: number): Promise<number> {
  let least = sim.endpoints(name).length;
  for (let second = 0; second < seconds; second += 1) {
    await sim.pass(1);
    least = Math.min(least, sim.endpoints(name).length);
  }
  return least;
}

test("Deployments of two placements are not both repaired at once", async () => {
  const sim = simulate({ nodes: 4 });
  sim.llama("chat", { ...wholeNode, replicas: 2 });
  await sim.settle();
  sim.patch("GpuPool", "h100", {
    spec: {
      tolerations: [
        { key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" },
        { key: "x", operator: "Exists" },
      ],
    },
  });
  await sim.settle();
  sim.deletePod(sim.pods("chat")[0]);
  await sim.settle();
  expect(sim.list("Deployment")).toHaveLength(2);
  sim.killOperator();
  for (const {
    metadata: { name },
  } of sim.list("Deployment")) {
    const live = sim.get("Deployment", name) as unknown as Live;
    const containers = [...live.spec.template.spec.containers, side];
    sim.patch("Deployment", name, { spec: { template: { spec: { containers } } } });
    await sim.settle();
  }
  expect(sim.endpoints("chat")).toHaveLength(2);
  sim.startOperator();
  expect(await fewest(sim, "chat", 900)).toBeGreaterThan(0);
});

test("groups are repaired one after the other", async () => {
  const sim = simulate({ nodes: 6 });
  sim.llama("big", { ...twoNodes, replicas: 2 });
  await sim.settle();
  sim.killOperator();
  const tampered = (): number =>
    sim.list("LeaderWorkerSet").filter((each) => JSON.stringify(each).includes('"side"')).length;
  for (const {
    metadata: { name },
  } of sim.list("LeaderWorkerSet")) {
    const live = sim.get("LeaderWorkerSet", name) as unknown as Live;
    const { leaderTemplate } = live.spec.leaderWorkerTemplate;
    const containers = [...leaderTemplate.spec.containers, side];
    sim.patch("LeaderWorkerSet", name, {
      spec: { leaderWorkerTemplate: { leaderTemplate: { spec: { containers } } } },
    });
  }
  expect(tampered()).toBe(2);
  // The simulated controller rolls no LeaderWorkerSet, so the writes tell.
  sim.startOperator();
  await sim.until("one is repaired", () => tampered() < 2);
  await sim.pass(1);
  expect(tampered()).toBe(1);
});

test("what is added again within the hour is taken out after it", async () => {
  const sim = simulate({ nodes: 1 });
  sim.llama("chat", wholeNode);
  await sim.settle();
  const name = sim.list("Deployment")[0]?.metadata.name ?? "";
  const containers = (): readonly object[] =>
    (sim.get("Deployment", name) as unknown as Live).spec.template.spec.containers;
  for (const each of [side, { name: "another", image: "y" }]) {
    sim.patch("Deployment", name, { spec: { template: { spec: { containers: [...containers(), each] } } } });
    await sim.settle();
  }
  await sim.pass(4 * 3600);
  expect(containers()).toHaveLength(1);
});
