// The life of LlamaDeployments on the real API server, with simulated kubelets and engines: what kubectl, the real
// controllers and the garbage collector make of it. Whatever the small controllers can show is in the operator's
// simulation.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chat } from "../../local/demo/chat.ts";
import type { LlamaDeployment } from "../../src/llama/api/resources.ts";
import { type CleanUp, kubectl, sharedCluster, testNamespace } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import {
  addToken,
  applyLlama,
  editLlama,
  gatedModel,
  getJson,
  list,
  type Listed,
  outagesUntil,
  untilCondition,
} from "../support/llama.ts";
import { testPool } from "../support/pools.ts";

const cluster = sharedCluster();
const model8b = gatedModel("llama-3.1-8b-instruct");
const ready = { type: "Ready", status: "True" } as const;

/** A namespace with a token and GPUs of its own. */
async function namespaceWithGpus(nodes: number, after?: CleanUp): Promise<string> {
  const namespace = await testNamespace(cluster, after);
  await addToken(namespace);
  await testPool(namespace, { nodes }, after);
  return namespace;
}

async function answers({ status }: LlamaDeployment): Promise<string> {
  let text = "";
  await chat({
    proxyUrl: cluster.proxyUrl,
    endpoint: status?.endpoint ?? "",
    prompt: "Who are you?",
    maxTokens: 8,
    signal: AbortSignal.timeout(20_000),
    onText: (piece) => {
      text += piece;
    },
  });
  return text;
}

interface ListedPod extends Listed {
  readonly spec: { readonly nodeName?: string };
}

const serving = (name: string) => `llama-operator.dev/deployment=${name},llama-operator.dev/role=serving`;
const uidsOf = (objects: readonly Listed[]) => objects.map(({ metadata }) => metadata.uid).toSorted();

describe.sequential("a model on one GPU", () => {
  let namespace: string;

  beforeAll(async () => {
    namespace = await namespaceWithGpus(1, (cleanUp) => afterAll(cleanUp));
    await applyLlama(namespace, "llama", { model: model8b });
  });

  test("answers at its endpoint, and kubectl wait sees it Ready", async () => {
    await kubectl(cluster, [
      "wait",
      "-n",
      namespace,
      "--for=condition=Ready",
      "llama/llama",
      "--timeout=60s",
    ]);
    const llama = await getJson<LlamaDeployment>(namespace, "llama", "llama");
    expect(await answers(llama)).not.toBe("");
    expect(llama.status).toMatchObject({
      replicas: 1,
      readyReplicas: 1,
      plan: { tensor: 1, gpusPerReplica: 1 },
    });
  });

  test("shows no token in anything that the operator writes", async () => {
    const kinds = "llamas,deployments,services,controllerrevisions,pods,events,replicasets";
    const everything = await kubectl(cluster, ["get", kinds, "-n", namespace, "-o", "yaml"]);
    expect(everything).toContain("secretKeyRef");
    expect(everything).not.toContain("hf_made-up");
  });

  test("has a child repaired that somebody edits or deletes", async () => {
    await kubectl(cluster, [
      "patch",
      "service/llama",
      "-n",
      namespace,
      "--type=merge",
      "-p",
      `{"spec":{"selector":{"llama-operator.dev/role":"nobody"}}}`,
    ]);
    await kubectl(cluster, ["delete", "poddisruptionbudget/llama", "-n", namespace]);
    interface Service extends Listed {
      readonly spec: { readonly selector: Readonly<Record<string, string>> };
    }
    await eventually("the Service selects the serving pods again", async () => {
      const { spec } = await getJson<Service>(namespace, "service/llama");
      return spec.selector["llama-operator.dev/role"] === "serving" ? spec : undefined;
    });
    await kubectl(cluster, [
      "wait",
      "-n",
      namespace,
      "--for=create",
      "poddisruptionbudget/llama",
      "--timeout=20s",
    ]);
  });

  test("is edited: the new replica is up before the old one goes, where GPUs allow", async () => {
    const before = await list(namespace, "pods");
    await editLlama(namespace, "llama", { parallelism: { tensor: 2 } });
    expect(await outagesUntil(namespace, "llama", ({ tensor }) => tensor === 2)).toEqual([]);
    const pods = await eventually("the old pod has gone", async () => {
      const found = await list(namespace, "pods");
      return found.length === 1 ? found : undefined;
    });
    expect(uidsOf(pods)).not.toEqual(uidsOf(before));
  });

  test("is scaled by kubectl, up, down to zero and back", async () => {
    await kubectl(cluster, ["scale", "-n", namespace, "llama/llama", "--replicas=3"]);
    const three = await untilCondition(namespace, "llama", ready);
    expect(three.status?.readyReplicas).toBe(3);
    await kubectl(cluster, ["scale", "-n", namespace, "llama/llama", "--replicas=0"]);
    const none = await untilCondition(namespace, "llama", { ...ready, reason: "ScaledToZero" });
    expect(none.status?.replicas).toBe(0);
    expect(await list(namespace, "pods")).toEqual([]);
    await kubectl(cluster, ["scale", "-n", namespace, "llama/llama", "--replicas=1"]);
    await untilCondition(namespace, "llama", { ...ready, reason: "Serving" });
  });

  test("made anew under its name waits for its predecessor's children and then serves", async () => {
    const before = await getJson<Listed>(namespace, "service/llama");
    await kubectl(cluster, ["delete", "llama/llama", "-n", namespace]);
    await applyLlama(namespace, "llama", { model: model8b });
    const llama = await untilCondition(namespace, "llama", ready);
    const after = await getJson<Listed>(namespace, "service/llama");
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    expect(await answers(llama)).not.toBe("");
  });

  test("leaves nothing when it is deleted", async () => {
    await kubectl(cluster, ["delete", "llama/llama", "-n", namespace]);
    const kinds =
      "deployments,leaderworkersets,services,poddisruptionbudgets,serviceaccounts,controllerrevisions,replicasets,pods";
    await eventually("nothing is left", async () => {
      const left = (await list(namespace, kinds)).filter(({ metadata }) => metadata.name !== "default");
      return left.length === 0 ? true : undefined;
    });
  });
});

