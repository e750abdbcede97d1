// The life of LlamaDeployments on the real API server, with simulated kubelets and engines: each test is a person's
// action and what comes of it.
import { expect, test } from "vitest";
import { chat } from "../../local/demo/chat.ts";
import type { LlamaDeployment } from "../../src/llama/api/resources.ts";
import { kubectl, sharedCluster, testNamespace } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import {
  addToken,
  applyLlama,
  conditionOf,
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
const model70b = gatedModel("llama-3.1-70b-instruct");
const ready = { type: "Ready", status: "True" } as const;

/** A namespace with a token and GPUs of its own. */
async function namespaceWithGpus(options: Parameters<typeof testPool>[1] = {}): Promise<string> {
  const namespace = await testNamespace(cluster);
  await addToken(namespace);
  await testPool(namespace, options);
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

test("a model on one GPU answers at its endpoint, and kubectl wait sees it Ready", async () => {
  const namespace = await namespaceWithGpus();
  await applyLlama(namespace, "llama", { model: model8b });
  await kubectl(cluster, ["wait", "-n", namespace, "--for=condition=Ready", "llama/llama", "--timeout=60s"]);
  const llama = await getJson<LlamaDeployment>(namespace, "llama", "llama");
  expect(await answers(llama)).not.toBe("");
  expect(llama.status).toMatchObject({
    replicas: 1,
    readyReplicas: 1,
    plan: { tensor: 1, gpusPerReplica: 1 },
  });
});

test("a model over two nodes runs as one group, and its leader answers for it", async () => {
  const namespace = await namespaceWithGpus({ nodes: 2 });
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
  const namespace = await namespaceWithGpus();
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

test("scaling by kubectl adds and removes replicas, down to zero", async () => {
  const namespace = await namespaceWithGpus();
  await applyLlama(namespace, "llama", { model: model8b });
  await untilCondition(namespace, "llama", ready);
  await kubectl(cluster, ["scale", "-n", namespace, "llama/llama", "--replicas=3"]);
  const three = await untilCondition(namespace, "llama", ready);
  expect(three.status?.readyReplicas).toBe(3);
  await kubectl(cluster, ["scale", "-n", namespace, "llama/llama", "--replicas=0"]);
  const none = await untilCondition(namespace, "llama", { ...ready, reason: "ScaledToZero" });
  expect(none.status?.replicas).toBe(0);
  expect(await list(namespace, "pods")).toEqual([]);
});

test("a replica that dies is replaced, and status tells so meanwhile", async () => {
  const namespace = await namespaceWithGpus();
  await applyLlama(namespace, "llama", { model: model8b });
  await untilCondition(namespace, "llama", ready);
  const [victim] = await list(namespace, "pods");
  await kubectl(cluster, [
    "delete",
    "pod",
    "-n",
    namespace,
    victim?.metadata.name ?? "",
    "--force",
    "--grace-period=0",
  ]);
  const down = await untilCondition(namespace, "llama", { type: "Available", status: "False" });
  expect(conditionOf(down, "Reconciling")?.status).toBe("True");
  const again = await untilCondition(namespace, "llama", ready);
  expect(await answers(again)).not.toBe("");
});

test("an edit brings up the new replica before the old one goes, where GPUs allow", async () => {
  const namespace = await namespaceWithGpus();
  await applyLlama(namespace, "llama", { model: model8b });
  await untilCondition(namespace, "llama", ready);
  const before = await list(namespace, "pods");
  await editLlama(namespace, "llama", { parallelism: { tensor: 2 } });
  expect(await outagesUntil(namespace, "llama", ({ tensor }) => tensor === 2)).toEqual([]);
  const pods = await eventually("the old pod has gone", async () => {
    const found = await list(namespace, "pods");
    return found.length === 1 ? found : undefined;
  });
  expect(uidsOf(pods)).not.toEqual(uidsOf(before));
});

test("a change from one node to two and back brings up the new replica first", async () => {
  const namespace = await namespaceWithGpus({ nodes: 3 });
  await applyLlama(namespace, "llama", { model: model70b, parallelism: { tensor: 8, pipeline: 1 } });
  await untilCondition(namespace, "llama", ready);
  for (const [pipeline, nodes] of [
    [2, 2],
    [1, 1],
  ]) {
    await editLlama(namespace, "llama", { parallelism: { tensor: 8, pipeline } });
    const outages = await outagesUntil(
      namespace,
      "llama",
      ({ nodesPerReplica }) => nodesPerReplica === nodes,
    );
    expect(outages).toEqual([]);
  }
  await eventually("the group has gone", async () => {
    return (await list(namespace, "leaderworkersets")).length === 0 ? true : undefined;
  });
});

test("without GPUs for both, the old replica makes room for the new one", async () => {
  const namespace = await namespaceWithGpus();
  await applyLlama(namespace, "llama", { model: model70b, parallelism: { tensor: 8 } });
  await untilCondition(namespace, "llama", ready);
  await editLlama(namespace, "llama", { context: { maxTokens: 65_536 } });
  const llama = await untilCondition(namespace, "llama", ready, 60);
  expect(llama.status?.plan?.maxTokens).toBe(65_536);
});

test("two groups never each hold half of what they need", async () => {
  const namespace = await namespaceWithGpus({ nodes: 3 });
  const spec = { model: gatedModel("llama-3.1-405b-instruct"), quantization: { weights: "bf16" } };
  await Promise.all([applyLlama(namespace, "one", spec), applyLlama(namespace, "two", spec)]);
  const groups = await eventually("a group is made", async () => {
    const found = await list(namespace, "leaderworkersets");
    return found.length > 0 ? found : undefined;
  });
  const winner = groups[0]?.metadata.labels?.["llama-operator.dev/deployment"] ?? "";
  const loser = winner === "one" ? "two" : "one";
  await untilCondition(namespace, winner, ready, 90);
  const waiting = await untilCondition(namespace, loser, {
    type: "Scheduled",
    status: "False",
    reason: "WaitingForGpus",
  });
  expect(conditionOf(waiting, "Ready")?.message).toContain("needs 2 nodes with 8 free GPUs");
  expect(await list(namespace, "leaderworkersets")).toHaveLength(1);
  await kubectl(cluster, ["delete", "llama", winner, "-n", namespace]);
  await untilCondition(namespace, loser, ready, 90);
});

test("free GPUs that are scattered over nodes are reported as such", async () => {
  const namespace = await namespaceWithGpus({ nodes: 2 });
  const nodes = [
    ...new Set(
      (await list(namespace, "nodes", `test.llama-operator.dev/pool=${namespace}`)).map(
        ({ metadata }) => metadata.name,
      ),
    ),
  ];
  for (const [index, nodeName] of nodes.entries()) {
    const limits = { "nvidia.com/gpu": "4" };
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `other-${index}` },
      spec: {
        nodeName,
        tolerations: [{ operator: "Exists" }],
        containers: [{ name: "c", image: "other", resources: { limits } }],
      },
    };
    await kubectl(cluster, ["apply", "-n", namespace, "-f", "-"], JSON.stringify(pod));
  }
  await applyLlama(namespace, "llama", { model: model70b, parallelism: { tensor: 8 } });
  const llama = await untilCondition(namespace, "llama", {
    type: "Scheduled",
    status: "False",
    reason: "Fragmented",
  });
  expect(conditionOf(llama, "Ready")?.message).toContain("are enough but scattered");
});

test("a child that somebody edits or deletes is repaired", async () => {
  const namespace = await namespaceWithGpus();
  await applyLlama(namespace, "llama", { model: model8b });
  await untilCondition(namespace, "llama", ready);
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

test("a Service of the same name that is not ours is left alone and reported, until it goes", async () => {
  const namespace = await namespaceWithGpus();
  await kubectl(cluster, ["create", "service", "clusterip", "llama", "-n", namespace, "--tcp=80:80"]);
  const before = await getJson<Listed>(namespace, "service/llama");
  await applyLlama(namespace, "llama", { model: model8b });
  const llama = await untilCondition(namespace, "llama", {
    type: "Stalled",
    status: "True",
    reason: "NameConflict",
  });
  expect(conditionOf(llama, "Ready")?.message).toContain("Service llama is there and not ours");
  expect((await getJson<Listed>(namespace, "service/llama")).metadata.resourceVersion).toBe(
    before.metadata.resourceVersion,
  );
  expect(await list(namespace, "deployments")).toEqual([]);
  await kubectl(cluster, ["delete", "service/llama", "-n", namespace]);
  await untilCondition(namespace, "llama", ready);
});

test("deletion leaves nothing", async () => {
  const namespace = await namespaceWithGpus();
  await applyLlama(namespace, "llama", { model: model8b });
  await untilCondition(namespace, "llama", ready);
  await kubectl(cluster, ["delete", "llama/llama", "-n", namespace]);
  const kinds =
    "deployments,leaderworkersets,services,poddisruptionbudgets,serviceaccounts,controllerrevisions,replicasets,pods";
  await eventually("nothing is left", async () => {
    const left = (await list(namespace, kinds)).filter(({ metadata }) => metadata.name !== "default");
    return left.length === 0 ? true : undefined;
  });
});

test("an object made anew under the same name waits for its predecessor's children and then serves", async () => {
  const namespace = await namespaceWithGpus();
  await applyLlama(namespace, "llama", { model: model8b });
  await untilCondition(namespace, "llama", ready);
  const before = await getJson<Listed>(namespace, "service/llama");
  await kubectl(cluster, ["delete", "llama/llama", "-n", namespace]);
  await applyLlama(namespace, "llama", { model: model8b });
  const llama = await untilCondition(namespace, "llama", ready);
  const after = await getJson<Listed>(namespace, "service/llama");
  expect(after.metadata.uid).not.toBe(before.metadata.uid);
  expect(await answers(llama)).not.toBe("");
});

test("no token shows in anything that the operator writes", async () => {
  const namespace = await namespaceWithGpus();
  await applyLlama(namespace, "llama", { model: model8b });
  await untilCondition(namespace, "llama", ready);
  const kinds = "llamas,deployments,services,controllerrevisions,pods,events,replicasets";
  const everything = await kubectl(cluster, ["get", kinds, "-n", namespace, "-o", "yaml"]);
  expect(everything).toContain("secretKeyRef");
  expect(everything).not.toContain("hf_made-up");
});
