// The webhook on a real API server, on a cluster of its own: who is refused, in which words, who never is, and that
// certificates come and go without a call that fails. A call that fails lets everything pass, which is what shows it.
import { X509Certificate } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { clusterClient } from "../../local/cluster/client.ts";
import { startCluster } from "../../local/cluster/cluster.ts";
import { addNodes } from "../../local/cluster/nodes.ts";
import type { LocalCluster } from "../../local/cluster/options.ts";
import { freePort } from "../../local/free-port.ts";
import { webhookConfiguration } from "../../local/webhook-configuration.ts";
import { makeWebhook } from "../../src/operator/admission/webhook.ts";
import { conditionTypes } from "../../src/llama/api/conditions.ts";
import type { LlamaDeployment } from "../../src/llama/api/resources.ts";
import { llamaDeployments } from "../../src/operator/observed/kinds.ts";
import { ApiError } from "../../src/kube-runtime/client/errors.ts";
import type { KubeObject } from "../../src/kube-runtime/client/object.ts";
import { systemClock } from "../../src/kube-runtime/clock.ts";
import { silentLogger } from "../../src/kube-runtime/logger.ts";
import { noMetrics, RuntimeMetrics } from "../../src/kube-runtime/metrics.ts";
import { kubectl } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { installKinds } from "../support/kinds.ts";
import { machineShape } from "../support/machine-shape.ts";

const configuration = "llama-operator";
/** Which webhook a namespace is under. */
const label = "test.llama-operator.dev/webhook";
const operatorMain = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

let cluster: LocalCluster;
let firstPort: number;

const run = async (...args: readonly string[]) => kubectl(cluster, args);
const apply = async (manifest: object, ...args: readonly string[]) =>
  kubectl(cluster, ["apply", "-f", "-", ...args], JSON.stringify(manifest));

const apiVersion = "llama-operator.dev/v1alpha1";
const llama = (name: string, spec: object, namespace = "team") => ({
  apiVersion,
  kind: "LlamaDeployment",
  metadata: { name, namespace },
  spec,
});
const pool = (name: string, spec: object) => ({ apiVersion, kind: "GpuPool", metadata: { name }, spec });

const fits = { model: { name: "llama-3.1-8b-instruct" } };
const tooBig = {
  model: { name: "llama-3.1-405b-instruct" },
  quantization: { weights: "bf16" },
  parallelism: { tensor: 8, pipeline: 1 },
};

async function startOperator(name: string, webhookPort: number): Promise<void> {
  const healthPort = await freePort();
  await cluster.startProcess({
    name,
    command: [
      process.execPath,
      operatorMain,
      "run",
      `--kubeconfig=${cluster.kubeconfigPath}`,
      `--health-port=${healthPort}`,
      "--metrics-port=0",
      `--webhook-port=${webhookPort}`,
      "--webhook-host=127.0.0.1",
    ],
    environment: { POD_NAME: name },
    readyUrl: `http://127.0.0.1:${healthPort}/readyz`,
  });
}

const urlAt = (port: number): string => `https://127.0.0.1:${port}/validate`;