test("a model over two nodes runs as one group, and its leader answers for it", async () => {
  const namespace = await namespaceWithGpus(2);
  const spec = { model: gatedModel("llama-3.1-405b-instruct"), quantization: { weights: "bf16" } };
  await applyLlama(namespace, "llama", spec);
  const llama = await untilCondition(namespace, "llama", ready, 90);
  expect(llama.status?.plan).toMatchObject({ tensor: 8, pipeline: 2, nodesPerReplica: 2 });
  expect(await answers(llama)).not.toBe("");
  const pods = await list<ListedPod>(namespace, "pods");
  expect(new Set(pods.map(({ spec: { nodeName } }) => nodeName)).size).toBe(2);
  expect(await list(namespace, "pods", serving("llama"))).toHaveLength(1);
});

test("a model from a claim is read from there, without a token or the network", async () => {
  const namespace = await namespaceWithGpus(1);
  const storage = { accessModes: ["ReadOnlyMany"], storageClassName: "" };
  const volume = {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: namespace },
    spec: { ...storage, capacity: { storage: "100Gi" }, hostPath: { path: "/weights" } },
  };
  const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "weights", namespace },
    spec: { ...storage, volumeName: namespace, resources: { requests: { storage: "100Gi" } } },
  };
  await kubectl(
    cluster,
    ["apply", "-f", "-"],
    [volume, claim].map((each) => JSON.stringify(each)).join("\n---\n"),
  );
  await applyLlama(namespace, "llama", {
    model: {
      name: "llama-3.1-8b-instruct",
      source: { persistentVolumeClaim: { claimName: "weights", path: "8b" } },
    },
    podTemplate: { annotations: { "sim.llama-operator.dev/model": "meta-llama/Llama-3.1-8B-Instruct" } },
  });
  const llama = await untilCondition(namespace, "llama", ready);
  expect(await answers(llama)).not.toBe("");
  expect(llama.status?.plan?.checkpoint).toBe("persistentVolumeClaim weights/8b");
  await kubectl(cluster, ["delete", "persistentvolume", namespace, "--wait=false"]);
});

test("a pool that asks something else of pods keeps those that run, and gets the others from a workload of their own", async () => {
  const namespace = await namespaceWithGpus(2);
  await applyLlama(namespace, "llama", { model: model8b, replicas: 2 });
  await untilCondition(namespace, "llama", ready);
  const before = uidsOf(await list(namespace, "pods", serving("llama")));
  const tolerations = [{ operator: "Exists", effect: "NoSchedule" }];
  const patch = JSON.stringify({ spec: { tolerations } });
  await kubectl(cluster, ["patch", "gpupool", namespace, "--type=merge", "-p", patch]);
  await untilCondition(namespace, "llama", { type: "PlacementDiffers", status: "True" });
  const [lost = ""] = (await list(namespace, "pods", serving("llama"))).map(({ metadata }) => metadata.name);
  await kubectl(cluster, ["delete", "pod", lost, "-n", namespace, "--wait=false"]);
  interface Placed extends Listed {
    readonly spec: { readonly tolerations?: readonly object[] };
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }
  const pods = await eventually("two answer again, one of them new", async () => {
    const found = await list<Placed>(namespace, "pods", serving("llama"));
    const answering = found.filter(({ metadata, status }) => {
      const isReady = status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
      return isReady === true && metadata.name !== lost;
    });
    return found.length === 2 && answering.length === 2 ? found : undefined;
  });
  expect(pods.filter(({ metadata }) => before.includes(metadata.uid))).toHaveLength(1);
  const fresh = pods.find(({ metadata }) => !before.includes(metadata.uid));
  expect(fresh?.spec.tolerations).toContainEqual({ operator: "Exists", effect: "NoSchedule" });
  await untilCondition(namespace, "llama", ready);
  expect(await list(namespace, "deployments", "llama-operator.dev/deployment=llama")).toHaveLength(2);
});
