// Which pod of a Deployment goes, by the real ReplicaSet controller: the one that the operator marked, or, where another
// stops being ready in that instant, that other one; the marked pod then stays, and goes on serving without the mark.
import { expect, test } from "vitest";
import { kubectl, sharedCluster, testNamespace } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import {
  addToken,
  applyLlama,
  editLlama,
  gatedModel,
  list,
  untilCondition,
  type Listed,
} from "../support/llama.ts";
import { operatorRequests } from "../support/operator.ts";
import { testPool } from "../support/pools.ts";
import { deletionCostAnnotation, victimMark } from "../../src/operator/workloads/deletion-cost.ts";

const cluster = sharedCluster();
const mark = Object.entries(victimMark).map(([name, value]) => `${name}=${value}`);

interface ListedPod extends Listed {
  readonly metadata: Listed["metadata"] & { readonly annotations?: Readonly<Record<string, string>> };
}

const names = (pods: readonly Listed[]) => pods.map(({ metadata }) => metadata.name);

/** Three pods of a Deployment of nobody's, on a node that no kubelet runs, so that the test alone says how they are. */
async function threePods(namespace: string): Promise<readonly string[]> {
  const labels = { app: "victims" };
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "victims", namespace },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeName: `nowhere-${namespace}`,
          terminationGracePeriodSeconds: 0,
          containers: [{ name: "none", image: "none" }],
        },
      },
    },
  };
  await kubectl(cluster, ["apply", "-f", "-"], JSON.stringify(deployment));
  const pods = await eventually("three pods", async () => {
    const found = names(await list(namespace, "pods", "app=victims"));
    return found.length === 3 ? found : undefined;
  });
  await Promise.all(pods.map(async (pod) => setReady(namespace, pod, true)));
  await kubectl(cluster, [
    "wait",
    "-n",
    namespace,
    "--for=jsonpath={.status.readyReplicas}=3",
    "deployment/victims",
    "--timeout=20s",
  ]);
  return pods;
}

async function setReady(namespace: string, pod: string, ready: boolean): Promise<void> {
  const status = { phase: "Running", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] };
  await kubectl(cluster, [
    "patch",
    "pod",
    pod,
    "-n",
    namespace,
    "--subresource=status",
    "--type=merge",
    "-p",
    JSON.stringify({ status }),
  ]);
}

async function leftAfterOneGoes(namespace: string): Promise<readonly string[]> {
  await kubectl(cluster, ["scale", "deployment/victims", "-n", namespace, "--replicas=2"]);
  return eventually("one is gone", async () => {
    const left = names(await list(namespace, "pods", "app=victims"));
    return left.length === 2 ? left.toSorted() : undefined;
  });
}

test("the ReplicaSet controller takes the marked pod among those that are ready", async () => {
  const namespace = await testNamespace(cluster);
  const [marked = "", ...others] = await threePods(namespace);
  await kubectl(cluster, ["annotate", "pod", marked, "-n", namespace, ...mark]);
  expect(await leftAfterOneGoes(namespace)).toEqual(others.toSorted());
});

test("the ReplicaSet controller takes a pod that stopped being ready before the marked one", async () => {
  const namespace = await testNamespace(cluster);
  const [marked = "", broken = "", other = ""] = await threePods(namespace);
  await kubectl(cluster, ["annotate", "pod", marked, "-n", namespace, ...mark]);
  await setReady(namespace, broken, false);
  expect(await leftAfterOneGoes(namespace)).toEqual([marked, other].toSorted());
});

test("scaled down by one, the operator marks one pod, that one goes, and a mark on a pod that stays is taken back", async () => {
  const namespace = await testNamespace(cluster);
  await addToken(namespace);
  await testPool(namespace);
  await applyLlama(namespace, "llama", { model: gatedModel("llama-3.1-8b-instruct"), replicas: 3 });
  await untilCondition(namespace, "llama", { type: "Ready", status: "True" });
  const pods = async () => list<ListedPod>(namespace, "pods", "llama-operator.dev/deployment=llama");
  const before = names(await pods());
  const requests = await operatorRequests();

  await editLlama(namespace, "llama", { replicas: 2 });
  const left = await eventually("one is gone", async () => {
    const found = names(await pods());
    return found.length === 2 ? found : undefined;
  });
  const patched = (await requests.since(namespace)).filter(({ resource }) => resource === "pods");
  expect(patched.map(({ verb, name }) => ({ verb, name }))).toEqual([
    { verb: "patch", name: before.find((name) => !left.includes(name)) },
  ]);

  // As a leader leaves it that marked a victim and died, while another pod went in its place.
  const [stays = ""] = left;
  await kubectl(cluster, ["annotate", "pod", stays, "-n", namespace, ...mark]);
  await eventually("the mark is gone", async () => {
    const found = (await pods()).find(({ metadata }) => metadata.name === stays);
    return found?.metadata.annotations?.[deletionCostAnnotation] === undefined ? found : undefined;
  });
  expect(names(await pods()).toSorted()).toEqual(left.toSorted());
});