async function makeNamespace(name: string, labels: Readonly<Record<string, string>>): Promise<void> {
  await apply({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
}

beforeAll(async () => {
  cluster = await startCluster({
    name: `admission-${process.pid}`,
    stateDir: await mkdtemp(join(tmpdir(), "llama-operator-test-")),
    leaderWorkerSet: false,
    pods: "instant",
  });
  await using connection = await clusterClient(cluster.kubeconfigPath);
  const h100 = machineShape("a3-highgpu-8g");
  await addNodes(connection.client, h100, 1, cluster);
  await installKinds(cluster);
  firstPort = await freePort();
  const namespaceLabels = { [label]: "operator" };
  await apply(webhookConfiguration({ name: configuration, url: urlAt(firstPort), namespaceLabels }));
  await makeNamespace("team", { ...namespaceLabels, tier: "gold" });
  await makeNamespace("poor", namespaceLabels);
  await startOperator("first", firstPort);
  await apply(
    pool("h100", {
      gpu: { product: h100.gpu, perNode: h100.gpusPerNode },
      machineShape: h100.name,
      tolerations: [{ operator: "Exists" }],
      namespaceSelector: { matchLabels: { tier: "gold" } },
    }),
  );
  await apply(pool("l4", { gpu: { product: "nvidia-l4", perNode: 1 }, nodeSelector: { "no-such": "node" } }));
}, 120_000);

afterAll(async () => cluster.stop());

async function conditionOf(
  name: string,
  type: string,
): Promise<{ readonly status: string; readonly reason: string; readonly message: string } | undefined> {
  const object = JSON.parse(await run("get", "llama", name, "-n", "team", "-o", "json")) as LlamaDeployment;
  if (object.status?.observedGeneration !== object.metadata.generation) return undefined;
  return object.status?.conditions?.find((condition) => condition.type === type);
}

/** Stored while nobody could say no, as in the time before the operator was installed. */
async function storeUnasked(name: string, spec: object): Promise<void> {
  await cluster.stopProcess("first");
  await apply(llama(name, spec));
  await startOperator("first", firstPort);
}

async function messageOf(refused: Promise<unknown>): Promise<string> {
  try {
    await refused;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("it was let in");
}

describe("what cannot run", () => {
  test("is refused in the words that its status has when nobody was there to refuse it", async () => {
    const refusal = await messageOf(apply(llama("big", tooBig)));
    expect(refusal).toContain(
      'admission webhook "validate.llama-operator.dev" denied the request: DoesNotFit: ',
    );
    await expect(run("get", "llama", "big", "-n", "team")).rejects.toThrow("NotFound");

    await storeUnasked("big", tooBig);
    const stalled = await eventually("it is Stalled", async () => conditionOf("big", conditionTypes.stalled));
    expect(stalled.message).toContain("94.5 GiB of weights per GPU");
    expect(refusal).toContain(`denied the request: ${stalled.reason}: ${stalled.message}`);
  });

  test("is refused in a dry run too", async () => {
    await expect(apply(llama("dry", tooBig), "--dry-run=server")).rejects.toThrow("94.5 GiB of weights");
    expect(await apply(llama("dry", fits), "--dry-run=server")).toContain("created (server dry run)");
  });

  test("can still be scaled, labelled and deleted where it is stored, and mended", async () => {
    await storeUnasked("stuck", tooBig);
    const stuck = ["llama", "stuck", "-n", "team"];
    const edit = async (spec: object) =>
      run("patch", ...stuck, "--type=merge", "-p", JSON.stringify({ spec }));
    await edit({ replicas: 2 });
    await run("scale", ...stuck, "--replicas=0");
    await run("label", ...stuck, "team=blue");
    await run("patch", ...stuck, "--subresource=status", "--type=merge", "-p", "{}");
    await expect(edit({ context: { maxTokens: 200_000 } })).rejects.toThrow("ContextTooLong");
    await edit({ quantization: { weights: "fp8" } });
    await run("delete", ...stuck);
  });

  test("is no edit of a model that serves", async () => {
    await apply(llama("small", fits));
    await run("wait", "--for=condition=Ready", "llama/small", "-n", "team", "--timeout=40s");
    const edited = apply(llama("small", tooBig));
    await expect(edited).rejects.toThrow("DoesNotFit");
    expect(await conditionOf("small", conditionTypes.ready)).toMatchObject({ status: "True" });
    await run("delete", "llama", "small", "-n", "team");
  });

  test("is judged by the pools that its namespace may use", async () => {
    const big = { model: { name: "llama-3.1-70b-instruct" }, quantization: { weights: "fp8" } };
    await expect(apply(llama("seventy", big, "poor"))).rejects.toThrow("on pool l4");
    await apply(llama("seventy", big));
    await run("delete", "llama", "seventy", "-n", "team");
  });

  test("is also a pool whose GPU nobody knows", async () => {
    const unknown = pool("voodoo", { gpu: { product: "nvidia-voodoo", perNode: 8 } });
    await expect(apply(unknown)).rejects.toThrow("nvidia-voodoo, which the catalog lacks");
  });
});

test("what waits is let in, and kubectl shows what for", async () => {
  const spec = { ...fits, placement: { poolSelector: { matchLabels: { missing: "pool" } } } };
  const warned = messageOf(apply(llama("patient", spec), "--warnings-as-errors"));
  expect(await warned).toContain(
    "Warning: it waits (NoPool): no GpuPool that this namespace may use has the labels missing=pool",
  );
  await run("delete", "llama", "patient", "-n", "team");
});

interface Configuration {
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}

/** Who has a certificate in the bundle. */
async function owners(name = configuration): Promise<readonly string[]> {
  const text = await run("get", "validatingwebhookconfiguration", name, "-o", "json");
  const { caBundle = "" } = (JSON.parse(text) as Configuration).webhooks[0]?.clientConfig ?? {};
  const pems = Buffer.from(caBundle, "base64")
    .toString()
    .match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g);
  return (pems ?? []).map((pem) => new X509Certificate(pem).subject.replace("CN=", ""));
}

async function patchClientConfig(operation: object): Promise<void> {
  const patch = JSON.stringify([operation]);
  await run("patch", "validatingwebhookconfiguration", configuration, "--type=json", "-p", patch);
}

async function untilRefused(what: string): Promise<void> {
  await eventually(what, async () => {
    const refusal = apply(llama("probe", tooBig), "--dry-run=server");
    return (
      (await refusal.then(
        () => undefined,
        () => true,
      )) ?? undefined
    );
  });
}

test("a certificate that somebody takes out of the bundle is put back", async () => {
  await patchClientConfig({ op: "remove", path: "/webhooks/0/clientConfig/caBundle" });
  await eventually("it is back", async () => ((await owners()).includes("first") ? true : undefined));
  await untilRefused("the API server asks again");
});

test("every replica answers, a standby too, and each has its certificate in the bundle", async () => {
  const secondPort = await freePort();
  await startOperator("second", secondPort);
  onTestFinished(async () => cluster.stopProcess("second"));
  expect(new Set(await owners())).toEqual(new Set(["first", "second"]));
  await patchClientConfig({ op: "replace", path: "/webhooks/0/clientConfig/url", value: urlAt(secondPort) });
  await cluster.stopProcess("first");
  await untilRefused("the standby's webhook is asked");
  await patchClientConfig({ op: "replace", path: "/webhooks/0/clientConfig/url", value: urlAt(firstPort) });
  await startOperator("first", firstPort);
  await untilRefused("the first one's webhook is asked");
});

test("certificates change under load without a call that fails", async () => {
  await using connection = await clusterClient(cluster.kubeconfigPath);
  const { client } = connection;
  const port = await freePort();
  const name = "rotating";
  await apply(webhookConfiguration({ name, url: urlAt(port), namespaceLabels: { [label]: name } }));
  await makeNamespace(name, { [label]: name });
  const stop = new AbortController();
  const webhook = makeWebhook({
    port,
    host: "127.0.0.1",
    configuration: name,
    owner: name,
    // Renewed after 16 s, the next one served a second later.
    certificateValiditySeconds: 24,
    planning: { pools: () => [], currentPlan: () => undefined, measuredOverheads: [] },
    isSynced: () => true,
    client,
    clock: systemClock,
    random: Math.random,
    metrics: new RuntimeMetrics(noMetrics),
    logger: silentLogger,
  });
  const running = webhook.run({ stop: stop.signal, abort: stop.signal });
  onTestFinished(async () => {
    stop.abort(new Error("the test is over"));
    await running;
  });
  const object = llama("unknown", { model: { name: "no-such-llama" } }, name) as unknown as LlamaDeployment &
    KubeObject;
  const ask = async (): Promise<string> => {
    try {
      await client.create(llamaDeployments, object, { dryRun: true });
      return "let in";
    } catch (error) {
      if (error instanceof ApiError && error.message.includes("UnknownModel")) return "refused";
      return String(error);
    }
  };
  await eventually("it refuses", async () => ((await ask()) === "refused" ? true : undefined));

  const answers = new Map<string, number>();
  const deadline = performance.now() + 40_000;
  const askOn = async (): Promise<void> => {
    while (performance.now() < deadline) {
      const answer = await ask();
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 6 }, askOn));
  expect([...answers.keys()]).toEqual(["refused"]);
  expect(answers.get("refused")).toBeGreaterThan(100);
  const [first = "", ...more] = await owners(name);
  expect([first, ...more].every((owner) => owner === name)).toBe(true);
}, 90_000);
