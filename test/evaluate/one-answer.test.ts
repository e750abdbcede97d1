// One question, four callers: what a LlamaDeployment is told does not depend on who asks. Each row of the table goes
// through `llama-operator plan`, the webhook, the controller's step and the preview of a stack.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  type MeasuredOverhead,
  apiGroupVersion,
  gpuPoolSpec,
  llamaDeploymentSpec,
  parseMeasuredOverheads,
} from "@llama-operator/llama/api";
import { type Plan, type Refusal, describeRefusal } from "@llama-operator/llama/planning";
import { parseConfiguration } from "../../infra/config/configuration.ts";
import { planStack } from "../../infra/planning/plan-stack.ts";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import { runCommandLine } from "../../src/cli/testing/run-command-line.ts";
import { review } from "../../src/operator/admission/review.ts";
import type { Scope } from "../../src/operator/llama-deployment/scope.ts";
import type { Pass } from "../../src/operator/llama-deployment/pass.ts";
import { planStep } from "../../src/operator/llama-deployment/plan/step.ts";

/** What a caller says: that it can run, with the layout where the caller tells it; or why not. */
type Answer =
  | { readonly runs: true; readonly layout?: string }
  | { readonly runs: false; readonly why: string };

interface Row {
  readonly spec: object;
  readonly overheads?: readonly object[];
}

const pool = {
  name: "h100",
  gpu: { product: "nvidia-h100-80gb", perNode: 8 },
  machineShape: "a3-highgpu-8g",
  nodes: { min: 4, max: 4 },
};
const source = { huggingFace: { tokenSecretRef: { name: "hf-token", key: "token" } } };
const small = { model: { name: "llama-3.1-8b-instruct", source } };
const large = { model: { name: "llama-3.1-405b-instruct", source } };
const withArgs = (args: Readonly<Record<string, string>>) => ({ ...small, engine: { args } });
const withEnv = (name: string) => ({ ...small, engine: { env: [{ name, value: "1" }] } });
/** A model of one's own, of the sizes of 8B. */
const ownWeights = (quantisation: object) => ({
  model: {
    name: "ours",
    source: { persistentVolumeClaim: { claimName: "weights" } },
    profile: {
      hiddenSize: 4096,
      layers: 32,
      attentionHeads: 32,
      keyValueHeads: 8,
      headDimension: 128,
      feedForwardSize: 14_336,
      vocabularySize: 128_256,
      maxPositions: 131_072,
      ...quantisation,
    },
  },
});
const overhead = {
  engine: "vllm",
  version: "0.32.0",
  gpu: "nvidia-h100-80gb",
  tensor: 1,
  model: "llama-3.1-8b-instruct",
  weights: "bf16",
  maxNumSeqs: 1024,
  maxNumBatchedTokens: 8192,
  overheadBytes: 2_000_000_000,
};

const running: Readonly<Record<string, Row & { readonly layout: string }>> = {
  "a model that fits one GPU": { spec: small, layout: "tensor 1, pipeline 1" },
  "a model that fits one node": {
    spec: { ...large, quantization: { weights: "fp8" } },
    layout: "tensor 8, pipeline 1",
  },
  "a model over two nodes": {
    spec: { ...large, quantization: { weights: "bf16" }, parallelism: { tensor: 8, pipeline: 2 } },
    layout: "tensor 8, pipeline 2",
  },
  "a model with a measured overhead": {
    spec: small,
    overheads: [overhead],
    layout: "tensor 1, pipeline 1",
  },
  "a flag that shapes memory": {
    spec: withArgs({ "gpu-memory-utilization": "0.5" }),
    layout: "tensor 1, pipeline 1",
  },
};

