// LlamaDeployments at rest with all their pods, made once by the operator itself: what most benchmarks run over.
import { setTimeout as sleep } from "node:timers/promises";
import { gpuPools } from "../../../src/api/resources.ts";
import type { KubeObject } from "../../../src/kube/object.ts";
import { resourceType } from "../../../src/kube/resource.ts";
import type { Bench, LeaseTimes } from "../benchmark.ts";
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

/** Makes the fleet and waits until every LlamaDeployment is Ready; no operator runs afterwards. */
export async function makeFleet(bench: Bench, cluster: BenchCluster): Promise<Fleet> {
  const { signal, say, sizes } = bench;
  const { deployments: size, podsPerDeployment } = sizes;
  const pods = size * podsPerDeployment;
  say(`making ${size} LlamaDeployments with ${pods} pods`);
  await createNamespace(cluster.client, namespace, signal);
  await using operator = startOperator(cluster, "fleet-maker");
  await operator.leading(signal);
  const manifests = Array.from({ length: size }, (_, index) =>
    manifest(namespace, nameOf(index), podsPerDeployment),
  );
  await createAll(cluster.client, manifests, signal);
  await allReady(cluster, size, bench);
  await allCounted(cluster, pods, bench);
  const peakResidentBytes = await operator.peakResidentBytes();
  await operator.stop();
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

async function allReady(cluster: BenchCluster, size: number, { signal, say }: Bench): Promise<void> {
  let told = -1;
  for (;;) {
    const { items } = await cluster.client.list(deploymentType, { namespace, signal });
    const ready = items.filter(({ status }) =>
      status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True"),
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
