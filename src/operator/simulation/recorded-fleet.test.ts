// An upgrade restarts nothing: the operator of today over objects that the one of commit 99a955d has left
// (test/fixtures/fleet-99a955d, with a README on how they were recorded). Every write of its is listed here.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import type { StoredSchema } from "../testing/cluster/admission.ts";
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

/** What a restart would change of a pod, or of what runs it. */
interface Workload {
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly generation: number | undefined;
  readonly deletionTimestamp: string | undefined;
}

function workloadsOf(sim: Simulation): readonly Workload[] {
  return [
    "Pod",
    "Deployment",
    "ReplicaSet",
    "LeaderWorkerSet",
    "StatefulSet",
    "ControllerRevision",
    "Service",
  ]
    .flatMap((kind) => sim.list(kind))
    .map((object) => {
      const { kind, metadata } = object;
      const { namespace, name, uid, generation, deletionTimestamp } = metadata;
      return { kind, namespace, name, uid, generation, deletionTimestamp };
    });
}

test("the operator over a recorded fleet touches no pod, and this is all that it writes", async () => {
  const sim = fleet();
  const before = workloadsOf(sim);
  sim.startOperator();
  await sim.settle();
  await sim.pass(3600);
  // Two replicas were asked for in an edit that is refused: what is in force is scaled all the same.
  const scaled = /^llama-8b-bad-edit-/;
  const rest = (objects: readonly Workload[]) => objects.filter(({ name }) => !scaled.test(name));
  expect(rest(workloadsOf(sim))).toEqual(rest(before));
  const served = before.filter(({ kind, name }) => kind === "Pod" && scaled.test(name));
  expect(served).toHaveLength(1);
  expect(workloadsOf(sim)).toEqual(expect.arrayContaining(served));
  const waits = "Ready message, Reconciling message, Scheduled message, waitingForGpus";
  expect(sim.written().toSorted()).toEqual([
    "change Deployment llama-8b-bad-edit@2: spec.replicas 1 -> 2",
    "status GpuPool h100-general: gpus",
    `status LlamaDeployment llama-405b-queued: ${waits}`,
    `status LlamaDeployment llama-70b-scattered: ${waits}`,
    "status LlamaDeployment llama-8b-bad-edit: replicas 1 -> 2",
    `status LlamaDeployment llama-8b-half: ${waits}`,
    `status LlamaDeployment llama-8b-queued: ${waits}`,
    `status LlamaDeployment llama-8b-rollout: ${waits}`,
  ]);
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
  const pods = workloadsOf(sim).filter(({ kind }) => kind === "Pod");
  sim.startOperator();
  await sim.settle();
  expect(workloadsOf(sim)).toEqual(expect.arrayContaining(pods));
  expect(sim.get("LlamaDeployment", "llama-8b-queued", "staging")).not.toHaveProperty(
    "status.waitingForGpus",
  );
  sim.forgetWrites();
  await sim.pass(3600);
  expect(sim.written()).toEqual([]);
});
