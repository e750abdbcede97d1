// What the webhook answers, out of the operator's caches: the same words as status, by the pools that the namespace may
// use and the plan that is in force.
import { expect, test } from "vitest";
import { oneGpu, refusedEngine, wholeNode } from "../testing/example-specs.ts";
import { gpuPool } from "../testing/manifests.ts";
import { defaultNamespace } from "../testing/cluster-view.ts";
import { simulate } from "../testing/simulation.ts";

const tooBig = {
  model: { name: "llama-3.1-405b-instruct" },
  quantization: { weights: "bf16" },
  parallelism: { tensor: 8, pipeline: 1 },
} as const;

test("what cannot run is refused in the words that its status has when it is stored all the same", async () => {
  const sim = simulate();
  await sim.settle();
  const answer = sim.ask("chat", tooBig);
  sim.llama("chat", tooBig);
  await sim.settle();
  const stalled = sim.condition("chat", "Stalled");
  expect(answer).toEqual({ allowed: false, reason: stalled?.reason, message: stalled?.message });
});

test("an edit of what serves is judged too, and its size never", async () => {
  const sim = simulate();
  sim.llama("chat", oneGpu);
  await sim.settle();
  expect(sim.ask("chat", { ...oneGpu, engine: refusedEngine })).toMatchObject({
    allowed: false,
    reason: "InvalidSpec",
  });
  expect(sim.ask("chat", { ...oneGpu, replicas: 100 })).toEqual({ allowed: true, warnings: [] });
});

test("a namespace is judged by the pools that it may use; one that is not known yet is let pass", async () => {
  const sim = simulate({ pool: false });
  sim.addNodes(1);
  sim.apply(gpuPool("gold", { namespaceSelector: { matchLabels: { tier: "gold" } } }));
  await sim.settle();
  expect(sim.ask("chat", wholeNode)).toMatchObject({
    allowed: true,
    warnings: [expect.stringContaining("it waits (NoPool)") as string],
  });
  sim.patch("Namespace", defaultNamespace, { metadata: { labels: { tier: "gold" } } });
  await sim.settle();
  expect(sim.ask("chat", tooBig)).toMatchObject({ allowed: false, reason: "DoesNotFit" });
  expect(sim.ask("chat", tooBig, "made-a-moment-ago")).toEqual({ allowed: true, warnings: [] });
});

test("an edit is planned from the plan in force: a model that serves stays in its pool", async () => {
  const sim = simulate();
  sim.llama("chat", wholeNode);
  await sim.settle();
  const { plan } = sim.status("chat");
  const longer = { ...wholeNode, context: { maxTokens: 65_536 } };
  expect(sim.ask("chat", longer)).toMatchObject({ allowed: true });
  sim.llama("chat", longer);
  await sim.settle();
  expect(sim.status("chat").plan).toMatchObject({
    pool: plan?.pool,
    tensor: plan?.tensor,
    maxTokens: 65_536,
  });
});
