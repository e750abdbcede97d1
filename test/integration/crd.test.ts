// The kinds as a real API server takes them: it accepts the CRDs, refuses what zod refuses with the same words, and
// kubectl reads well over them.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gpuPools, llamaDeployments } from "../../src/llama/api/resources.ts";
import {
  type ValidationCase,
  acceptedCases,
  refusedCases,
} from "../../src/llama/testing/validation-cases.ts";
import { loadClusterConfig } from "../../src/kube-runtime/connection/config/config.ts";
import { KubeConnection } from "../../src/kube-runtime/connection/http/connection.ts";
import { resourcePath } from "../../src/kube-runtime/client/resource.ts";
import { kubectl, sharedCluster, testNamespace } from "../support/cluster.ts";
import { installKinds } from "../support/kinds.ts";

const cluster = sharedCluster();
let connection: KubeConnection | undefined;

beforeAll(async () => {
  await installKinds(cluster);
  const config = await loadClusterConfig({ kubeconfig: cluster.kubeconfigPath, env: {} });
  connection = new KubeConnection(config, { userAgent: "llama-operator-test" });
});

afterAll(async () => connection?.close());

/** Creates without keeping, as strictly as kubectl does. Returns the API server's object or Status. */
async function tryToCreate(manifest: ValidationCase["manifest"]): Promise<Record<string, unknown>> {
  const path =
    manifest.kind === "GpuPool"
      ? resourcePath(gpuPools, {})
      : resourcePath(llamaDeployments, { namespace: "default" });
  if (connection === undefined) throw new Error("not connected");
  const { body } = await connection.send("requests", {
    method: "POST",
    path: `${path}?dryRun=All&fieldValidation=Strict`,
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(manifest),
    timeoutMs: 15_000,
  });
  return JSON.parse(body) as Record<string, unknown>;
}

describe("a manifest sent to the API server", () => {
  test.each(acceptedCases)("is accepted: $name", async ({ manifest }) => {
    const answer = await tryToCreate(manifest);
    expect(answer).toMatchObject({ kind: manifest.kind, status: { observedGeneration: -1 } });
  });

  test.each(refusedCases)("is refused: $name", async ({ manifest, refused: { path, message } }) => {
    const answer = await tryToCreate(manifest);
    expect(answer).toMatchObject({ kind: "Status", message: expect.stringContaining(message) });
    // A rule on the name belongs to the whole object, which the API server cannot point into.
    expect(answer["message"]).toContain(path === "metadata.name" ? "the name must" : path);
  });
});

const llama = {
  apiVersion: "llama-operator.dev/v1alpha1",
  kind: "LlamaDeployment",
  metadata: { name: "llama" },
  spec: { model: { name: "llama-3.1-8b-instruct" } },
};

describe("kubectl over the kinds", () => {
  test("fills in the defaults that zod fills in, and finds nothing to change when applied again", async () => {
    const namespace = await testNamespace(cluster);
    await kubectl(cluster, ["apply", "-n", namespace, "-f", "-"], JSON.stringify(llama));
    const stored = JSON.parse(
      await kubectl(cluster, ["get", "llama", "llama", "-n", namespace, "-o", "json"]),
    ) as { spec: unknown };
    expect(stored.spec).toEqual({
      model: { name: "llama-3.1-8b-instruct" },
      quantization: { weights: "auto", kvCache: "auto" },
      context: { minConcurrency: 1, kvCacheSize: "profiled" },
      parallelism: {},
      placement: {},
      engine: { type: "vllm", version: "0.32.0", args: {}, env: [] },
      replicas: 1,
      podTemplate: { labels: {}, annotations: {}, imagePullSecrets: [] },
    });
    // Exits 1, and so fails, where there is a difference.
    expect(await kubectl(cluster, ["diff", "-n", namespace, "-f", "-"], JSON.stringify(llama))).toBe("");
  });

  test("prints columns, by every name of the kind", async () => {
    const namespace = await testNamespace(cluster);
    await kubectl(cluster, ["apply", "-n", namespace, "-f", "-"], JSON.stringify(llama));
    for (const name of ["llama", "llamas", "llamadeployment", "llamadeployments"]) {
      const [heading, line] = (await kubectl(cluster, ["get", name, "-n", namespace])).split("\n");
      expect(heading?.split(/\s+/)).toEqual(
        "NAME MODEL READY REASON SERVING WANTED TP PP GPUS AGE".split(" "),
      );
      expect(line).toMatch(/^llama +llama-3\.1-8b-instruct /);
    }
    expect(await kubectl(cluster, ["get", "all", "-n", namespace])).toContain(
      "llamadeployment.llama-operator.dev/llama",
    );
  });

  test("scales through /scale, and lets no status write change the spec", async () => {
    const namespace = await testNamespace(cluster);
    const inNamespace = ["llama", "llama", "-n", namespace];
    await kubectl(cluster, ["apply", "-n", namespace, "-f", "-"], JSON.stringify(llama));
    await kubectl(cluster, ["scale", ...inNamespace, "--replicas=3"]);
    const wanted = ["--subresource=scale", "-o", "jsonpath={.spec.replicas}"];
    expect(await kubectl(cluster, ["get", ...inNamespace, ...wanted])).toBe("3");

    // Not kept: an operator may run on this cluster, and status is its own.
    const patch = JSON.stringify({ spec: { replicas: 9 }, status: { replicas: 2 } });
    const toStatus = ["--subresource=status", "--type=merge", "--dry-run=server", "-o", "json"];
    const patched: unknown = JSON.parse(
      await kubectl(cluster, ["patch", ...inNamespace, ...toStatus, "-p", patch]),
    );
    expect(patched).toMatchObject({ spec: { replicas: 3 }, status: { replicas: 2 } });
  });

  test("explains every field", async () => {
    const page = await kubectl(cluster, ["explain", "llamadeployments", "--recursive"]);
    expect(page).toContain("minConcurrency\t<integer>");
    const context = await kubectl(cluster, ["explain", "llamas.spec.context"]);
    expect(context).toContain("How many requests of full length the KV cache must hold at once.");
    const nodes = await kubectl(cluster, ["explain", "gpool.spec.nodes"]);
    expect(nodes).toContain("Nodes that an autoscaler may grow the pool to.");
  });
});
