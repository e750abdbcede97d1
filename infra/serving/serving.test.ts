import { runtime } from "@pulumi/pulumi";
import { Provider } from "@pulumi/kubernetes/provider.js";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { GpuPoolResource } from "../components/gpu-pool.ts";
import { LlamaOperator } from "../components/llama-operator.ts";
import { parseConfiguration } from "../config/configuration.ts";
import type { StackConfiguration } from "../config/stack-configuration.ts";
import { readStackFile, stackFilePath } from "../config/stack-file.ts";
import { planStack } from "../planning/plan-stack.ts";
import { serve } from "./serving.ts";
import type { ServingOutputs, ServingPlan } from "./serving.ts";

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

const registered: Registered[] = [];
const only = (type: string) => registered.filter((each) => each.type === type);
const types = () => registered.map(({ type, name }) => `${type} ${name}`);

const release = "kubernetes:helm.sh/v3:Release";
const llamaDeployment = "kubernetes:llama-operator.dev/v1alpha1:LlamaDeployment";
const gpuPool = "kubernetes:llama-operator.dev/v1alpha1:GpuPool";

beforeAll(async () => {
  await runtime.setMocks({
    call: () => ({}),
    newResource: ({ type, name, inputs }) => {
      registered.push({ type, name, inputs: inputs as Registered["inputs"] });
      const endpoint = `http://${name}.svc/v1`;
      return {
        id: name,
        state: { ...inputs, ...(type === llamaDeployment ? { status: { endpoint } } : {}) },
      };
    },
  });
});

beforeEach(() => {
  registered.length = 0;
});

const provider = () => new Provider("cluster", { kubeconfig: "/made-up" });

function planned(configuration: StackConfiguration): ServingPlan {
  const plan = planStack(configuration);
  if (!plan.ok) throw new Error(JSON.stringify(plan.refusals));
  return plan;
}

async function served(stack: string): Promise<ServingOutputs> {
  const configuration = await readStackFile(stackFilePath(stack));
  const outputs = serve(configuration, planned(configuration), provider());
  await runtime.disconnect();
  return outputs;
}

const valueOf = async <T>(value: { apply(use: (value: T) => void): unknown }): Promise<T> =>
  new Promise((resolve) => {
    value.apply(resolve);
  });

test("the local stack registers the operator, the pool and its models, and no LeaderWorkerSet", async () => {
  const { models, gpus } = await served("local");
  expect(only(release).map(({ name }) => name)).toEqual(["llama-operator"]);
  expect(only(gpuPool)[0]?.inputs["spec"]).toMatchObject({
    gpu: { product: "nvidia-h100-80gb", perNode: 8 },
  });
  expect(only(llamaDeployment).map(({ name }) => name)).toEqual([
    "llama-llama-405b-fp8",
    "llama-llama-70b-fp8",
  ]);
  expect(gpus).toEqual({ h100: { gpusNeeded: 10, gpusAtMost: 32, headroomGpus: 22 } });
  const large = models["llama/llama-405b-fp8"];
  expect(large).toMatchObject({ pool: "h100", gpus: 8, waitedFor: "ready" });
  expect(large && (await valueOf(large.endpoint))).toBe("http://llama-llama-405b-fp8.svc/v1");
});

test("what the operator's chart holds is part of its release, and of one from a registry it is not", async () => {
  await served("existing");
  const described = only(release).map(({ name, inputs }) => [name, inputs["description"]]);
  expect(described).toEqual(
    expect.arrayContaining([
      ["llama-operator", expect.stringMatching(/^chart sha256:[0-9a-f]{64}$/)],
      ["leader-worker-set", undefined],
    ]),
  );
});

test("an existing cluster gets LeaderWorkerSet from its registry, at the locked version", async () => {
  await served("existing");
  expect(
    only(release).map(({ inputs }) => [inputs["chart"], inputs["version"], inputs["namespace"]]),
  ).toEqual(expect.arrayContaining([["oci://registry.k8s.io/lws/charts/lws", "0.9.0", "lws-system"]]));
});

test("a model's LlamaDeployment is what was written, and says what Pulumi waits for", async () => {
  await served("local");
  const { inputs } = only(llamaDeployment)[0] ?? {};
  expect(inputs?.["spec"]).toEqual({
    model: { name: "llama-3.1-405b-instruct" },
    quantization: { weights: "fp8" },
  });
  expect(inputs?.["metadata"]).toMatchObject({
    name: "llama-405b-fp8",
    namespace: "llama",
    annotations: { "pulumi.com/waitFor": "condition=Ready" },
  });
});

test("the operator's namespace refuses pods that ask for privilege", async () => {
  await served("local");
  const [namespace] = only("kubernetes:core/v1:Namespace").filter(
    ({ name }) => name === "llama-operator-namespace",
  );
  expect(namespace?.inputs["metadata"]).toMatchObject({
    labels: { "pod-security.kubernetes.io/enforce": "restricted" },
  });
});

test("every inner resource can be transformed, by arguments or by a function", async () => {
  const parsed = parseConfiguration({
    cluster: { kind: "local" },
    pools: [{ name: "a", gpu: { product: "nvidia-h100-80gb", perNode: 8 }, nodes: { min: 1, max: 1 } }],
  });
  if (!parsed.ok) throw new Error("not read");
  const { configuration } = parsed;
  const [pool] = configuration.pools;
  if (pool === undefined) throw new Error("no pool");
  const cluster = provider();
  const made = new LlamaOperator(
    "operator",
    { operator: configuration.operator, transform: { release: { timeout: 60 } } },
    { provider: cluster },
  );
  const pools = new GpuPoolResource(
    "a",
    {
      pool,
      transform: {
        gpuPool: ({ args, options }) => ({ args: { ...args, metadata: { name: "renamed" } }, options }),
      },
    },
    { provider: cluster },
  );
  await runtime.disconnect();
  expect(await valueOf(made.version)).toBe("0.1.0");
  expect(await valueOf(pools.poolName)).toBe("renamed");
  expect(only(release)[0]?.inputs).toMatchObject({ timeout: 60, atomic: true });
  expect(only(gpuPool)[0]?.inputs["metadata"]).toMatchObject({ name: "renamed" });
  expect(types()).toContain("llama-operator:serving:GpuPool a");
});

test("the operator's release takes over what another one owns only where that is asked for", async () => {
  const { operator } = await readStackFile(stackFilePath("local"));
  const cluster = provider();
  const made = [false, true].map(
    (takeOwnership) =>
      new LlamaOperator(
        `operator-${takeOwnership}`,
        { operator: { ...operator, takeOwnership } },
        { provider: cluster },
      ),
  );
  await runtime.disconnect();
  const taken = await Promise.all(made.map(async ({ release }) => valueOf(release.takeOwnership)));
  expect(taken).toEqual([undefined, true]);
});
