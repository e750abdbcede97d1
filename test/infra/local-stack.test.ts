// The local example as a person runs it: both unchanged projects, on a cluster where nothing of the operator is yet.
// The chart comes by real Helm, the operator lives under the chart's roles, and its models answer.

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { errors, resourceChanges, steps } from "../../infra/testing/engine/events.ts";
import { type ExampleStack, exampleStack, platform, serving } from "../support/example-stack.ts";

const types = {
  namespace: "kubernetes:core/v1:Namespace",
  release: "kubernetes:helm.sh/v3:Release",
  pool: "kubernetes:llama-operator.dev/v1alpha1:GpuPool",
  model: "kubernetes:llama-operator.dev/v1alpha1:LlamaDeployment",
};

let local: ExampleStack;

beforeAll(async () => {
  local = await exampleStack(
    "local",
    (cleanUp) => afterAll(cleanUp),
    ({ kubeconfigPath }) => ({ KUBECONFIG: kubeconfigPath }),
  );
});

const conditionOf = async (model: string, type: string) =>
  local.get(
    "llamadeployment",
    model,
    "-n",
    "llama",
    "-o",
    `jsonpath={.status.conditions[?(@.type=="${type}")].status}`,
  );

describe.sequential("the local stack", () => {
  test("is previewed without touching the cluster", async () => {
    expect(await local.runAll("preview", [platform, serving])).toEqual([0, 0]);
    await expect(local.get("crd", "llamadeployments.llama-operator.dev")).rejects.toThrow("not found");
    await expect(local.get("namespace", "llama")).rejects.toThrow("not found");
  });

  test("says what is wrong with its configuration before anything is registered", async () => {
    await local.configure({
      pools: [{ ...local.example.pools[0], machineShape: "a3-highgpu-9g" }],
      operator: { replicas: 0 },
    });
    const refused = await local.run("preview", platform);
    expect(refused.exitCode).not.toBe(0);
    const text = errors(refused.events).join("\n");
    expect(text).toContain("has 2 mistakes; nothing was done");
    expect(text).toContain("pools[0].machineShape: the catalog has no machine a3-highgpu-9g");
    expect(text).toContain("operator.replicas");
    await local.configure();
  });

  test("finishes at the second try, whichever step is refused at the first", async () => {
    expect((await local.run("up", platform)).exitCode).toBe(0);
    for (const type of [types.namespace, types.release, types.pool]) {
      await local.engine.planFault({
        operation: "create",
        type,
        effect: "refuse",
        message: `no ${type} today`,
      });
      const refused = await local.run("up", serving);
      expect(refused.exitCode).not.toBe(0);
      expect(errors(refused.events).join("\n")).toContain(`no ${type} today`);
    }
    const finished = await local.run("up", serving);
    expect(finished.exitCode).toBe(0);
    expect(await conditionOf("llama-405b-fp8", "Ready")).toBe("True");
    expect(await local.answerOf("llama", "llama-405b-fp8")).toContain("This answer comes from");
  });

  test("has nothing to do when it goes up again", async () => {
    for (const project of [platform, serving]) {
      expect(Object.keys(resourceChanges((await local.run("up", project)).events))).toEqual(["same"]);
    }
  });

  test("says plans, GPUs and addresses in its outputs", async () => {
    expect(await local.engine.stackOutputs(serving, "local")).toMatchObject({
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
    const state = await local.engine.stackExport(serving, "local");
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
    const { users } = parse(await readFile(local.cluster.kubeconfigPath, "utf8")) as {
      readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
    };
    const credentials = users.flatMap(({ user }) => Object.values(user));
    const text = JSON.stringify([state, await local.engine.stackExport(platform, "local")]);
    expect(credentials).not.toEqual([]);
    expect(credentials.filter((each) => text.includes(each))).toEqual([]);
  });

  test("refuses in the planner's words what does not fit, at the preview, and touches nothing", async () => {
    const [large, ...others] = local.example.models;
    const spec = {
      ...large?.spec,
      quantization: { weights: "bf16" },
      parallelism: { tensor: 8, pipeline: 1 },
    };
    await local.configure({ models: [{ ...large, spec }, ...others] });
    const refused = await local.run("preview", serving);
    expect(refused.exitCode).not.toBe(0);
    const text = errors(refused.events).join("\n");
    expect(text).toContain("needs 94.5 GiB of weights per GPU");
    expect(text).toContain("What would work");
    await local.configure();
    expect(await conditionOf("llama-405b-fp8", "Ready")).toBe("True");
  });

  test("changes the size of a pool where the platform has it first", async () => {
    const pools = [{ ...local.example.pools[0], nodes: { min: 4, max: 6 } }];
    await local.configure({ pools });
    const early = await local.run("up", serving);
    expect(early.exitCode).not.toBe(0);
    expect(errors(early.events).join("\n")).toContain(
      "has other pools than the configuration: bring it up first",
    );
    expect(await local.runAll("up", [platform, serving])).toEqual([0, 0]);
    expect(await local.get("gpupool", "h100", "-o", "jsonpath={.spec.nodes.max}")).toBe("6");
  });

  test("scales a model without replacing anything", async () => {
    const models = local.example.models.map((model) =>
      model.name === "llama-70b-fp8" ? { ...model, spec: { ...model.spec, replicas: 2 } } : model,
    );
    await local.configure({ pools: [{ ...local.example.pools[0], nodes: { min: 4, max: 6 } }], models });
    const scaled = await local.run("up", serving);
    expect(scaled.exitCode).toBe(0);
    const changed = steps(scaled.events).filter((step) => !/^(?:same|read) /.test(step));
    expect(changed).toEqual([`update ${types.model} llama-llama-70b-fp8`]);
    expect(
      await local.get(
        "llamadeployment",
        "llama-70b-fp8",
        "-n",
        "llama",
        "-o",
        "jsonpath={.status.readyReplicas}",
      ),
    ).toBe("2");
  });

  test("comes down but for the kinds, with which every model would go", async () => {
    expect(await local.runAll("destroy", [serving, platform])).toEqual([0, 0]);
    await expect(local.get("namespace", "llama-operator")).rejects.toThrow("not found");
    await expect(local.get("namespace", "llama")).rejects.toThrow("not found");
    expect(await local.get("gpupools", "-o", "name")).toBe("");
    expect(await local.get("clusterroles", "-l", "app.kubernetes.io/name=llama-operator", "-o", "name")).toBe(
      "",
    );
    expect(await local.get("crd", "-o", "name")).toContain("llamadeployments.llama-operator.dev");
    expect(resourceChanges((await local.run("destroy", serving)).events)).toEqual({});
  });

  test("goes up again over the kinds that were kept", async () => {
    await local.configure({ models: local.example.models.slice(1) });
    expect(await local.runAll("up", [platform, serving])).toEqual([0, 0]);
    expect(await local.answerOf("llama", "llama-70b-fp8")).toContain("This answer comes from");
    expect(await local.runAll("destroy", [serving, platform])).toEqual([0, 0]);
  });
});
