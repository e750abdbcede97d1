// The local stack's cluster: the one that runs, or a new one that stays until it is stopped.
import { showBuildProgress } from "../../local/cluster/build/progress.ts";
import { openCluster } from "../../local/cluster/kept.ts";
import { LocalClusterError } from "../../local/cluster/errors.ts";
import type { ClusterFacts } from "../../local/cluster/options.ts";
import { findMachineShape } from "@llama-operator/llama/catalog";
import { startSimulatedCluster } from "../../local/simulated-cluster.ts";
import type { StackConfiguration } from "../config/stack-configuration.ts";
import { CommandError, exitCodes, type Terminal } from "@llama-operator/cli";

/** 405B takes minutes to load; a person at a terminal has less. */
const loadSpeedup = 30;

/** @throws CommandError where it cannot be started */
export async function localCluster(
  name: string,
  { pools }: StackConfiguration,
  terminal: Terminal,
): Promise<ClusterFacts> {
  try {
    return await openCluster({ name });
  } catch (error) {
    if (!(error instanceof LocalClusterError) || error.code !== "NotRunning") throw error;
  }
  const [pool, ...others] = pools;
  const shape = findMachineShape(pool?.machineShape ?? "");
  if (pool === undefined || shape === undefined || others.length > 0) {
    throw new CommandError(
      "pools: a local cluster is started with the nodes of exactly one pool, which names its machineShape; start others with `llama-operator local up`",
      { code: exitCodes.usage },
    );
  }
  const progress = showBuildProgress({
    isTTY: terminal.err.isTerminal,
    write: (text) => terminal.err.write(text),
  });
  terminal.err.write(`starting the local cluster ${name}: ${pool.nodes.min} nodes ${shape.name}\n`);
  const { cluster } = await startSimulatedCluster({
    name,
    detached: true,
    nodes: { shape: shape.name, count: pool.nodes.min },
    loadSpeedup,
    onEvent: (event) => {
      if (event.kind !== "ready") progress(event);
    },
    signal: terminal.signal,
  });
  return cluster;
}
