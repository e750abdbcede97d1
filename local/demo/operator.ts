// Starts the operator as a process of its own, under the cluster's supervisor, so that it ends with the cluster.
import { once } from "node:events";
import { createServer } from "node:net";
import type { LocalCluster } from "../cluster/options.ts";
import { llamaOperator, repositoryRoot } from "./commands.ts";
import type { Screen } from "./screen.ts";

/** Also the name of its log. */
export const operatorProcess = "operator";

/** Starts `llama-operator run` and waits until its caches are synced. */
export async function startOperator(cluster: LocalCluster, screen: Screen): Promise<void> {
  const [healthPort, metricsPort] = [await freePort(), await freePort()];
  const startedSeconds = screen.elapsedSeconds();
  screen.command("llama-operator run");
  await cluster.startProcess({
    name: operatorProcess,
    command: llamaOperator(
      "run",
      ...["--kubeconfig", cluster.kubeconfigPath],
      ...["--health-port", String(healthPort), "--metrics-port", String(metricsPort)],
    ),
    directory: repositoryRoot,
    readyUrl: `http://127.0.0.1:${healthPort}/readyz`,
  });
  const seconds = (screen.elapsedSeconds() - startedSeconds).toFixed(1);
  screen.line(`ready after ${seconds} s; metrics at http://127.0.0.1:${metricsPort}/metrics`);
}

/** A port that nothing listens on now. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0);
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new RangeError("a TCP server has a port");
  return address.port;
}
