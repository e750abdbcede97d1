// The local example as a person runs it: both unchanged projects, on a cluster where nothing of the operator is yet.
// The chart comes by real Helm, the operator lives under the chart's roles, and its models answer.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { parse, stringify } from "yaml";
import { stackFilePath } from "../../infra/config/stack-file.ts";
import { errors, resourceChanges, steps } from "../../infra/testing/engine/events.ts";
import type { PulumiEngine, RunOptions, RunResult } from "../../infra/testing/pulumi.ts";
import type { LocalCluster } from "../../local/cluster/options.ts";
import { chat } from "../../local/demo/chat.ts";
import { kubectl } from "../support/cluster.ts";
import { testEngine } from "../support/pulumi.ts";
import { testCluster } from "../support/test-cluster.ts";

const project = (name: string) => fileURLToPath(new URL(`../../infra/${name}`, import.meta.url));
const platform = project("platform");
const serving = project("serving");
const stack = "local";
const types = {
  namespace: "kubernetes:core/v1:Namespace",
  release: "kubernetes:helm.sh/v3:Release",
  pool: "kubernetes:llama-operator.dev/v1alpha1:GpuPool",
  model: "kubernetes:llama-operator.dev/v1alpha1:LlamaDeployment",
};

type Parts = Record<string, unknown> & {
  readonly pools: readonly Record<string, unknown>[];
  readonly models: readonly { readonly name: string; readonly spec: Record<string, unknown> }[];
};

let cluster: LocalCluster;
let engine: PulumiEngine;
let example: Parts;
let stackFile: string;

beforeAll(async () => {
  example = parse(await readFile(stackFilePath(stack), "utf8")) as Parts;
  cluster = await testCluster("local-stack");
  engine = await testEngine((cleanUp) => afterAll(cleanUp));
  const folder = await mkdtemp(join(tmpdir(), "llama-operator-stack-"));
  afterAll(async () => rm(folder, { recursive: true }));
  stackFile = join(folder, "local.yaml");
  await configure();
});

afterAll(async () => cluster.stop());

/** Writes the stack's configuration: the example's with these sections instead. */
async function configure(changes: object = {}): Promise<void> {
  await writeFile(stackFile, stringify({ ...example, ...changes }));
}

type Operation = "preview" | "up" | "destroy";

async function run(operation: Operation, projectDir: string, options: RunOptions = {}): Promise<RunResult> {
  const result = await engine[operation](projectDir, stack, {
    ...options,
    config: { "llama-operator:configuration": stackFile },
    environment: { KUBECONFIG: cluster.kubeconfigPath },
  });
  onTestFailed(() => console.error(result.output));
  return result;
}

/** Both projects; an operation that fails ends it, as `npm run infra` does. */
async function runBoth(operation: Operation, projects = [platform, serving]): Promise<readonly RunResult[]> {
  const results: RunResult[] = [];
  for (const each of projects) {
    const result = await run(operation, each);
    results.push(result);
    if (result.exitCode !== 0) break;
  }
  return results;
}

const exitCodes = (results: readonly RunResult[]) => results.map(({ exitCode }) => exitCode);
const get = async (...args: readonly string[]) => kubectl(cluster, ["get", ...args]);
const changesOf = async (running: Promise<RunResult>) => resourceChanges((await running).events);
const conditionOf = async (model: string, type: string) =>
  get(
    "llamadeployment",
    model,
    "-n",
    "llama",
    "-o",
    `jsonpath={.status.conditions[?(@.type=="${type}")].status}`,
  );

async function answerOf(model: string): Promise<string> {
  const endpoint = await get("llamadeployment", model, "-n", "llama", "-o", "jsonpath={.status.endpoint}");
  const texts: string[] = [];
  await chat({
    proxyUrl: cluster.proxyUrl,
    endpoint,
    prompt: "Who are you?",
    maxTokens: 8,
    signal: AbortSignal.timeout(30_000),
    onText: (text) => texts.push(text),
  });
  return texts.join("");
}

