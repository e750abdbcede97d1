// A local cluster with simulated GPU nodes and the agent beside it: what the demo and `llama-operator local up` start.
import { join } from "node:path";
import { findMachineShape, machineShapes } from "@llama-operator/llama/catalog";
import { agentProcess } from "./cluster/agent-process.ts";
import { clusterClient } from "./cluster/client.ts";
import { startCluster } from "./cluster/cluster.ts";
import { LocalClusterError } from "./cluster/errors.ts";
import { addNodes, addSystemNode } from "./cluster/nodes.ts";
import type { ClusterEvent, ClusterFacts, ClusterProcess, LocalCluster } from "./cluster/options.ts";

export interface SimulatedClusterOptions {
  readonly name: string;
  /** See ClusterOptions.detached. */
  readonly detached: boolean;
  readonly nodes: { readonly shape: string; readonly count: number };
  /** How many times faster than real ones engines start and load their weights. */
  readonly loadSpeedup: number;
  readonly onEvent: (event: ClusterEvent) => void;
  readonly signal: AbortSignal;
}

export interface SimulatedCluster {
  readonly cluster: LocalCluster;
  /** An HTTP proxy that stands for the cluster's DNS and kube-proxy. */
  readonly proxyUrl: string;
}

/** Builds, starts and fills a cluster. @throws LocalClusterError, with nothing left running */
export async function startSimulatedCluster(options: SimulatedClusterOptions): Promise<SimulatedCluster> {
  const { name, detached, nodes, onEvent, signal } = options;
  const shape = findMachineShape(nodes.shape);
  if (shape === undefined) {
    const known = machineShapes.map((each) => each.name).join(", ");
    throw new LocalClusterError("InvalidOptions", `no machine shape ${nodes.shape}; known: ${known}`);
  }
  const cluster = await startCluster({
    name,
    detached,
    processes: (facts) => agentOf(facts, options.loadSpeedup),
    onEvent,
    signal,
  });
  try {
    await using connection = await clusterClient(cluster.kubeconfigPath);
    await addNodes(connection.client, shape, nodes.count, cluster, signal);
    await addSystemNode(connection.client, shape.cloud, cluster, signal);
    return { cluster, proxyUrl: cluster.proxyUrl };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** Kubelets that probe ten times as often; answers come at the speed of real engines. */
function agentOf(facts: ClusterFacts, loadSpeedup: number): readonly ClusterProcess[] {
  return agentProcess(
    `--speedup=${loadSpeedup}`,
    "--generation-speedup=1",
    "--kubelet-speedup=10",
    `--log-dir=${join(facts.stateDir, "pod-logs")}`,
  )(facts);
}
