// A cluster without LeaderWorkerSet: a model over two nodes waits for it, and goes on once it is installed.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { clusterClient } from "../../local/cluster/client.ts";
import { startCluster } from "../../local/cluster/cluster.ts";
import { addNodes } from "../../local/cluster/nodes.ts";
import { kubectl } from "../support/cluster.ts";
import { installKinds } from "../support/kinds.ts";
import { machineShape } from "../support/machine-shape.ts";
import { operatorProcess } from "../support/operator.ts";

test("a model over two nodes waits for LeaderWorkerSet and goes on once it is installed", async () => {
  const cluster = await startCluster({
    name: "without-lws",
    stateDir: await mkdtemp(join(tmpdir(), "llama-operator-test-")),
    leaderWorkerSet: false,
    pods: "instant",
  });
  onTestFinished(async () => cluster.stop());
  await using connection = await clusterClient(cluster.kubeconfigPath);
  const shape = machineShape("a3-highgpu-8g");
  await addNodes(connection.client, shape, 2, cluster);
  await installKinds(cluster);
  await cluster.startProcess(operatorProcess(cluster));
  const gpu = { product: shape.gpu, perNode: shape.gpusPerNode };
  const tolerations = [{ operator: "Exists" }];
  const manifests = [
    { kind: "GpuPool", metadata: { name: "h100" }, spec: { gpu, machineShape: shape.name, tolerations } },
    {
      kind: "LlamaDeployment",
      metadata: { name: "llama", namespace: "default" },
      spec: { model: { name: "llama-3.1-405b-instruct" }, quantization: { weights: "bf16" } },
    },
  ].map((manifest) => JSON.stringify({ apiVersion: "llama-operator.dev/v1alpha1", ...manifest }));
  await kubectl(cluster, ["apply", "-f", "-"], manifests.join("\n---\n"));

  const waiting = 'jsonpath={.status.conditions[?(@.type=="Ready")].reason}';
  await kubectl(cluster, ["wait", `--for=${waiting}=LeaderWorkerSetMissing`, "llama/llama", "--timeout=30s"]);
  const message = 'jsonpath={.status.conditions[?(@.type=="Ready")].message}';
  expect(await kubectl(cluster, ["get", "llama/llama", "-o", message])).toContain("install LeaderWorkerSet");

  await cluster.installLeaderWorkerSet();
  await kubectl(cluster, ["wait", "--for=condition=Ready", "llama/llama", "--timeout=60s"]);
});
