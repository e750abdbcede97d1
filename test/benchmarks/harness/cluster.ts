// The cluster that a benchmark runs in: a control plane with an audit log, pods that are Ready at once, the kinds
// of this project, one pool of H100 nodes.
import { customResourceDefinitions } from "../../../src/llama/api/crd.ts";
import { apiGroupVersion, gpuPools } from "../../../src/llama/api/resources.ts";
import { findMachineShape, type MachineShape } from "../../../src/llama/catalog/machine-shapes.ts";
import { loadClusterConfig } from "../../../src/kube-runtime/connection/config/config.ts";
import { KubeConnection } from "../../../src/kube-runtime/connection/http/connection.ts";
import { HttpKubeClient } from "../../../src/kube-runtime/connection/http/http-client.ts";
import type { KubeObject } from "../../../src/kube-runtime/client/object.ts";
import { resourceType } from "../../../src/kube-runtime/client/resource.ts";
import { startCluster } from "../../../local/cluster/cluster.ts";
import { addNodes } from "../../../local/cluster/nodes.ts";
import type { LocalCluster } from "../../../local/cluster/options.ts";
import { untilSucceeds } from "../../../local/cluster/readiness.ts";
import type { Bench } from "../benchmark.ts";
import { AuditLog } from "./audit-log.ts";

export interface BenchCluster extends AsyncDisposable {
  readonly local: LocalCluster;
  readonly audit: AuditLog;
  /** The benchmark's own client, under the user agent `llama-benchmark`. */
  readonly client: HttpKubeClient;
  /** Kubernetes's version. */
  readonly version: string;
  readonly profileFolder: string | undefined;
}

/** What the benchmark's own requests carry in the audit log. */
export const benchmarkAgent = "llama-benchmark";

const shapeName = "a3-highgpu-8g";

/**
 * Nodes are ten times the machine that they look like. With real ones, the leases and heartbeats of 1,250 simulated
 * kubelets would take a small machine for themselves.
 */
const machinesPerNode = 10;

/** GPUs of one node of the pool. */
export const gpusPerNode = 8 * machinesPerNode;

const crds = resourceType({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
});

/** Starts a cluster with that many nodes. The caller disposes of it. */
export async function startBenchCluster(bench: Bench, nodes: number): Promise<BenchCluster> {
  const { signal, say } = bench;
  say(`starting a cluster with ${nodes} nodes of ${gpusPerNode} H100`);
  const local = await startCluster({
    name: `bench-${process.pid}`,
    audit: true,
    pods: "instant",
    signal,
  });
  try {
    return await prepare(local, nodes, bench);
  } catch (error) {
    await local.stop();
    throw error;
  }
}

async function prepare(local: LocalCluster, nodes: number, bench: Bench): Promise<BenchCluster> {
  const { signal, profileFolder } = bench;
  const { auditLogPath } = local;
  if (auditLogPath === undefined) throw new Error("the cluster was started without an audit log");
  const config = await loadClusterConfig({ kubeconfig: local.kubeconfigPath, env: {} });
  const connection = new KubeConnection(config, { userAgent: benchmarkAgent });
  // A machine that is busy making ten thousand pods answers late.
  const client = new HttpKubeClient(connection, { requestTimeoutMs: 120_000 });
  const { gitVersion } = JSON.parse(await client.raw("/version")) as { gitVersion: string };
  for (const definition of customResourceDefinitions()) {
    await client.apply(crds, definition, { fieldManager: benchmarkAgent, signal });
  }
  const pools = resourceType(gpuPools);
  await untilSucceeds(async () => client.apply(pools, pool, { fieldManager: benchmarkAgent }), signal);
  if (nodes > 0) await addNodes(client, largeShape(), nodes, { addressBlock: local.addressBlock }, signal);
  return {
    local,
    client,
    audit: new AuditLog(auditLogPath),
    version: gitVersion,
    profileFolder,
    async [Symbol.asyncDispose]() {
      await connection.close();
      await local.stop();
    },
  };
}

function largeShape(): MachineShape {
  const shape = findMachineShape(shapeName);
  if (shape === undefined) throw new Error(`no machine shape ${shapeName}`);
  const { cpuMillicores, memoryBytes, ephemeralStorageBytes } = shape.allocatable;
  return {
    ...shape,
    gpusPerNode,
    cpuCores: shape.cpuCores * machinesPerNode,
    memoryBytes: shape.memoryBytes * machinesPerNode,
    allocatable: {
      ...shape.allocatable,
      cpuMillicores: cpuMillicores * machinesPerNode,
      memoryBytes: memoryBytes * machinesPerNode,
      ephemeralStorageBytes: ephemeralStorageBytes * machinesPerNode,
    },
  };
}

/** As people write it: the API server fills in the defaults. */
const pool: KubeObject & { readonly spec: object } = {
  apiVersion: apiGroupVersion,
  kind: "GpuPool",
  metadata: { name: "h100" },
  spec: {
    gpu: { product: "nvidia-h100-80gb", perNode: 8 },
    machineShape: shapeName,
    nodeSelector: { "node.kubernetes.io/instance-type": shapeName },
    tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }],
  },
};
