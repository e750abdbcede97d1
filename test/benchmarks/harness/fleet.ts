// LlamaDeployments at rest with all their pods, made once by the operator itself: what most benchmarks run over.
import { setTimeout as sleep } from "node:timers/promises";
import { gpuPools } from "../../../src/llama/api/resources.ts";
import type { KubeObject } from "../../../src/kube-runtime/client/object.ts";
import { resourceType } from "../../../src/kube-runtime/client/resource.ts";
import type { Bench, LeaseTimes } from "../benchmark.ts";
import { isWrite } from "./audit-log.ts";
import type { BenchCluster } from "./cluster.ts";
import { createAll, createNamespace, deploymentType, manifest, nameOf } from "./load.ts";
import { OperatorProcess } from "./operator-process.ts";

export interface Fleet {
  readonly namespace: string;
  /** LlamaDeployments. */
  readonly size: number;
  readonly pods: number;
  /** Of the operator that saw all of it come, in bytes. */
  readonly peakResidentBytes: number;
}

const namespace = "fleet";

/** Makes the fleet, one pod each, and waits until every LlamaDeployment is Ready; no operator runs afterwards. */
export async function makeFleet(bench: Bench, cluster: BenchCluster): Promise<Fleet> {
  const { signal, say, sizes } = bench;
  const { deployments: size } = sizes;
  say(`making ${size} LlamaDeployments with a pod each`);
  await createNamespace(cluster.client, namespace, signal);
  return attended(bench, cluster, size, size, async () => {
    const manifests = Array.from({ length: size }, (_, index) => manifest(namespace, nameOf(index), 1));
    await createAll(cluster.client, manifests, signal);
  });
}

/** Scales every LlamaDeployment, and waits until all are Ready again. */
export async function growFleet(bench: Bench, cluster: BenchCluster, fleet: Fleet): Promise<Fleet> {
  const { signal, say, sizes } = bench;
  const replicas = sizes.podsPerDeployment;
  const pods = fleet.size * replicas;
  say(`scaling to ${pods} pods`);
  return attended(bench, cluster, fleet.size, pods, async () => {
    for (let index = 0; index < fleet.size; index += 1) {
      const ref = { namespace, name: nameOf(index) };
      await cluster.client.mergePatch(deploymentType, ref, { spec: { replicas } }, { signal });
    }
  });
}

/** Changes the fleet with an operator at work, until all is at rest. */
async function attended(
  bench: Bench,
  cluster: BenchCluster,
  size: number,
  pods: number,
  change: () => Promise<void>,
): Promise<Fleet> {
  const { signal } = bench;
  await using operator = startOperator(cluster, "fleet-maker");
  await operator.leading(signal);
  await change();
  await allReady(cluster, size, pods / size, bench);
  await allCounted(cluster, pods, bench);
  const peakResidentBytes = await operator.peakResidentBytes();
  await operator.stop();
  await quiet(cluster, bench);
  return { namespace, size, pods, peakResidentBytes };
}

/** The program as it ships, on this cluster. */
export function startOperator(cluster: BenchCluster, name: string, lease?: LeaseTimes): OperatorProcess {
  const { local, profileFolder } = cluster;
  return OperatorProcess.start({
    kubeconfig: local.kubeconfigPath,
    name,
    profileFolder,
    ...(lease === undefined ? {} : { lease }),
  });
}

async function allReady(
  cluster: BenchCluster,
  size: number,
  replicas: number,
  { signal, say }: Bench,
): Promise<void> {
  let told = -1;
  for (;;) {
    const { items } = await cluster.client.list(deploymentType, { namespace, signal });
    const ready = items.filter(
      ({ status }) =>
        status?.readyReplicas === replicas &&
        status.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True"),
    ).length;
    if (ready === size) return;
    if (ready >= told + size / 10) {
      say(`  ${ready} of ${size} are Ready`);
      told = ready;
    }
    await sleep(2000, undefined, { signal });
  }
}

interface Pool extends KubeObject {
  readonly status?: { readonly gpus?: { readonly used?: number } };
}

/** The pool's counts are written at most every half minute: the last of them is part of coming to rest. */
async function allCounted({ client }: BenchCluster, gpus: number, { signal }: Bench): Promise<void> {
  const pools = resourceType<Pool>(gpuPools);
  for (;;) {
    const { items } = await client.list(pools, { signal });
    if (items.every(({ status }) => status?.gpus?.used === gpus)) return;
    await sleep(500, undefined, { signal });
  }
}

/** Writes in two seconds that a control plane at rest still makes: leases and heartbeats of nodes. */
const quietWrites = 100;

/** The rest of the control plane goes on for a while after the last pod is Ready: events, budgets, counts. */
async function quiet({ audit }: BenchCluster, { signal, say }: Bench): Promise<void> {
  say("  waiting for the control plane to come to rest");
  for (let from = await audit.mark(); ;) {
    await sleep(2000, undefined, { signal });
    const { entries, next } = await audit.read(from, "", { settled: false });
    from = next;
    if (entries.filter(isWrite).length < quietWrites) return;
  }
}
