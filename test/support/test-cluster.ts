// A cluster for a whole run of tests, with four H100 nodes and the agent. It is attached to the process that starts it,
// so that a killed test run leaves nothing behind.

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentProcess } from "../../local/cluster/agent-process.ts";
import { showBuildProgress } from "../../local/cluster/build/progress.ts";
import { clusterClient } from "../../local/cluster/client.ts";
import { startCluster } from "../../local/cluster/cluster.ts";
import { addNodes } from "../../local/cluster/nodes.ts";
import type { LocalCluster } from "../../local/cluster/options.ts";
import type { ProvidedCluster } from "./cluster.ts";
import { machineShape } from "./machine-shape.ts";

const nodeCount = 4;

/** 405B loads in seconds, and tokens come as fast as a test can read them. */
const agentFlags = ["--speedup", "100", "--generation-speedup", "20", "--kubelet-speedup", "10"] as const;

export async function testCluster(name: string): Promise<LocalCluster> {
  const show = showBuildProgress(process.stderr);
  const cluster = await startCluster({
    name,
    stateDir: await mkdtemp(join(tmpdir(), "llama-operator-test-")),
    audit: true,
    processes: agentProcess(...agentFlags),
    onEvent: (event) => {
      if (event.kind !== "ready") {
        show(event);
      }
    },
  });
  await using connection = await clusterClient(cluster.kubeconfigPath);
  await addNodes(connection.client, machineShape("a3-highgpu-8g"), nodeCount, cluster);
  return cluster;
}

/** What can be sent to another process: the facts without the functions. */
export async function provided(cluster: LocalCluster): Promise<ProvidedCluster> {
  const { name, stateDir, addressBlock, podCidr, server, caFile, ports, kubectl } = cluster;
  const { kubeconfigPath, agentKubeconfigPath, auditLogPath, proxyUrl } = cluster;
  return {
    name,
    stateDir,
    addressBlock,
    podCidr,
    kubeconfigPath,
    agentKubeconfigPath,
    ...(auditLogPath === undefined ? {} : { auditLogPath }),
    server,
    caFile,
    ports,
    kubectl,
    proxyUrl,
  };
}
