// A status that somebody edits by hand (`kubectl patch --subresource=status`) is put right by itself, for each kind that
// has one.
import { expect, test } from "vitest";
import type { LlamaDeploymentStatus } from "@llama-operator/llama/api";
import { types } from "../testing/cluster/objects.ts";
import { oneGpu } from "../testing/example-specs.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

async function serving(): Promise<Simulation> {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  await sim.pass(60);
  sim.forgetWrites();
  return sim;
}

const edits: readonly (readonly [string, (status: LlamaDeploymentStatus) => object])[] = [
  ["an endpoint", (status) => ({ ...status, endpoint: "http://elsewhere/v1" })],
  ["numbers", (status) => ({ ...status, replicas: 7, readyReplicas: 7 })],
  ["a condition", (status) => ({ ...status, conditions: status.conditions?.slice(1) })],
  ["a generation", (status) => ({ ...status, observedGeneration: 99 })],
  ["all of it, to nothing", () => ({})],
  ["the revision", (status) => ({ ...status, currentRevision: "0123abcd" })],
];

test.each(edits)("an edit of %s in a LlamaDeployment's status is put right", async (_, edited) => {
  const sim = await serving();
  const { conditions, ...before } = sim.status("chat");
  const ref = { namespace: "models", name: "chat" };
  sim.cluster.server.setStatus(types.llamaDeployments, ref, edited({ conditions, ...before } as never));
  await sim.pass(5);
  expect(sim.status("chat")).toMatchObject(before);
  expect(sim.status("chat").conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual(
    conditions?.map(({ type, status }) => `${type}=${status}`),
  );
  expect(sim.effects()).toEqual([]);
  expect(sim.written()).toHaveLength(1);
});

test("an edit of a GpuPool's status is put right within its half minute", async () => {
  const sim = await serving();
  const pool = (): unknown => (sim.get("GpuPool", "h100") as { readonly status?: unknown }).status;
  const before = pool();
  sim.cluster.server.setStatus(types.gpuPools, { name: "h100" }, { observedGeneration: 1, nodes: 99 });
  await sim.pass(31);
  expect(pool()).toMatchObject({ nodes: 1, gpus: (before as { gpus: object }).gpus });
});

test("somebody who writes the status again and again is no reason for a storm", async () => {
  const sim = await serving();
  const ref = { namespace: "models", name: "chat" };
  sim.cluster.server.onChange(({ event: { object } }) => {
    const status = (object as { readonly status?: LlamaDeploymentStatus }).status;
    if (object.kind !== "LlamaDeployment" || status?.endpoint === "http://elsewhere/v1") return;
    queueMicrotask(() => {
      sim.cluster.server.setStatus(types.llamaDeployments, ref, {
        ...status,
        endpoint: "http://elsewhere/v1",
      });
    });
  });
  sim.cluster.server.setStatus(types.llamaDeployments, ref, { ...sim.status("chat"), replicas: 5 });
  await sim.pass(60);
  expect(sim.written().length).toBeLessThan(70);
});
