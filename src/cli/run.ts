// `llama-operator run`: the operator itself. Reads its flags, connects to the cluster, and runs until it is told to stop
// or loses its lease.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { Command } from "commander";
import {
  operatorConfig,
  startOperator,
  type OperatorConfig,
  type OperatorDependencies,
} from "@llama-operator/operator";
import { createLogger, PrometheusRegistry } from "@llama-operator/operator/telemetry";
import { systemClock } from "@llama-operator/kube-runtime";
import { HttpKubeClient, KubeConnection, loadClusterConfig } from "@llama-operator/kube-runtime/connection";
import { fetchText } from "@llama-operator/kube-runtime/http";
import { configSource, withClusterOptions, type ClusterOptions } from "./cluster-connection.ts";
import { configOf, optionsOf } from "./config-options.ts";
import { CommandError } from "./failure.ts";
import { exitCodes } from "./exit-codes.ts";
import { measuredOverheadsOption, readMeasuredOverheads, type OverheadsOption } from "./overheads/file.ts";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";

interface RunOptions extends ClusterOptions, OverheadsOption {
  /** What {@link operatorConfig} makes of the rest. */
  readonly [flag: string]: unknown;
}

export function runCommand(terminal: Terminal): Command {
  const command = new Command("run").description("Run the operator, in a cluster or with a kubeconfig");
  withClusterOptions(command);
  for (const option of optionsOf(operatorConfig)) command.addOption(option);
  return command
    .addOption(measuredOverheadsOption())
    .action(async (options: RunOptions) => run(configOf(operatorConfig, options), options, terminal));
}

async function run(config: OperatorConfig, options: RunOptions, terminal: Terminal): Promise<void> {
  const measuredOverheads = await readMeasuredOverheads(options.measuredOverheads);
  const logger = createLogger({ level: config.logLevel });
  const { POD_NAME: podName, POD_NAMESPACE: podNamespace } = terminal.env;
  const identity = `${podName ?? hostname()}_${randomUUID()}`;
  const cluster = await loadClusterConfig(configSource(options, terminal));
  const connection = new KubeConnection(cluster, { userAgent: `llama-operator/${version} (${identity})` });
  try {
    logger.info("starting", { version, server: cluster.server, identity });
    const dependencies: OperatorDependencies = {
      newClient: (of) => new HttpKubeClient(connection, of),
      namespace: podNamespace ?? connection.namespace,
      identity,
      replica: podName ?? identity,
      clock: systemClock,
      random: Math.random,
      newId: shortId,
      logger,
      registry: new PrometheusRegistry(),
      fetchText,
      measuredOverheads,
    };
    await startOperator(config, dependencies, terminal.signal);
  } catch (error) {
    throw asRunFailure(error);
  } finally {
    await connection.close();
  }
}

function asRunFailure(error: unknown): unknown {
  const { code, syscall, port } = error as { code?: unknown; syscall?: unknown; port?: unknown };
  if (code !== "EADDRINUSE" || syscall !== "listen") return error;
  return new CommandError(
    `port ${String(port)} is in use; choose --health-port, --metrics-port and --webhook-port`,
    { code: exitCodes.error, cause: error },
  );
}

function shortId(): string {
  return randomUUID().slice(0, 8);
}
