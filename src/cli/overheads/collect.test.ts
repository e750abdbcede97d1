import { expect, test } from "vitest";
import { llamaDeploymentSpec, apiGroupVersion, type LlamaDeployment } from "@llama-operator/llama/api";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import { controllerRevision, renderRevision } from "@llama-operator/operator/workloads";
import { cases, type Case } from "@llama-operator/llama/testing";
import { planStatusOf } from "@llama-operator/operator";
import { collectOverheads } from "./collect.ts";

/** A LlamaDeployment that runs, and its revision. */
function running(
  name: string,
  given: Case,
  overheadBytes: number | undefined,
  args: Record<string, string> = {},
) {
  const owner = { ...given.owner, name };
  const spec = llamaDeploymentSpec.parse({ ...given.spec, engine: { ...given.spec.engine, args } });
  const data = renderRevision({ ...given, owner, spec });
  const measured = {
    kvCacheTokens: 1,
    driftPercent: "0.0",
    ...(overheadBytes === undefined ? {} : { overheadBytes }),
  };
  const deployment: Live<LlamaDeployment & KubeObject> = {
    apiVersion: apiGroupVersion,
    kind: "LlamaDeployment",
    metadata: { namespace: owner.namespace, name, uid: owner.uid, resourceVersion: "1" },
    // Edited since, and not taken up yet.
    spec: { ...spec, model: { name: "something-else" } },
    status: { observedGeneration: 1, currentRevision: data.hash, plan: planStatusOf(data, measured) },
  };
  return { deployment, revision: controllerRevision(owner, data, 1) as Live<KubeObject> };
}

function collect(worlds: readonly ReturnType<typeof running>[]) {
  return collectOverheads(
    worlds.map(({ deployment }) => deployment),
    worlds.map(({ revision }) => revision),
  );
}

const { eightB, fourHundredFiveB } = cases;

test("each setting has one entry, the largest, from the revision that runs", () => {
  const { overheads, leftOut } = collect([
    running("one", eightB, 2_000_000_000),
    running("two", eightB, 2_500_000_000),
    running("large", fourHundredFiveB, 3_000_000_000),
  ]);
  expect(overheads).toMatchObject([
    {
      engine: "vllm",
      version: "0.32.0",
      gpu: "nvidia-h100-80gb",
      tensor: 1,
      pipeline: 1,
      model: "llama-3.1-8b-instruct",
      weights: "bf16",
      maxNumSeqs: 1024,
      maxNumBatchedTokens: 8192,
      overheadBytes: 2_500_000_000,
    },
    { model: "llama-3.1-405b-instruct", tensor: 8, weights: "fp8", overheadBytes: 3_000_000_000 },
  ]);
  expect(leftOut).toEqual([]);
});

test("what nobody could plan with is left out, with the reason", () => {
  const silent = running("silent", eightB, undefined);
  const eager = running("eager", eightB, 1_000_000_000, { "enforce-eager": "" });
  const lora = running("lora", eightB, 1_000_000_000, { "enable-lora": "" });
  const lost = running("lost", eightB, 1_000_000_000);
  const { overheads, leftOut } = collectOverheads(
    [silent, eager, lora, lost].map(({ deployment }) => deployment),
    [silent, eager, lora].map(({ revision }) => revision),
  );
  expect(overheads).toEqual([]);
  expect(leftOut.map(({ deployment, because }) => `${deployment}: ${because}`)).toEqual([
    "models/silent: its engine's report tells no overhead",
    "models/eager: engine.args.enforce-eager changes what the engine takes",
    "models/lora: engine.args.enable-lora changes what the engine takes",
    expect.stringMatching(/^models\/lost: its revision lost-[0-9a-f]+ cannot be read$/),
  ]);
});
