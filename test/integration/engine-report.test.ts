// What engines report of their KV cache, from the simulated engine's own metrics into status: once a revision, by one
// pod, and never again. The simulated engine sizes its cache by its own arithmetic, so that the drift is a real one.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ProxyAgent, request } from "undici";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parseMeasuredOverheads } from "../../src/llama/api/measured-overheads.ts";
import type { LlamaDeployment } from "../../src/llama/api/resources.ts";
import type { KubeClient } from "../../src/kube-runtime/client/client.ts";
import { ApiError } from "../../src/kube-runtime/client/errors.ts";
import { HttpKubeClient } from "../../src/kube-runtime/connection/http/http-client.ts";
import { systemClock } from "../../src/kube-runtime/clock.ts";
import { fetchText, type TextRequest } from "../../src/kube-runtime/http/fetch-text.ts";
import { OperatorInProcess } from "../benchmarks/harness/operator-in-process.ts";
import { ReconcileTimes } from "../benchmarks/harness/reconcile-times.ts";
import { type CleanUp, kubectl, sharedCluster, testNamespace } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import {
  addToken,
  applyLlama,
  editLlama,
  gatedModel,
  list,
  type Listed,
  untilCondition,
  untilLlama,
} from "../support/llama.ts";
import { testPool } from "../support/pools.ts";

const cluster = sharedCluster();
const operatorMain = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const ready = { type: "Ready", status: "True" } as const;
type Plan = NonNullable<NonNullable<LlamaDeployment["status"]>["plan"]>;

/** A namespace with GPUs of its own, where a LlamaDeployment named `llama` is Ready. */
async function servingNamespace(nodes: number, spec: object, after?: CleanUp): Promise<string> {
  const namespace = await testNamespace(cluster, after);
  await addToken(namespace);
  await testPool(namespace, { nodes }, after);
  await applyLlama(namespace, "llama", { model: gatedModel("llama-3.1-8b-instruct"), ...spec });
  await untilCondition(namespace, "llama", ready, 90);
  return namespace;
}

/** The plan with its report, once there is one that `accepts`. */
async function measuredPlan(
  namespace: string,
  accepts: (plan: Plan) => boolean = () => true,
): Promise<Required<Plan>> {
  return untilLlama(
    "status has the engine's report",
    namespace,
    "llama",
    ({ status }) => {
      const plan = status?.plan;
      return plan?.measured !== undefined && accepts(plan) ? { ...plan, measured: plan.measured } : undefined;
    },
    90,
  );
}

/** Labels of the engine's `vllm:cache_config_info`, asked for through its Service. */
async function engineSays(namespace: string): Promise<(label: string) => string> {
  const dispatcher = new ProxyAgent({ uri: cluster.proxyUrl, proxyTunnel: false });
  onTestFinished(() => dispatcher.destroy());
  const response = await request(`http://llama.${namespace}.svc/metrics`, { dispatcher });
  const text = await response.body.text();
  const line = text.split("\n").find((each) => each.startsWith("vllm:cache_config_info{")) ?? "";
  return (label) => new RegExp(`[{,]${label}="([^"]*)"`).exec(line)?.[1] ?? "";
}

const driftOf = (plan: Plan, blocks: number): string =>
  ((100 * (blocks * 16 - plan.kvCacheTokens)) / plan.kvCacheTokens).toFixed(1);

/** That status says what the engine says of itself. */
async function expectMeasured(namespace: string, plan: Required<Plan>): Promise<void> {
  const said = await engineSays(namespace);
  const { overheadBytes, ...measured } = plan.measured;
  expect(measured).toEqual({
    kvCacheTokens: Number(said("kv_cache_size_tokens")),
    driftPercent: driftOf(plan, Number(said("num_gpu_blocks"))),
    maxConcurrency: (Math.floor(Number(said("kv_cache_max_concurrency")) * 100) / 100).toFixed(2),
    blockSize: 16,
    gpuMemoryUtilization: "0.92",
  });
  const { weights, total } = plan.memoryPerGpu;
  const left = Math.ceil(0.92 * total) - weights;
  expect(overheadBytes).toBeGreaterThan(0);
  expect(overheadBytes).toBeLessThan(left);
}

/** The cluster as an operator finds it that may write nothing; what it tries is noted as `Kind namespace`. */
function readOnly(client: KubeClient, tried: string[]): KubeClient {
  const refuse = (kind: string, namespace: string | undefined) => async (): Promise<never> => {
    tried.push(`${kind} ${namespace ?? ""}`);
    throw new ApiError(kind, { code: 403, reason: "Forbidden", message: "this operator only looks" });
  };
  return {
    get: async (type, ref, options) => client.get(type, ref, options),
    list: async (type, options) => client.list(type, options),
    pages: (type, options) => client.pages(type, options),
    watch: (type, options) => client.watch(type, options),
    raw: async (path, options) => client.raw(path, options),
    serves: async (type, options) => client.serves(type, options),
    create: async (type, object) => refuse(type.kind, object.metadata?.namespace)(),
    apply: async (type, object) => refuse(type.kind, object.metadata?.namespace)(),
    applyStatus: async (type, ref) => refuse(type.kind, ref.namespace)(),
    replace: async (type, object) => refuse(type.kind, object.metadata?.namespace)(),
    mergePatch: async (type, ref) => refuse(type.kind, ref.namespace)(),
    delete: async (type, ref) => refuse(type.kind, ref.namespace)(),
  };
}

