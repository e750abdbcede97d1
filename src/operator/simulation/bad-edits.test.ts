// Edits that cannot be: what serves goes on serving, and taking the edit back writes nothing but status.
import { expect, test } from "vitest";
import { oneGpu, refusedEngine, wholeNode } from "../testing/example-specs.ts";
import { simulate } from "../testing/simulation.ts";

test("an edit that the engine refuses stalls, and what serves is not touched", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  const before = sim.endpoints("chat");
  sim.forgetWrites();
  sim.edit("chat", { engine: refusedEngine });
  await sim.settle();
  sim.expectCondition("chat", { type: "Available", status: "True" });
  sim.expectCondition("chat", { type: "Ready", status: "False", reason: "InvalidSpec" });
  sim.expectCondition("chat", {
    type: "Stalled",
    status: "True",
    reason: "InvalidSpec",
    message: "tokenizer",
  });
  sim.expectNoCondition("chat", "Reconciling");
  expect(sim.effects()).toEqual([]);
  expect(sim.endpoints("chat")).toEqual(before);
});

test("an edit taken back writes status alone", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.edit("chat", { engine: refusedEngine });
  await sim.settle();
  sim.forgetWrites();
  sim.edit("chat", { engine: { args: { tokenizer: null } } });
  await sim.settle();
  expect(sim.effects()).toEqual([]);
  sim.expectCondition("chat", { type: "Ready", status: "True", reason: "Serving" });
  sim.expectNoCondition("chat", "Stalled");
});

test("a plan that no node holds stalls and says what would fit", async () => {
  const sim = simulate();
  sim.llama("chat", wholeNode);
  await sim.settle();
  sim.edit("chat", { model: { name: "llama-3.1-405b-instruct" }, quantization: { weights: "bf16" } });
  await sim.settle();
  sim.expectCondition("chat", { type: "Stalled", status: "True", reason: "DoesNotFit" });
  sim.expectCondition("chat", { type: "Planned", status: "False", reason: "DoesNotFit" });
  sim.expectCondition("chat", { type: "Available", status: "True" });
  expect(sim.status("chat").plan?.tensor).toBe(8);
});

test("a context longer than the model's stalls with a reason of its own", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.edit("chat", { context: { maxTokens: 1_000_000 } });
  await sim.settle();
  sim.expectCondition("chat", { type: "Stalled", status: "True", reason: "ContextTooLong" });
  sim.expectCondition("chat", { type: "Available", status: "True" });
});

test("a model that nobody knows is said so, and nothing is made for it", async () => {
  const sim = simulate();
  sim.llama("chat", { model: { name: "llama-3.1-8b-instrukt" } });
  await sim.settle();
  sim.expectCondition("chat", {
    type: "Stalled",
    status: "True",
    reason: "UnknownModel",
    message: "llama-3.1-8b-instruct",
  });
  expect(sim.objects()).toEqual([]);
  expect(sim.status("chat")).not.toHaveProperty("endpoint");
  sim.edit("chat", { model: oneGpu.model });
  await sim.settle();
  sim.expectCondition("chat", { type: "Ready", status: "True" });
});

test("what the API server refuses never reaches the operator", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.forgetWrites();
  expect(() => sim.edit("chat", { replicas: -1 })).toThrow(/spec.replicas/);
  expect(() => sim.llama("Chat.1", oneGpu)).toThrow(/must start with a letter/);
  await sim.settle();
  expect(sim.written()).toEqual([]);
});

test("what serves is kept up while the new generation is stalled", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  sim.edit("chat", { engine: refusedEngine });
  await sim.settle();
  sim.patch("Service", "chat", { spec: { selector: { "llama-operator.dev/role": "nobody" } } });
  await sim.settle();
  expect(sim.endpoints("chat")).toHaveLength(1);
});