describe.sequential("the local stack", () => {
  test("is previewed without touching the cluster", async () => {
    expect(exitCodes(await runBoth("preview"))).toEqual([0, 0]);
    await expect(get("crd", "llamadeployments.llama-operator.dev")).rejects.toThrow("not found");
    await expect(get("namespace", "llama")).rejects.toThrow("not found");
  });

  test("says what is wrong with its configuration before anything is registered", async () => {
    await configure({
      pools: [{ ...example.pools[0], machineShape: "a3-highgpu-9g" }],
      operator: { replicas: 0 },
    });
    const refused = await run("preview", platform);
    expect(refused.exitCode).not.toBe(0);
    const text = errors(refused.events).join("\n");
    expect(text).toContain("has 2 mistakes; nothing was done");
    expect(text).toContain("pools[0].machineShape: the catalog has no machine a3-highgpu-9g");
    expect(text).toContain("operator.replicas");
    await configure();
  });

  test("finishes at the second try, whichever step is refused at the first", async () => {
    expect((await run("up", platform)).exitCode).toBe(0);
    for (const type of [types.namespace, types.release, types.pool]) {
      await engine.planFault({ operation: "create", type, effect: "refuse", message: `no ${type} today` });
      const refused = await run("up", serving);
      expect(refused.exitCode).not.toBe(0);
      expect(errors(refused.events).join("\n")).toContain(`no ${type} today`);
    }
    const finished = await run("up", serving);
    expect(finished.exitCode).toBe(0);
    expect(await conditionOf("llama-405b-fp8", "Ready")).toBe("True");
    expect(await answerOf("llama-405b-fp8")).toContain("This answer comes from");
  });

  test("has nothing to do when it goes up again", async () => {
    const [first, second] = await runBoth("up");
    expect(Object.keys(resourceChanges(first?.events ?? []))).toEqual(["same"]);
    expect(Object.keys(resourceChanges(second?.events ?? []))).toEqual(["same"]);
  });

  test("says plans, GPUs and addresses in its outputs", async () => {
    expect(await engine.stackOutputs(serving, stack)).toMatchObject({
      gpus: { h100: { gpusAtMost: 32, gpusNeeded: 10, headroomGpus: 22 } },
      models: {
        "llama/llama-405b-fp8": {
          gpus: 8,
          pool: "h100",
          waitedFor: "ready",
          endpoint: "http://llama-405b-fp8.llama.svc/v1",
          plan: expect.stringContaining("405B FP8"),
        },
      },
    });
  });

  test("keeps its options in the state, and no credential", async () => {
    const state = await engine.stackExport(serving, stack);
    const find = (type: string, name: string) =>
      state.deployment.resources?.find((each) => each.type === type && each.urn.endsWith(`::${name}`));
    const model = find(types.model, "llama-llama-405b-fp8");
    // A start at a third of the plan's bandwidth, an image to be pulled, and a margin: more than ten minutes.
    expect(model?.customTimeouts?.create).toBeGreaterThan(600);
    // What a component depends on holds for all that is in it: the engine deletes no parent's dependency first.
    const component = find("llama-operator:serving:LlamaModel", "llama-llama-405b-fp8");
    expect(model?.parent).toBe(component?.urn);
    const needed = [
      find(types.namespace, "namespace-llama"),
      find(types.release, "llama-operator"),
      find(types.pool, "h100"),
    ];
    expect(component?.dependencies).toEqual(expect.arrayContaining(needed.map((each) => each?.urn)));
    expect(state.deployment.resources?.map(({ type }) => type)).not.toContain("pulumi:providers:default");
    const { users } = parse(await readFile(cluster.kubeconfigPath, "utf8")) as {
      readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
    };
    const credentials = users.flatMap(({ user }) => Object.values(user));
    const text = JSON.stringify([state, await engine.stackExport(platform, stack)]);
    expect(credentials).not.toEqual([]);
    expect(credentials.filter((each) => text.includes(each))).toEqual([]);
  });

  test("refuses in the planner's words what does not fit, at the preview, and touches nothing", async () => {
    const [large, ...others] = example.models;
    const spec = {
      ...large?.spec,
      quantization: { weights: "bf16" },
      parallelism: { tensor: 8, pipeline: 1 },
    };
    await configure({ models: [{ ...large, spec }, ...others] });
    const refused = await run("preview", serving);
    expect(refused.exitCode).not.toBe(0);
    const text = errors(refused.events).join("\n");
    expect(text).toContain("needs 94.5 GiB of weights per GPU");
    expect(text).toContain("What would work");
    await configure();
    expect(await conditionOf("llama-405b-fp8", "Ready")).toBe("True");
  });

  test("changes the size of a pool where the platform has it first", async () => {
    const pools = [{ ...example.pools[0], nodes: { min: 4, max: 6 } }];
    await configure({ pools });
    const early = await run("up", serving);
    expect(early.exitCode).not.toBe(0);
    expect(errors(early.events).join("\n")).toContain(
      "has other pools than the configuration: bring it up first",
    );
    expect(exitCodes(await runBoth("up"))).toEqual([0, 0]);
    expect(await get("gpupool", "h100", "-o", "jsonpath={.spec.nodes.max}")).toBe("6");
  });

  test("scales a model without replacing anything", async () => {
    const models = example.models.map((model) =>
      model.name === "llama-70b-fp8" ? { ...model, spec: { ...model.spec, replicas: 2 } } : model,
    );
    await configure({ pools: [{ ...example.pools[0], nodes: { min: 4, max: 6 } }], models });
    const scaled = await run("up", serving);
    expect(scaled.exitCode).toBe(0);
    const changed = steps(scaled.events).filter((step) => !/^(?:same|read) /.test(step));
    expect(changed).toEqual([`update ${types.model} llama-llama-70b-fp8`]);
    expect(
      await get("llamadeployment", "llama-70b-fp8", "-n", "llama", "-o", "jsonpath={.status.readyReplicas}"),
    ).toBe("2");
  });

  test("comes down but for the kinds, with which every model would go", async () => {
    expect(exitCodes(await runBoth("destroy", [serving, platform]))).toEqual([0, 0]);
    await expect(get("namespace", "llama-operator")).rejects.toThrow("not found");
    await expect(get("namespace", "llama")).rejects.toThrow("not found");
    expect(await get("gpupools", "-o", "name")).toBe("");
    expect(await get("clusterroles", "-l", "app.kubernetes.io/name=llama-operator", "-o", "name")).toBe("");
    expect(await get("crd", "-o", "name")).toContain("llamadeployments.llama-operator.dev");
    expect(await changesOf(run("destroy", serving))).toEqual({});
  });

  test("goes up again over the kinds that were kept", async () => {
    await configure({ models: example.models.slice(1) });
    expect(exitCodes(await runBoth("up"))).toEqual([0, 0]);
    expect(await answerOf("llama-70b-fp8")).toContain("This answer comes from");
    expect(exitCodes(await runBoth("destroy", [serving, platform]))).toEqual([0, 0]);
  });
});
