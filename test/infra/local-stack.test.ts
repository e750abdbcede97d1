// The local example as a person runs it: both unchanged projects, on a cluster where nothing of the operator is yet.
// The chart comes by real Helm, the operator lives under the chart's roles, and its models answer.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { errors, resourceChanges, steps } from "../../infra/testing/engine/events.ts";
import type { RunResult, StackState } from "../../infra/testing/pulumi.ts";
import { eventually } from "../support/eventually.ts";
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

  test("takes values of the chart from Pulumi's configuration, and shows and stores them as secrets alone", async () => {
    const name = "correct-horse-battery";
    const key = "llama-operator:operator.values.operator.imagePullSecrets[0].name";
    expect(
      (await local.engine.config(serving, "local", ["set", "--secret", "--path", key, name])).exitCode,
    ).toBe(0);
    const runs = [
      await local.run("preview", serving, { args: ["--diff"] }),
      await local.run("up", serving, { args: ["--diff"] }),
    ];
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const pulled = "jsonpath={.spec.template.spec.imagePullSecrets[*].name}";
    expect(await local.get("deployment", "llama-operator", "-n", "llama-operator", "-o", pulled)).toBe(name);
    const state = await local.engine.stackExport(serving, "local");
    expect(JSON.stringify([runs, state])).not.toContain(name);
    await local.engine.config(serving, "local", ["set", "--path", "llama-operator:operator.replicas", "0"]);
    const refused = await local.run("preview", serving);
    expect(errors(refused.events).join("\n")).toContain("operator.replicas");
    expect(refused.output).not.toContain(name);
    await local.engine.config(serving, "local", ["rm", "llama-operator:operator"]);
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

  // From here on what a bad day leaves, and the way on from each: docs/infra/recovery.md.

  test("goes up again over the kinds that were kept; killed after the install, it takes its release by import", async () => {
    await local.configure(small());
    expect((await local.run("up", platform)).exitCode).toBe(0);
    await local.engine.clearFaults();
    await local.engine.planFault({ operation: "create", type: types.release, effect: "hangAfterwards" });
    const kill = new AbortController();
    const going = local.run("up", serving, { signal: kill.signal });
    await eventually("the chart is installed", async () => {
      const status = "jsonpath={.items[*].metadata.labels.status}";
      const found = await local.get("secrets", "-n", "llama-operator", "-l", "owner=helm", "-o", status);
      return found === "deployed" ? true : undefined;
    });
    kill.abort();
    expect((await going).exitCode).toBeNull();
    const locked = await local.run("up", serving);
    expect(locked.output).toContain("the stack is currently locked");
    expect((await local.run("cancel", serving)).exitCode).toBe(0);
    const refused = await local.run("up", serving);
    expect(refused.exitCode).not.toBe(0);
    expect(errors(refused.events).join("\n")).toMatch(nameInUse);
    expect((await importRelease()).exitCode).toBe(0);
    expect((await local.run("up", serving)).exitCode).toBe(0);
    expect(await local.answerOf("llama", "llama-70b-fp8")).toContain("This answer comes from");
  });

  test("moves the operator to another namespace only where it may take over, and its models go on", async () => {
    const pods = async () => local.get("pods", "-n", "llama", "-o", "jsonpath={.items[*].metadata.uid}");
    const before = await pods();
    expect(before).not.toBe("");
    const moved = { ...local.example.operator, namespace: "llama-system" };
    await local.configure(small({ operator: moved }));
    const refused = await local.run("up", serving);
    expect(refused.exitCode).not.toBe(0);
    expect(errors(refused.events).join("\n")).toContain("invalid ownership metadata");
    expect(await local.get("deployments", "-n", "llama-operator", "-o", "name")).toContain("llama-operator");

    await local.configure(small({ operator: { ...moved, takeOwnership: true } }));
    expect((await local.run("up", serving)).exitCode).toBe(0);
    expect(await local.get("deployments", "-n", "llama-system", "-o", "name")).toContain("llama-operator");
    await expect(local.get("namespace", "llama-operator")).rejects.toThrow("not found");
    expect(
      await local.get("clusterroles", "-l", "app.kubernetes.io/name=llama-operator", "-o", "name"),
    ).not.toBe("");
    expect(await pods()).toBe(before);
    expect(Object.keys(resourceChanges((await local.run("up", serving)).events))).toEqual(["same"]);
  });

  test("takes what is there back into a state that was lost", async () => {
    await local.engine.stackImport(
      serving,
      "local",
      emptied(await local.engine.stackExport(serving, "local")),
    );
    const refused = await local.run("up", serving);
    expect(refused.exitCode).not.toBe(0);
    expect(errors(refused.events).join("\n")).toContain("already exists");
    const adopting = { environment: { PULUMI_K8S_UPSERT_EXISTING_OBJECTS: "true" } };
    const asFarAsTheRelease = await local.run("up", serving, adopting);
    expect(errors(asFarAsTheRelease.events).join("\n")).toMatch(nameInUse);
    expect((await importRelease("llama-system")).exitCode).toBe(0);
    expect((await local.run("up", serving, adopting)).exitCode).toBe(0);
    expect(await local.answerOf("llama", "llama-70b-fp8")).toContain("This answer comes from");
  });

  test("is forgotten where its cluster is gone, which deleteUnreachable alone does not do", async () => {
    const state = await local.engine.stackExport(serving, "local");
    const gone = join(await mkdtemp(join(tmpdir(), "llama-operator-gone-")), "kubeconfig");
    onTestFinished(async () => rm(dirname(gone), { recursive: true }));
    await writeFile(
      gone,
      (await readFile(local.cluster.kubeconfigPath, "utf8")).replace(/(server: .*):\d+/, "$1:9"),
    );
    const text = JSON.stringify(state).replaceAll(local.cluster.kubeconfigPath, gone);
    await local.engine.stackImport(serving, "local", JSON.parse(text) as StackState);

    const stranded = await local.run("destroy", serving);
    expect(errors(stranded.events).join("\n")).toContain("configured Kubernetes cluster is unreachable");
    const leaving = { environment: { PULUMI_K8S_DELETE_UNREACHABLE: "true" } };
    const release = await local.run("destroy", serving, leaving);
    expect(errors(release.events).join("\n")).toContain("can't delete Helm Release with unreachable cluster");
    expect(await local.engine.stackExport(serving, "local")).not.toMatchObject({
      deployment: { resources: expect.arrayContaining([expect.objectContaining({ type: types.model })]) },
    });
    await local.engine.forget(serving, "local");
    expect((await local.engine.stackExport(serving, "local")).deployment.resources ?? []).toEqual([]);
    await local.engine.stackImport(serving, "local", state);
  });

  test("comes down after all that", async () => {
    expect(await local.runAll("destroy", [serving, platform])).toEqual([0, 0]);
    await expect(local.get("namespace", "llama-system")).rejects.toThrow("not found");
  });
});

/** Helm 4 writes it without the hyphen. */
const nameInUse = /cannot re-?use a name that is still in use/;

/** The stack with its smaller model alone. */
const small = (changes: object = {}) => ({ models: local.example.models.slice(1), ...changes });

/** Takes the operator's release on the cluster into the stack, as docs/infra/recovery.md says. */
async function importRelease(namespace = "llama-operator"): Promise<RunResult> {
  const urn = (type: string, name: string) => `urn:pulumi:local::llama-serving::${type}::${name}`;
  return local.run("importResource", serving, {
    args: [
      types.release,
      "llama-operator",
      `${namespace}/llama-operator`,
      `--parent=operator=${urn("llama-operator:serving:LlamaOperator", "llama-operator")}`,
      `--provider=cluster=${urn("pulumi:providers:kubernetes", "cluster")}`,
    ],
  });
}

const emptied = (state: StackState): StackState => ({
  ...state,
  deployment: { ...state.deployment, resources: [] },
});
