// Starts the operator as a process of its own, under the cluster's supervisor, so that it ends with the cluster.
import type { LocalCluster } from "../cluster/options.ts";
import { freePort } from "../free-port.ts";
import { webhookConfiguration } from "../webhook-configuration.ts";
import { llamaOperator, repositoryRoot, run } from "./commands.ts";
import type { Screen } from "./screen.ts";

/** Starts `llama-operator run` and waits until its caches are synced and the API server trusts its webhook. */
export async function startOperator(
  cluster: LocalCluster,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  const [healthPort, metricsPort, webhookPort] = [await freePort(), await freePort(), await freePort()];
  const url = `https://127.0.0.1:${webhookPort}/validate`;
  const configuration = JSON.stringify(webhookConfiguration({ name: "llama-operator", url }));
  const applied = await run([...cluster.kubectl, "apply", "-f", "-"], { signal, input: configuration });
  screen.line(applied.trimEnd());
  const startedSeconds = screen.elapsedSeconds();
  screen.command("llama-operator run");
  await cluster.startProcess({
    name: "operator",
    command: llamaOperator(
      "run",
      `--kubeconfig=${cluster.kubeconfigPath}`,
      `--health-port=${healthPort}`,
      `--metrics-port=${metricsPort}`,
      "--webhook-host=127.0.0.1",
      `--webhook-port=${webhookPort}`,
    ),
    directory: repositoryRoot,
    readyUrl: `http://127.0.0.1:${healthPort}/readyz`,
  });
  const seconds = (screen.elapsedSeconds() - startedSeconds).toFixed(1);
  screen.line(`ready after ${seconds} s; metrics at http://127.0.0.1:${metricsPort}/metrics`);
}
