// An upgrade restarts nothing: the operator of today over objects that the one of commit 99a955d has left
// (test/fixtures/fleet-99a955d, with a README on how they were recorded). Every write of its is listed here.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import type { LlamaDeployment } from "@llama-operator/llama/api";
import type { StoredSchema } from "../testing/cluster/admission.ts";
import type { WorkloadObject } from "../testing/cluster/objects.ts";
import { simulate, type Simulation, type SimulationOptions } from "../testing/simulation.ts";

const folder = new URL("../../../test/fixtures/fleet-99a955d/", import.meta.url);
/** Not objects of the operator's cluster, or not of its business. */
const leftOut = new Set(["crds.json", "pulumi-outputs.json", "pulumi-states.json"]);

function recordedFleet(): readonly Live<KubeObject>[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json") && !leftOut.has(file))
    .flatMap((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Live<KubeObject>[]);
}

/** The fleet before any operator runs over it. */
function fleet(options: SimulationOptions = {}): Simulation {
  const sim = simulate({ operator: false, pool: false, startAt: "2026-12-01T00:00:00Z", ...options });
  sim.load(recordedFleet());
  return sim;
}

/** Every pod, those without a node too, and what runs pods or leads to them. */
function runningOf(sim: Simulation): readonly unknown[] {
  const kinds = ["Pod", "ReplicaSet", "LeaderWorkerSet", "StatefulSet", "ControllerRevision", "Service"];
  return kinds
    .flatMap((kind) => sim.list(kind))
    .map(({ kind, metadata }) => {
      const { namespace, name, uid, deletionTimestamp } = metadata;
      return { kind, namespace, name, uid, deletionTimestamp };
    });
}

/** But for what pods are made from: nothing of a Deployment changes except how many. */
function templatesOf(sim: Simulation): readonly unknown[] {
  return sim.list<WorkloadObject>("Deployment").map(({ metadata, spec }) => [metadata.uid, spec.template]);
}

test("the operator over a recorded fleet touches no pod that is there, and this is all that it writes", async () => {
  const sim = fleet();
  const running = runningOf(sim);
  const templates = templatesOf(sim);
  sim.startOperator();
  await sim.settle();
  await sim.pass(3600);
  expect(runningOf(sim)).toEqual(expect.arrayContaining([...running]));
  expect(templatesOf(sim)).toEqual(templates);
  // Not all replicas end at once any more where somebody changes a template.
  const rolls = "spec.strategy.type Recreate -> RollingUpdate, spec.strategy.rollingUpdate none -> {…}";
  const rolled = sim.written().filter((line) => line.endsWith(rolls));
  expect(rolled).toHaveLength(templates.length);
  const waits = "Ready message, Reconciling message, Scheduled message, waitingForGpus";
  // Beside each plan what it was made for, once: none of them has settings that its spec would not be planned to.
  const noted = sim.writes().filter(({ kind }) => kind === "ControllerRevision");
  expect(noted.map(({ why }) => why.slice(0, why.indexOf("{")))).toEqual(
    noted.map(() => "metadata.annotations.llama-operator.dev/plan-made-for none -> "),
  );
  expect(noted.filter(({ why }) => why.includes("adopted"))).toEqual([]);
  const planned = sim
    .list<LlamaDeployment & KubeObject>("LlamaDeployment")
    .filter(({ status }) => status?.currentRevision !== undefined)
    .filter(({ status }) => status?.conditions?.every(({ type }) => type !== "Stalled"));
  expect(noted).toHaveLength(planned.length);
  // A bad edit also asked for two replicas: those of the revision in force are counted by now.
  expect(rolled.filter((line) => line.includes("spec.replicas"))).toEqual([
    `change Deployment llama-8b-bad-edit@2: spec.replicas 1 -> 2, ${rolls}`,
  ]);
  const others = sim
    .written()
    .filter((line) => !rolled.includes(line) && !line.includes(" ControllerRevision "));
  expect(others.toSorted()).toEqual([
    "status GpuPool h100-general: gpus",
    // What waits for GPUs is told without counts, and since when.
    `status LlamaDeployment llama-405b-queued: ${waits}`,
    // Serves nothing yet, so it is planned by this planner.
    "status LlamaDeployment llama-405b-wide: Planned message",
    `status LlamaDeployment llama-70b-scattered: ${waits}`,
    "status LlamaDeployment llama-8b-bad-edit: replicas 1 -> 2",
    `status LlamaDeployment llama-8b-half: ${waits}`,
    `status LlamaDeployment llama-8b-queued: ${waits}`,
    `status LlamaDeployment llama-8b-rollout: ${waits}`,
  ]);
});

test("over the recorded fleet a second start writes nothing", async () => {
  const sim = fleet();
  sim.startOperator();
  await sim.settle();
  sim.restartOperator();
  sim.forgetWrites();
  await sim.settle();
  expect(sim.written()).toEqual([]);
});

test("the recorded fleet lives on: what is scaled is scaled as the revision that it is", async () => {
  const sim = fleet();
  sim.startOperator();
  await sim.settle();
  sim.forgetWrites();
  const before = sim.pods("llama-8b").map(({ metadata }) => metadata.uid);
  sim.scale("llama-8b", 3);
  await sim.settle();
  expect(sim.effects()).toEqual(["change Deployment llama-8b@1: spec.replicas 2 -> 3"]);
  expect(sim.pods("llama-8b").map(({ metadata }) => metadata.uid)).toEqual(expect.arrayContaining(before));
});

test("on the CRDs of that commit, which know no waitingForGpus, it touches no pod either and comes to rest", async () => {
  const [, { spec }] = JSON.parse(readFileSync(new URL("crds.json", folder), "utf8")) as readonly [
    unknown,
    {
      readonly spec: {
        readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: StoredSchema } }];
      };
    },
  ];
  const sim = fleet({ llamaDeploymentSchema: spec.versions[0].schema.openAPIV3Schema });
  const running = runningOf(sim);
  sim.startOperator();
  await sim.settle();
  expect(runningOf(sim)).toEqual(expect.arrayContaining([...running]));
  expect(sim.get("LlamaDeployment", "llama-8b-queued", "staging")).not.toHaveProperty(
    "status.waitingForGpus",
  );
  sim.forgetWrites();
  await sim.pass(3600);
  expect(sim.written()).toEqual([]);
});
