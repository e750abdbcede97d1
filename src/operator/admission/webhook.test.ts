// All of it together, but for the API server: the client is in memory, the calls are real.
import { rootCertificates } from "node:tls";
import { Agent, request as httpsRequest } from "node:https";
import { afterEach, beforeEach, expect, test } from "vitest";
import { gpuPoolSpec } from "@llama-operator/llama/api";
import type { PoolFacts } from "@llama-operator/llama/planning";
import {
  systemClock,
  silentLogger,
  type Logger,
  noMetrics,
  RuntimeMetrics,
} from "@llama-operator/kube-runtime";
import { InMemoryKubeClient } from "@llama-operator/kube-runtime/testing";
import { webhookConfigurations } from "./publisher.ts";
import { makeWebhook, type Webhook } from "./webhook.ts";

const name = "llama-operator";
const small: PoolFacts = {
  name: "small",
  labels: {},
  spec: gpuPoolSpec.parse({ gpu: { product: "nvidia-l4", perNode: 1 } }),
};
const large: PoolFacts = {
  name: "large",
  labels: {},
  spec: gpuPoolSpec.parse({
    gpu: { product: "nvidia-h100-80gb", perNode: 8 },
    machineShape: "a3-highgpu-8g",
  }),
};

let client: InMemoryKubeClient;
let pools: readonly PoolFacts[];
let isSynced: boolean;
let webhook: Webhook;
let port: number;
let stop: AbortController;
let running: Promise<void>;

beforeEach(async () => {
  client = new InMemoryKubeClient();
  client.put(webhookConfigurations, {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name },
    webhooks: [{ name: "validate.llama-operator.dev", clientConfig: { url: "https://127.0.0.1/validate" } }],
  });
  pools = [small];
  isSynced = true;
  stop = new AbortController();
  const { promise: listening, resolve: listens } = Promise.withResolvers<number>();
  const logger: Logger = {
    ...silentLogger,
    info: (message, fields) => {
      if (message === "listening") listens(Number(fields?.["port"]));
    },
  };
  webhook = makeWebhook({
    port: 0,
    host: "127.0.0.1",
    configuration: name,
    owner: "replica",
    planning: { pools: () => pools, currentPlan: () => undefined, measuredOverheads: [] },
    isSynced: () => isSynced,
    client,
    clock: systemClock,
    random: Math.random,
    metrics: new RuntimeMetrics(noMetrics),
    logger,
  });
  running = webhook.run({ stop: stop.signal, abort: stop.signal });
  port = await listening;
  while (webhook.waiting() !== undefined) await systemClock.sleep(5);
});

afterEach(async () => {
  stop.abort(new Error("the test is over"));
  await running;
});

/** As the API server does: trusting the bundle alone. */
async function apply(spec: object, ca = bundle()): Promise<unknown> {
  const kind = { group: "llama-operator.dev", version: "v1alpha1", kind: "LlamaDeployment" };
  const apiVersion = "llama-operator.dev/v1alpha1";
  const object = { apiVersion, kind: kind.kind, metadata: { name: "llama", namespace: "team" }, spec };
  const request = { uid: "1", kind, operation: "CREATE", namespace: "team", name: "llama", object };
  const body = JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const call = httpsRequest(
    {
      host: "127.0.0.1",
      port,
      path: "/validate",
      method: "POST",
      headers: { "content-type": "application/json" },
      agent: new Agent({ ca }),
    },
    (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve(text));
    },
  );
  call.on("error", reject);
  call.end(body);
  return (JSON.parse(await promise) as { readonly response: unknown }).response;
}

function bundle(): string {
  const [found] = client.peek(webhookConfigurations, { name })?.webhooks ?? [];
  return Buffer.from(found?.clientConfig.caBundle ?? "", "base64").toString();
}

const seventy = { model: { name: "llama-3.1-70b-instruct" } };

test("answers whoever trusts the published bundle, and nobody else", async () => {
  expect(await apply(seventy)).toMatchObject({ allowed: false });
  await expect(apply(seventy, rootCertificates.join("\n"))).rejects.toThrow("self-signed");
});

test("refuses nothing while the caches are still filling", async () => {
  isSynced = false;
  expect(await apply(seventy)).toEqual({ uid: "1", allowed: true });
});

test("looks again before it refuses: a pool that was applied just before may be on its way", async () => {
  const answer = apply(seventy);
  setTimeout(() => {
    pools = [small, large];
  }, 100);
  expect(await answer).toMatchObject({ allowed: true });
});
