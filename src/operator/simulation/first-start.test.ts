// The first start of a model, from a manifest to an engine that answers.
import { expect, test } from "vitest";
import { simulate } from "../testing/simulation.ts";

test("a model on one GPU is planned, made, placed, loaded and answers", async () => {
  const sim = simulate();
  sim.llama("chat", { model: { name: "llama-3.1-8b-instruct" } });
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True", reason: "Serving" });
  expect(sim.status("chat")).toMatchObject({ replicas: 1, readyReplicas: 1 });
  expect(sim.effects()).toEqual([
    "create ServiceAccount chat",
    "create Service chat",
    "create PodDisruptionBudget chat",
    "create ControllerRevision chat@1",
    "create Deployment chat@1",
  ]);
  expect(sim.events("chat")).toEqual(["Normal Fits", "Normal Serving"]);
  expect(sim.endpoints("chat")).toHaveLength(1);
});
