// The simulated engine on the real API server, under a Deployment written by hand: what the operator's own pods
// will meet, without the operator.
import { ProxyAgent, request } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { kubectl, sharedCluster, testNamespace } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";

const app = "engine";

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly containerStatuses?: readonly {
      readonly ready: boolean;
      readonly restartCount: number;
      readonly state: { readonly waiting?: { readonly reason: string } };
      readonly lastState: {
        readonly terminated?: {
          readonly exitCode: number;
          readonly reason: string;
          readonly message?: string;
        };
      };
    }[];
  };
}

/** A Deployment of vLLM as a person would write it, and its Service. */
async function applyEngine(
  namespace: string,
  args: readonly string[],
  annotations: Readonly<Record<string, string>> = {},
): Promise<void> {
  const health = { httpGet: { path: "/health", port: "http" } };
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: app },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels: { app }, annotations },
        spec: {
          tolerations: [{ key: "nvidia.com/gpu", operator: "Exists" }],
          terminationGracePeriodSeconds: 120,
          containers: [
            {
              name: "engine",
              image: "vllm/vllm-openai:v0.32.0",
              command: ["vllm", "serve"],
              args: [
                "nvidia/Llama-3.1-8B-Instruct-FP8",
                "--served-model-name=llama-8b",
                "--host=0.0.0.0",
                ...args,
              ],
              ports: [{ name: "http", containerPort: 8000 }],
              terminationMessagePolicy: "FallbackToLogsOnError",
              startupProbe: { ...health, periodSeconds: 5, failureThreshold: 60 },
              readinessProbe: { ...health, periodSeconds: 5 },
              lifecycle: { preStop: { sleep: { seconds: 5 } } },
              resources: { limits: { "nvidia.com/gpu": "1" } },
            },
          ],
        },
      },
    },
  };
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: app },
    spec: { selector: { app }, ports: [{ port: 80, targetPort: "http" }] },
  };
  const list = { apiVersion: "v1", kind: "List", items: [service, deployment] };
  await kubectl(sharedCluster(), ["apply", "-n", namespace, "-f", "-"], JSON.stringify(list));
}

async function pods(namespace: string): Promise<readonly Pod[]> {
  const answer = await kubectl(sharedCluster(), [
    "get",
    "pods",
    "-n",
    namespace,
    "-l",
    `app=${app}`,
    "-o",
    "json",
  ]);
  return (JSON.parse(answer) as { items: readonly Pod[] }).items;
}

/** Waits for one pod of which this holds. */
function untilPod(what: string, namespace: string, holds: (pod: Pod) => boolean): Promise<Pod> {
  return eventually(what, async () => (await pods(namespace)).find(holds));
}

const isReady = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined && status.containerStatuses?.[0]?.ready === true;

/** Asks the Service by its name, through the proxy that stands for DNS and kube-proxy. */
async function ask(
  namespace: string,
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly text: () => Promise<string> }> {
  const dispatcher = new ProxyAgent({ uri: sharedCluster().proxyUrl, proxyTunnel: false });
  onTestFinished(() => dispatcher.destroy());
  const response = await request(`http://${app}.${namespace}.svc${path}`, {
    dispatcher,
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  return { status: response.statusCode, text: () => response.body.text() };
}

test("a Deployment becomes available because its engine answers, and its Service leads there by name", async () => {
  const namespace = await testNamespace(sharedCluster());
  await applyEngine(namespace, []);
  const early = await ask(namespace, "/v1/models");
  expect([early.status, await early.text()]).toEqual([
    503,
    `Service ${namespace}/${app} has no ready pod (in a cluster: connection refused)\n`,
  ]);
  await kubectl(sharedCluster(), [
    "rollout",
    "status",
    `deployment/${app}`,
    "-n",
    namespace,
    "--timeout=60s",
  ]);
  const models = await ask(namespace, "/v1/models");
  expect(JSON.parse(await models.text())).toMatchObject({
    data: [{ id: "llama-8b", max_model_len: 131_072 }],
  });
  const answer = await ask(namespace, "/v1/chat/completions", {
    model: "llama-8b",
    messages: [{ role: "user", content: "Who are you?" }],
  });
  expect(JSON.parse(await answer.text())).toMatchObject({
    choices: [{ message: { content: expect.stringContaining("llama-8b") }, finish_reason: "stop" }],
  });
});

test("a deleted pod finishes the answer that it has begun", async () => {
  const namespace = await testNamespace(sharedCluster());
  await applyEngine(namespace, ["--shutdown-timeout=100"]);
  const pod = await untilPod("the engine is ready", namespace, isReady);
  const answer = await ask(namespace, "/v1/completions", {
    prompt: "Once upon a time",
    max_tokens: 12_000,
    ignore_eos: true,
    stream: true,
    stream_options: { include_usage: true },
  });
  expect(answer.status).toBe(200);
  await kubectl(sharedCluster(), ["delete", "pod", pod.metadata.name, "-n", namespace, "--wait=false"]);
  const text = await answer.text();
  expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  expect(text).toMatch(/"finish_reason":"length"/);
  expect(text).toMatch(/"completion_tokens":12000/);
  await eventually("the pod is gone, and another serves", async () => {
    const left = await pods(namespace);
    const gone = left.every(({ metadata }) => metadata.name !== pod.metadata.name);
    return gone && left.some(isReady) ? true : undefined;
  });
});

test("arguments that vLLM refuses end in CrashLoopBackOff, with its words in lastState", async () => {
  const namespace = await testNamespace(sharedCluster());
  await applyEngine(namespace, ["--no-such-flag=1"]);
  const pod = await untilPod("a restart is delayed", namespace, ({ status }) => {
    const [container] = status.containerStatuses ?? [];
    return container?.state.waiting?.reason === "CrashLoopBackOff";
  });
  expect(pod.status.containerStatuses?.[0]?.lastState.terminated).toMatchObject({
    exitCode: 2,
    reason: "Error",
    message: expect.stringMatching(/vllm: error: unrecognized arguments: --no-such-flag=1$/),
  });
  const refused = await ask(namespace, "/v1/models");
  expect(refused.status).toBe(503);
});

test("a context that the GPU cannot hold is refused with the numbers", async () => {
  const namespace = await testNamespace(sharedCluster());
  await applyEngine(namespace, ["--gpu-memory-utilization=0.15"]);
  const pod = await untilPod(
    "the engine has refused",
    namespace,
    ({ status }) => status.containerStatuses?.[0]?.lastState.terminated !== undefined,
  );
  expect(pod.status.containerStatuses?.[0]?.lastState.terminated).toMatchObject({
    exitCode: 1,
    message: expect.stringMatching(
      /To serve at least one request with the model's max seq len \(131072\), \(16\.0 GiB KV cache is needed, which is larger than the available KV cache memory \([\d.]+ GiB\)/,
    ),
  });
});

test("a fault that strikes once is survived, and seen in the restart count", async () => {
  const namespace = await testNamespace(sharedCluster());
  await applyEngine(namespace, [], { "sim.llama-operator.dev/oom": "once" });
  const pod = await untilPod("the engine is ready after all", namespace, isReady);
  expect(pod.status.containerStatuses?.[0]).toMatchObject({
    restartCount: 1,
    lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
  });
});