const refused: Readonly<Record<string, Row & { readonly says: string }>> = {
  "a tokenizer beside the pinned checkpoint": {
    spec: withArgs({ tokenizer: "meta-llama/Llama-3.1-8B-Instruct" }),
    says: "spec.engine.args",
  },
  "a planned flag written in part": { spec: withArgs({ tensor: "4" }), says: "tensor-parallel-size" },
  "a planned flag negated": { spec: withArgs({ "no-headless": "" }), says: "spec.engine.args" },
  "an address of the operator's": { spec: withEnv("VLLM_HOST_IP"), says: "VLLM_HOST_IP is set by" },
  "a token as plain text": { spec: withEnv("HF_TOKEN"), says: "comes from spec.model.source" },
  "two objections at once": {
    spec: { ...small, engine: { args: { tensor: "4" }, env: [{ name: "HF_HUB_OFFLINE", value: "0" }] } },
    says: "; spec.engine.env: HF_HUB_OFFLINE",
  },
  "an objection to what does not fit either": {
    spec: { ...withArgs({ tensor: "4" }), ...large, parallelism: { tensor: 1, pipeline: 1 } },
    says: "tensor-parallel-size",
  },
  "an unknown model": { spec: { model: { name: "llama-9000" } }, says: "the catalog has no model" },
  "an engine of a version that is not planned for": {
    spec: { ...small, engine: { version: "0.1.0" } },
    says: "0.1.0",
  },
  "a model that does not fit": {
    spec: { ...large, quantization: { weights: "bf16" }, parallelism: { tensor: 8, pipeline: 1 } },
    says: "What would work: weights in FP8",
  },
  "a context longer than the model's": {
    spec: { ...small, context: { maxTokens: 1_000_000 } },
    says: "1,000,000",
  },
  "a degree that does not divide the heads": {
    spec: { ...small, parallelism: { tensor: 3 } },
    says: "legal degrees are",
  },
  "a degree that the quantisation does not allow": {
    spec: { ...ownWeights({ weights: "int4", quantMethod: "bitsandbytes" }), parallelism: { tensor: 2 } },
    says: "cannot split a checkpoint that is quantised by bitsandbytes",
  },
  "a quantisation that is not known": {
    spec: ownWeights({ quantMethod: "torchao" }),
    says: "quantisation method torchao is not known",
  },
  "a pool that is not there": {
    spec: { ...small, placement: { poolSelector: { matchLabels: { tier: "silver" } } } },
    says: "has the labels tier=silver",
  },
};

const folder = mkdtempSync(join(tmpdir(), "llama-operator-evaluate-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const manifest = (spec: object) => ({
  apiVersion: apiGroupVersion,
  kind: "LlamaDeployment",
  metadata: { name: "llama", namespace: "team" },
  spec,
});
const { name: poolName, gpu, machineShape, nodes } = pool;
const poolSpec = { gpu, machineShape, nodes: { max: nodes.max } };
const poolManifest = {
  apiVersion: apiGroupVersion,
  kind: "GpuPool",
  metadata: { name: poolName },
  spec: poolSpec,
};
const layoutOf = ({ pool, tensor, pipeline, kvCacheTokens }: Plan): string =>
  `${pool}: tensor ${tensor}, pipeline ${pipeline}, ${kvCacheTokens} tokens`;
const answerOf = (result: Plan | Refusal): Answer =>
  result.kind === "plan"
    ? { runs: true, layout: layoutOf(result) }
    : { runs: false, why: describeRefusal(result) };

async function commandLine({ spec, overheads = [] }: Row): Promise<Answer> {
  const { code, out, err } = await runCommandLine([
    "plan",
    "-f",
    file("llama.json", manifest(spec)),
    "-o",
    "json",
    "--pools",
    file("pool.json", poolManifest),
    "--measured-overheads",
    file("overheads.json", overheads),
  ]);
  if (code !== exitCodes.ok && code !== exitCodes.refused) throw new Error(err);
  const { items } = JSON.parse(out) as { readonly items: readonly { readonly result: Plan | Refusal }[] };
  const [item] = items;
  if (item === undefined) throw new Error("nothing was planned");
  return answerOf(item.result);
}

function asTheOperatorReads(overheads: readonly object[]): readonly MeasuredOverhead[] {
  const parsed = parseMeasuredOverheads(overheads);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.overheads;
}

