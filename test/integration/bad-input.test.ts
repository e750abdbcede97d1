// Bad input against the real API server and the real operator: what the person reads when the API server refuses it, and
// that the operator then hears nothing of it. What is stored all the same is told in the operator's simulation.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { badInputs, badManifest, isStored, malformedPool } from "../../src/operator/testing/bad-inputs.ts";
import { kubectl, sharedCluster, testNamespace } from "../support/cluster.ts";
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

const cluster = sharedCluster();

/** Long enough for the operator to hear of what is there. */
const restMs = 2000;

describe.sequential("refused", async () => {
  const namespace = await testNamespace(cluster, (cleanUp) => afterAll(cleanUp));
  const requests = await operatorRequests();

  test.for(badInputs.filter((input) => !isStored(input)))("a LlamaDeployment with $what", async (input) => {
    const manifest = JSON.stringify(badManifest(input));
    const applied = kubectl(cluster, ["apply", "-n", namespace, "-f", "-"], manifest);
    await expect(applied).rejects.toThrow(input.words);
  });

  test("a GpuPool with a malformed quantity", async () => {
    const applied = kubectl(cluster, ["apply", "-f", "-"], JSON.stringify(malformedPool));
    await expect(applied).rejects.toThrow("spec.allocatable.memory");
  });

  test("is nothing that the operator hears of", async () => {
    await sleep(restMs);
    expect(await requests.since(namespace)).toEqual([]);
  });
});

test("a bad edit of a serving model touches no pod, and is over once it is taken back", async () => {
  const namespace = await testNamespace(cluster);
  await testPool(namespace);
  await addToken(namespace);
  await applyLlama(namespace, "llama", { model: gatedModel("llama-3.1-8b-instruct") });
  await untilCondition(namespace, "llama", { type: "Ready", status: "True" });
  const before = await list(namespace, "pods");
  const requests = await operatorRequests();
  await editLlama(namespace, "llama", { parallelism: { tensor: 3 } });
  const stalled = { type: "Stalled", status: "True", reason: "IllegalParallelism" } as const;
  const llama = await untilCondition(namespace, "llama", stalled);
  expect(conditionOf(llama, "Available")?.status).toBe("True");
  await sleep(restMs);
  // A status and an event: it says so once, and rests.
  expect((await requests.since(namespace)).length).toBeLessThanOrEqual(2);
  await editLlama(namespace, "llama", { parallelism: null });
  await untilCondition(namespace, "llama", { type: "Ready", status: "True", reason: "Serving" });
  const untouched = ({ metadata: { uid, resourceVersion } }: (typeof before)[number]) => ({
    uid,
    resourceVersion,
  });
  expect((await list(namespace, "pods")).map(untouched)).toEqual(before.map(untouched));
});
