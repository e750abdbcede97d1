// The table of bad input against the real API server and the real operator: what the person reads, and that the
// operator says it once and then rests.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type CleanUp, kubectl, sharedCluster, testNamespace } from "../support/cluster.ts";
import {
  addToken,
  applyLlama,
  conditionOf,
  editLlama,
  gatedModel,
  list,
  untilCondition,
} from "../support/llama.ts";
import { operatorRequests } from "../support/operator.ts";
import { testPool } from "../support/pools.ts";
import { badInputs, badManifest, malformedPool, type BadInput } from "./bad-input-cases.ts";

const cluster = sharedCluster();

/** Long enough for a loop to show itself as many requests. */
const restMs = 2000;

async function prepare({ pool = {}, namespaceLabels = {} }: BadInput, after: CleanUp): Promise<string> {
  const namespace = await testNamespace(cluster, after);
  const labels = Object.entries(namespaceLabels).map(([key, value]) => `${key}=${value}`);
  if (labels.length > 0) await kubectl(cluster, ["label", "namespace", namespace, ...labels]);
  if (pool !== "none") await testPool(namespace, pool, after);
  return namespace;
}

describe.concurrent("a LlamaDeployment with", () => {
  test.for(badInputs)("$what", async (input, { expect, onTestFinished }) => {
    const namespace = await prepare(input, onTestFinished);
    const requests = await operatorRequests();
    const applied = kubectl(
      cluster,
      ["apply", "-n", namespace, "-f", "-"],
      JSON.stringify(badManifest(input)),
    );
    const { outcome, words } = input;
    if (outcome.kind === "refused") {
      await expect(applied).rejects.toThrow(words);
    } else {
      await applied;
      const ready = { type: "Ready", status: "False", reason: outcome.reason } as const;
      const llama = await untilCondition(namespace, input.name ?? "llama", ready);
      expect(conditionOf(llama, "Ready")?.message).toContain(words);
      expect(conditionOf(llama, "Stalled")?.status).toBe(outcome.kind === "stalled" ? "True" : undefined);
      expect(conditionOf(llama, "Reconciling")?.status).toBe(outcome.kind === "waiting" ? "True" : undefined);
    }
    await sleep(restMs);
    expect((await requests.since(namespace)).length).toBeLessThanOrEqual(input.requests);
  });
});

test("a GpuPool with a malformed quantity is refused by the API server", async () => {
  const applied = kubectl(cluster, ["apply", "-f", "-"], JSON.stringify(malformedPool));
  await expect(applied).rejects.toThrow("spec.allocatable.memory");
});

test("a bad edit of a serving model touches no pod, and is over once it is taken back", async () => {
  const namespace = await testNamespace(cluster);
  await testPool(namespace);
  await addToken(namespace);
  const model = gatedModel("llama-3.1-8b-instruct");
  await applyLlama(namespace, "llama", { model });
  await untilCondition(namespace, "llama", { type: "Ready", status: "True" });
  const before = await list(namespace, "pods");
  const edits = badInputs.filter(({ outcome, pool, namespaceLabels }) => {
    return outcome.kind === "stalled" && pool === undefined && namespaceLabels === undefined;
  });
  for (const { spec, outcome } of edits) {
    if (outcome.kind !== "stalled") continue;
    await editLlama(namespace, "llama", spec);
    const llama = await untilCondition(namespace, "llama", {
      type: "Stalled",
      status: "True",
      reason: outcome.reason,
    });
    expect(conditionOf(llama, "Available")?.status).toBe("True");
    await editLlama(namespace, "llama", {
      model,
      parallelism: null,
      context: null,
      quantization: null,
      engine: null,
    });
    await untilCondition(namespace, "llama", { type: "Ready", status: "True", reason: "Serving" });
  }
  expect(edits.length).toBeGreaterThan(4);
  const untouched = ({ metadata: { uid, resourceVersion } }: (typeof before)[number]) => ({
    uid,
    resourceVersion,
  });
  expect((await list(namespace, "pods")).map(untouched)).toEqual(before.map(untouched));
});
