// The demo from beginning to end: what is started is stopped, whatever happens between.
import { clusterClient } from "../cluster/client.ts";
import { LocalClusterError } from "../cluster/errors.ts";
import { openCluster } from "../cluster/kept.ts";
import type { LocalCluster } from "../cluster/options.ts";
import { startSimulatedCluster } from "../simulated-cluster.ts";
import { showClusterProgress } from "./cluster-progress.ts";
import { startOperator } from "./operator.ts";
import {
  applyExamples,
  chatWithEach,
  installKinds,
  killReplica,
  scaleByHand,
  showGroup,
  watchUntilReady,
} from "./scenario.ts";
import { duration } from "./screen.ts";
import type { Screen } from "./screen.ts";
import { whatToTry } from "./what-to-try.ts";

/** The demo's cluster. */
export const clusterName = "demo";

const machineShape = "a3-highgpu-8g";
const nodeCount = 4;
/** 405B in BF16 takes minutes to load; a demo has seconds. */
const loadSpeedup = 30;

export interface DemoOptions {
  readonly keep: boolean;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

/** Runs the six steps. @throws what went wrong, after everything has been stopped */
export async function runDemo({ keep, screen, signal }: DemoOptions): Promise<void> {
  const { cluster, proxyUrl } = await startSimulatedCluster({
    name: clusterName,
    detached: keep,
    nodes: { shape: machineShape, count: nodeCount },
    loadSpeedup,
    onEvent: showClusterProgress(screen),
    signal,
  });
  let outcome: "done" | "failed" | "interrupted" = "failed";
  try {
    await using connection = await clusterClient(cluster.kubeconfigPath);
    const stage = { cluster, client: connection.client, proxyUrl, screen, signal };
    screen.line(
      `${nodeCount} nodes ${machineShape}, 8 x H100 80 GB each (simulated); API server ${cluster.server}`,
    );

    screen.heading("3/6", "The operator, a pool, and five LlamaDeployments");
    await installKinds(stage);
    await startOperator(cluster, screen, signal);
    await applyExamples(stage);

    screen.heading(
      "4/6",
      `Until each is Ready (they load ${loadSpeedup} times faster than real ones), then a chat with each`,
    );
    await watchUntilReady(stage);
    await showGroup(stage);
    await chatWithEach(stage);

    screen.heading("5/6", "A replica is killed and comes back");
    await killReplica(stage);

    screen.heading("6/6", "Scaled by hand");
    await scaleByHand(stage);
    outcome = "done";
  } catch (error) {
    if (signal.aborted) outcome = "interrupted";
    else await showState(cluster, screen);
    throw error;
  } finally {
    await end(cluster, outcome, keep, screen);
  }
  screen.line();
  if (keep) for (const line of whatToTry(cluster, proxyUrl)) screen.line(line);
  else screen.line("Keep it next time: npm start -- --keep");
  screen.line(`Done in ${duration(screen.elapsedSeconds())}.`);
}

async function end(
  cluster: LocalCluster,
  outcome: "done" | "failed" | "interrupted",
  keep: boolean,
  screen: Screen,
): Promise<void> {
  if (outcome === "done" && keep) return;
  screen.line();
  screen.line("stopping everything");
  const failed = outcome === "failed";
  await cluster.stop({ keepState: failed });
  if (failed) screen.line(`logs are kept in ${cluster.stateDir}/logs`);
}

/** What a user would look at first. */
async function showState(cluster: LocalCluster, screen: Screen): Promise<void> {
  screen.heading("---", "What the cluster said last");
  const tail = await cluster.logsTail(5).catch((error: unknown) => String(error));
  for (const line of tail.split("\n")) screen.line(line);
}

/** Stops what `--keep` left. @returns false where nothing ran */
export async function stopDemo(screen: Screen): Promise<boolean> {
  try {
    const cluster = await openCluster({ name: clusterName });
    screen.line("stopping the cluster and the operator");
    await cluster.stop();
    return true;
  } catch (error) {
    if (error instanceof LocalClusterError && error.code === "NotRunning") return false;
    throw error;
  }
}
