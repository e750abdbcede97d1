// Bad input that the API server stores: the operator says what is wrong, once, and then rests.
import { expect, test } from "vitest";
import { badInputs, isStored, type BadInput } from "../testing/bad-inputs.ts";
import { oneGpu } from "../testing/example-specs.ts";
import { gpuPool } from "../testing/manifests.ts";
import { defaultNamespace } from "../testing/cluster-view.ts";
import { simulate, type Simulation } from "../testing/simulation.ts";

/** Longer than any wait of the operator: a loop would show itself. */
const restSeconds = 3600;

/** The pool, nodes and namespace of a case. */
function simulateFor({ pool = {}, namespaceLabels = {} }: BadInput): Simulation {
  const sim = simulate({ pool: false });
  sim.patch("Namespace", defaultNamespace, { metadata: { labels: namespaceLabels } });
  if (pool === "none") return sim;
  const { shape = "a3-highgpu-8g", nodes = 1, spec = {} } = pool;
  const gpu = { product: "nvidia-h100-80gb", perNode: shape === "a3-highgpu-1g" ? 1 : 8 };
  sim.apply(gpuPool("h100", { machineShape: shape, gpu, ...spec }));
  sim.addNodes(nodes, { shape });
  return sim;
}

test.each(badInputs.filter(isStored))("a LlamaDeployment with $what is told so, once", async (input) => {
  const { name = "llama", spec, outcome, words, writes } = input;
  const sim = simulateFor(input);
  sim.llama(name, spec);
  await sim.settle();
  sim.expectCondition(name, { type: "Ready", status: "False", reason: outcome.reason, message: words });
  if (outcome.kind === "stalled") {
    sim.expectCondition(name, { type: "Stalled", status: "True" });
    sim.expectNoCondition(name, "Reconciling");
  } else {
    sim.expectCondition(name, { type: "Reconciling", status: "True" });
    sim.expectNoCondition(name, "Stalled");
  }
  const told = sim.written().filter((write) => !write.includes("GpuPool"));
  expect(told.slice(writes)).toEqual([]);
  const events = sim.notes(name);
  sim.forgetWrites();
  await sim.pass(restSeconds);
  expect(sim.written()).toEqual([]);
  expect(sim.notes(name)).toEqual(events);
});

const badEdits = badInputs.filter(isStored).filter(({ outcome, pool, namespaceLabels }) => {
  return outcome.kind === "stalled" && pool === undefined && namespaceLabels === undefined;
});

test.each(badEdits)(
  "an edit to $what touches no pod, and is over once it is taken back",
  async ({ spec, outcome }) => {
    const sim = simulate();
    sim.llama("llama", oneGpu);
    await sim.settle();
    const before = sim.pods("llama");
    sim.edit("llama", spec);
    await sim.settle();
    sim.expectCondition("llama", { type: "Stalled", status: "True", reason: outcome.reason });
    sim.expectCondition("llama", { type: "Available", status: "True" });
    sim.edit("llama", { ...oneGpu, parallelism: null, context: null, quantization: null, engine: null });
    await sim.settle();
    sim.expectCondition("llama", { type: "Ready", status: "True", reason: "Serving" });
    expect(sim.pods("llama")).toEqual(before);
  },
);