const poolFacts = { name: poolName, labels: {}, spec: gpuPoolSpec.parse(poolSpec) };

function webhook({ spec, overheads = [] }: Row): Answer {
  const opinion = review(
    {
      uid: "1",
      kind: { group: "llama-operator.dev", version: "v1alpha1", kind: "LlamaDeployment" },
      operation: "CREATE",
      object: manifest(spec),
      oldObject: null,
    },
    {
      pools: () => [poolFacts],
      currentPlan: () => undefined,
      measuredOverheads: asTheOperatorReads(overheads),
    },
  );
  if (!opinion.allowed) return { runs: false, why: opinion.message };
  // What may come right by itself is let in, with the same words as a warning.
  const [waits, wouldWork] = opinion.warnings;
  if (waits === undefined) return { runs: true };
  const message = waits.replace(/^it waits \(\w+\): /, "");
  const advice = wouldWork?.replace(/^what would work now: /, ". What would work: ") ?? "";
  return { runs: false, why: `${message}${advice}` };
}

async function controller({ spec, overheads = [] }: Row): Promise<Answer> {
  const scope = {
    object: { ...manifest(spec), spec: llamaDeploymentSpec.parse(spec) },
    pools: [{ metadata: { name: poolName }, spec: poolFacts.spec }],
    revisions: [],
    children: { deployments: [], leaderWorkerSets: [] },
    nodesOf: () => [],
  };
  const pass: Pass = {
    context: { request: { name: "chat" }, signal: new AbortController().signal },
    workloads: [],
    replicas: [],
  };
  const result = await planStep(asTheOperatorReads(overheads)).run(scope as unknown as Scope, pass);
  if (result.kind !== "continue") return { runs: false, why: result.message };
  if (pass.plan === undefined) throw new Error("a step that goes on has planned");
  return answerOf(pass.plan);
}

function preview({ spec, overheads = [] }: Row): Answer {
  const parsed = parseConfiguration({
    cluster: { kind: "local" },
    pools: [pool],
    operator: { values: { planning: { measuredOverheads: overheads } } },
    models: [{ name: "llama", namespace: "team", spec }],
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const stack = planStack(parsed.configuration);
  if (!stack.ok) return { runs: false, why: stack.refusals.map(({ message }) => message).join() };
  const [model] = stack.models;
  if (model === undefined) throw new Error("nothing was planned");
  return { runs: true, layout: layoutOf(model.plan) };
}

test.each(Object.entries(running))("%s runs, whoever asks", async (_name, row) => {
  const asked = await commandLine(row);
  expect(asked).toEqual({ runs: true, layout: expect.stringContaining(row.layout) });
  expect(webhook(row)).toEqual({ runs: true });
  expect(await controller(row)).toEqual(asked);
  expect(preview(row)).toEqual(asked);
});

test.each(Object.entries(refused))("%s is refused in one text, whoever asks", async (_name, row) => {
  const asked = await commandLine(row);
  expect(asked).toEqual({ runs: false, why: expect.stringContaining(row.says) });
  expect(webhook(row)).toEqual(asked);
  expect(await controller(row)).toEqual(asked);
  expect(preview(row)).toEqual(asked);
});

test("measured overheads with a mistake are refused before anything is planned, in the same words", async () => {
  const wrong = [{ ...overhead, version: "latest" }];
  const path = file("wrong.json", wrong);
  // The operator reads its file with the same function, and does not start.
  const { code, err } = await runCommandLine(["plan", "--model", "x", "--measured-overheads", path]);
  expect(code).toBe(exitCodes.usage);
  const parsed = parseConfiguration({
    cluster: { kind: "local" },
    pools: [pool],
    operator: { values: { planning: { measuredOverheads: wrong } } },
  });
  const problems = parsed.ok ? [] : parsed.problems;
  expect(problems.map((each) => each.path)).toEqual([
    "operator.values.planning.measuredOverheads[0].version",
  ]);
  expect(err).toContain(`[0].version ${problems[0]?.message}`);
});
