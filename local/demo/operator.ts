// Starts the operator as a process of its own, under the cluster's supervisor, so that it ends with the cluster.
import type { LocalCluster } from "../cluster/options.ts";
import { freePort } from "../free-port.ts";
import { llamaOperator, repositoryRoot } from "./commands.ts";
import type { Screen } from "./screen.ts";

/** Starts `llama-operator run` and waits until its caches are synced. */
export async function startOperator(cluster: LocalCluster, screen: Screen): Promise<void> {
  const [healthPort, metricsPort] = [await freePort(), await freePort()];
  const startedSeconds = screen.elapsedSeconds();
  screen.command("llama-operator run");
  await cluster.startProcess({
    name: "operator",
    command: llamaOperator(
      "run",
      `--kubeconfig=${cluster.kubeconfigPath}`,
      `--health-port=${healthPort}`,
      `--metrics-port=${metricsPort}`,
    ),
    directory: repositoryRoot,
    readyUrl: `http://127.0.0.1:${healthPort}/readyz`,
  });
  const seconds = (screen.elapsedSeconds() - startedSeconds).toFixed(1);
  screen.line(`ready after ${seconds} s; metrics at http://127.0.0.1:${metricsPort}/metrics`);
}