describe.sequential("a model on one GPU", () => {
  let namespace: string;
  let first: Required<Plan>;

  beforeAll(async () => {
    namespace = await servingNamespace(1, {}, (cleanUp) => afterAll(cleanUp));
    first = await measuredPlan(namespace);
  });

  test("has in its status what its engine made of the plan", async () => {
    await expectMeasured(namespace, first);
  });

  test("is listed by the command line with what its engine takes, as the file that planning reads", async () => {
    const { measured } = first;
    const argv = [operatorMain, "overheads", "--kubeconfig", cluster.kubeconfigPath, "-o", "json"];
    const { stdout } = await promisify(execFile)(process.execPath, argv);
    const parsed = parseMeasuredOverheads(JSON.parse(stdout));
    expect(parsed.ok && parsed.overheads).toContainEqual({
      engine: "vllm",
      version: "0.32.0",
      gpu: "nvidia-h100-80gb",
      tensor: 1,
      pipeline: 1,
      model: "llama-3.1-8b-instruct",
      weights: "bf16",
      maxNumSeqs: 1024,
      maxNumBatchedTokens: 8192,
      overheadBytes: measured.overheadBytes,
    });
  });

  test("is asked nothing by an operator that starts anew, and nothing is written for it", async () => {
    interface Addressed extends Listed {
      readonly status: { readonly podIP?: string };
    }
    const [pod] = await list<Addressed>(namespace, "pods");
    const asked: TextRequest[] = [];
    const tried: string[] = [];
    const passes = new ReconcileTimes("llamadeployment");
    const operator = await OperatorInProcess.start({
      kubeconfig: cluster.kubeconfigPath,
      userAgent: "engine-report-test",
      clock: systemClock,
      registry: passes,
      workers: 4,
      newClient: (connection, options) => readOnly(new HttpKubeClient(connection, options), tried),
      fetchText: async (page) => {
        asked.push(page);
        return fetchText(page);
      },
    });
    try {
      const limit = AbortSignal.timeout(20_000);
      await passes.collect(1, limit);
      await operator.idle(limit);
    } finally {
      await operator[Symbol.asyncDispose]();
    }
    expect(asked.filter(({ address }) => address === pod?.status.podIP)).toEqual([]);
    expect(tried.filter((each) => each.endsWith(` ${namespace}`))).toEqual([]);
    expect((await measuredPlan(namespace)).measured).toEqual(first.measured);
  });

  test("keeps its report when its replica is replaced", async () => {
    const [before] = await list(namespace, "pods");
    await kubectl(cluster, ["delete", "pod", before?.metadata.name ?? "", "-n", namespace, "--wait=false"]);
    await eventually("another pod has taken its place", async () => {
      const pods = await list(namespace, "pods");
      return pods.length === 1 && pods[0]?.metadata.uid !== before?.metadata.uid ? pods : undefined;
    });
    await untilCondition(namespace, "llama", ready);
    expect(await measuredPlan(namespace)).toEqual(first);
  });

  test("has a report of its own for a new revision, whose engine with less than planned is told once, as a warning", async () => {
    await editLlama(namespace, "llama", { engine: { args: { "num-gpu-blocks-override": "20000" } } });
    const isNew = ({ measured }: Plan): boolean => measured?.kvCacheTokens !== first.measured.kvCacheTokens;
    const plan = await measuredPlan(namespace, isNew);
    expect(plan.measured).toMatchObject({ kvCacheTokens: 320_000, driftPercent: driftOf(plan, 20_000) });
    expect(plan.measured).not.toHaveProperty("overheadBytes");
    const selector = "reason=KvCacheSmallerThanPlanned";
    const [event] = await eventually("the event is there", async () => {
      const args = ["get", "events", "-n", namespace, "--field-selector", selector, "-o", "json"];
      const { items } = JSON.parse(await kubectl(cluster, args)) as {
        items: readonly { readonly type: string; readonly message: string; readonly count?: number }[];
      };
      return items.length === 0 ? undefined : items;
    });
    expect(event).toMatchObject({
      type: "Warning",
      message: expect.stringContaining(`the engine reports a KV cache of 320000 tokens`) as string,
    });
    await untilCondition(namespace, "llama", ready);
  });
});

test("a group of two nodes has in its status what its engine made of the plan", async () => {
  const namespace = await servingNamespace(2, { parallelism: { tensor: 8, pipeline: 2 } });
  await expectMeasured(namespace, await measuredPlan(namespace));
});
