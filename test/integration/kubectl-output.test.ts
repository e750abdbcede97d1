// What people see in kubectl, as golden files: short enough to read, with names, ages and ids masked.
import { expect, test } from "vitest";
import type { LlamaDeployment } from "../../src/llama/api/resources.ts";
import { kubectl, sharedCluster, testNamespace } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { addToken, applyLlama, gatedModel, getJson, untilCondition } from "../support/llama.ts";
import { testPool } from "../support/pools.ts";

const cluster = sharedCluster();

/** Masks what differs from run to run, and the width of columns that it makes. */
function masked(text: string, namespace: string): string {
  return (
    text
      .replaceAll(namespace, "NAMESPACE")
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UID")
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "TIME")
      .replaceAll(/(Resource Version: +)\d+/g, "$1VERSION")
      // Its hash covers the pool, which is named after the namespace.
      .replaceAll(/(Current Revision: +)[0-9a-f]+/g, "$1HASH")
      .replaceAll(/\b(\d+[smh])+( \(x\d+ over \d+[smh]+\))?(?=\s)/g, "AGE")
      .replaceAll(/[ \t]+$/gm, "")
      .replaceAll(/(?<=\S) {3,}/g, "   ")
  );
}

async function say(namespace: string, ...args: readonly string[]): Promise<string> {
  return masked(await kubectl(cluster, [...args, "-n", namespace]), namespace);
}

test("kubectl reads well over the life of a LlamaDeployment", async () => {
  const namespace = await testNamespace(cluster);
  await addToken(namespace);
  await testPool(namespace);
  const model = gatedModel("llama-3.1-8b-instruct");
  await applyLlama(namespace, "llama-8b", { model });
  await applyLlama(namespace, "llama-405b", {
    model: gatedModel("llama-3.1-405b-instruct"),
    quantization: { weights: "bf16" },
    parallelism: { tensor: 8, pipeline: 1 },
  });
  await untilCondition(namespace, "llama-405b", { type: "Stalled", status: "True" });
  expect(await say(namespace, "wait", "--for=condition=Ready", "llama/llama-8b", "--timeout=60s")).toBe(
    "llamadeployment.llama-operator.dev/llama-8b condition met\n",
  );
  await eventually("the engine's report is in status", async () => {
    const { status } = await getJson<LlamaDeployment>(namespace, "llama", "llama-8b");
    return status?.plan?.measured;
  });
  await expect(await say(namespace, "get", "llamas")).toMatchFileSnapshot("golden/get-llamas.txt");
  await expect(await say(namespace, "get", "llamas", "-o", "wide")).toMatchFileSnapshot(
    "golden/get-llamas-wide.txt",
  );
  await expect(await say(namespace, "describe", "llama", "llama-8b")).toMatchFileSnapshot(
    "golden/describe-llama-8b.txt",
  );
  await expect(await say(namespace, "describe", "llama", "llama-405b")).toMatchFileSnapshot(
    "golden/describe-llama-405b.txt",
  );
  expect(await say(namespace, "scale", "llama/llama-8b", "--replicas=2")).toBe(
    "llamadeployment.llama-operator.dev/llama-8b scaled\n",
  );
});

test("kubectl explain tells what a field means", async () => {
  const explain = await kubectl(cluster, ["explain", "llamadeployment.spec"]);
  await expect(masked(explain, "no namespace")).toMatchFileSnapshot("golden/explain-llama-spec.txt");
});
