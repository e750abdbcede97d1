// `llama-operator run`: the operator itself. Reads its flags, wires runtime and controllers, and runs until it is
// told to stop or loses its lease.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { Command, Option } from "commander";
import { makeWebhook, type Webhook } from "@llama-operator/operator/admission";
import { makeOperator, type Operator } from "@llama-operator/operator";
import { loadClusterConfig, KubeConnection, HttpKubeClient } from "@llama-operator/kube-runtime/connection";
import { Cache } from "@llama-operator/kube-runtime/cache";
import { systemClock, type Clock, type Logger, RuntimeMetrics } from "@llama-operator/kube-runtime";
import { getPage } from "@llama-operator/kube-runtime/http";
import {
  monitorEventLoop,
  EventRecorder,
  HealthServer,
  LeaseElector,
  Manager,
  type Runnable,
} from "@llama-operator/kube-runtime/process";
import { createLogger, type LogLevel, PrometheusRegistry } from "@llama-operator/operator/telemetry";
import { configSource, withClusterOptions, type ClusterOptions } from "./cluster-connection.ts";
import { CommandError } from "./failure.ts";
import { exitCodes } from "./exit-codes.ts";
import { measuredOverheadsOption, readMeasuredOverheads, type OverheadsOption } from "./overheads/file.ts";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";

interface RunOptions extends ClusterOptions, OverheadsOption {
  readonly leaderElect: boolean;
  readonly leaseNamespace?: string;
  readonly leaseDuration: number;
  readonly renewDeadline: number;
  readonly retryPeriod: number;
  readonly healthPort: number;
  readonly metricsPort: number;
  readonly webhookPort?: number;
  readonly webhookHost?: string;
  readonly webhookConfiguration: string;
  readonly workers: number;
  readonly engineReports: boolean;
  readonly logLevel: LogLevel;
}

const leaseName = "llama-operator";

export function runCommand(terminal: Terminal): Command {
  const command = new Command("run").description("Run the operator, in a cluster or with a kubeconfig");
  return withClusterOptions(command)
    .option("--no-leader-elect", "take it that no other operator runs")
    .option("--lease-namespace <name>", "namespace of the lease; else $POD_NAMESPACE or the kubeconfig's")
    .addOption(seconds("--lease-duration", "how long others wait for a holder that is silent", 15))
    .addOption(seconds("--renew-deadline", "how long the holder writes without having renewed", 10))
    .addOption(seconds("--retry-period", "time between two tries to renew", 2))
    .addOption(integer("--health-port", "port of /healthz and /readyz; 0 takes a free one", 8081, 0))
    .addOption(integer("--metrics-port", "port of /metrics; 0 takes a free one", 8080, 0))
    .addOption(
      integer(
        "--webhook-port",
        "port of the validating webhook; 0 takes a free one; without it there is none",
        undefined,
        0,
      ),
    )
    .option("--webhook-host <address>", "address that the webhook listens at; all by default")
    .option(
      "--webhook-configuration <name>",
      "ValidatingWebhookConfiguration that says how the webhook is called",
      "llama-operator",
    )
    .addOption(integer("--workers", "LlamaDeployments reconciled side by side", 16, 1))
    .addOption(measuredOverheadsOption())
    .option("--no-engine-reports", "do not ask engines how large their KV cache came out")
    .addOption(
      new Option("--log-level <level>", "least important lines to log, as JSON on standard error")
        .choices(["debug", "info", "warn", "error", "silent"])
        .default("info"),
    )
    .action(async (options: RunOptions) => runOperator(options, terminal));
}

async function runOperator(options: RunOptions, terminal: Terminal): Promise<void> {
  const measuredOverheads = await readMeasuredOverheads(options.measuredOverheads);
  const clock = systemClock;
  const logger = createLogger({ level: options.logLevel });
  const registry = new PrometheusRegistry();
  const metrics = new RuntimeMetrics(registry);
  const identity = `${terminal.env["POD_NAME"] ?? hostname()}_${randomUUID()}`;
  const config = await loadClusterConfig(configSource(options, terminal));
  const connection = new KubeConnection(config, { userAgent: `llama-operator/${version} (${identity})` });
  try {
    const shared = { clock, random: Math.random, logger, metrics };
    const elector = options.leaderElect
      ? leaseElector(options, terminal, connection, identity, shared)
      : undefined;
    const client = new HttpKubeClient(connection, elector === undefined ? {} : { fence: elector.fence });
    const cache = new Cache({ ...shared, client });
    const recorder = new EventRecorder({
      ...shared,
      client,
      controller: "llama-operator.dev/operator",
      instance: identity,
    });
    const { workers } = options;
    const operator = makeOperator({
      ...shared,
      client,
      cache,
      recorder,
      registry,
      ...(options.engineReports ? { getPage } : {}),
      measuredOverheads,
      newId: shortId,
      workers,
    });
    const webhook = webhookOf(options, terminal, { ...shared, connection, cache, identity, operator });
    const manager = new Manager({
      cache,
      ...(elector === undefined ? {} : { elector }),
      recorder,
      always: [
        ...servers(options, cache, webhook, registry, logger),
        ...(webhook === undefined ? [] : [webhook]),
        stallMonitor(metrics, logger),
      ],
      leading: operator.controllers,
      clock,
      logger,
    });
    logger.info("starting", { version, server: config.server, identity });
    await manager.run(terminal.signal);
  } catch (error) {
    throw asRunFailure(error);
  } finally {
    await connection.close();
  }
}

/** Half of the renew deadline is left to a request, so that one that hangs leaves time for another. */
function leaseElector(
  options: RunOptions,
  terminal: Terminal,
  connection: KubeConnection,
  identity: string,
  shared: Shared,
): LeaseElector {
  const { leaseDuration, renewDeadline, retryPeriod } = options;
  const namespace = options.leaseNamespace ?? terminal.env["POD_NAMESPACE"] ?? connection.namespace;
  return new LeaseElector({
    ...shared,
    client: new HttpKubeClient(connection, {
      lane: "lease",
      requestTimeoutMs: (renewDeadline * 1000) / 2,
      maxRetryWaitMs: 0,
    }),
    ref: { namespace, name: leaseName },
    identity,
    leaseDurationSeconds: leaseDuration,
    renewDeadlineSeconds: renewDeadline,
    retryPeriodSeconds: retryPeriod,
    gauge: shared.metrics.leader(leaseName),
  });
}

interface Shared {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: RuntimeMetrics;
}

/** The webhook, where the flags ask for one. */
function webhookOf(
  options: RunOptions,
  terminal: Terminal,
  parts: Shared & {
    readonly connection: KubeConnection;
    readonly cache: Cache;
    readonly identity: string;
    readonly operator: Operator;
  },
): Webhook | undefined {
  const { webhookPort: port, webhookHost: host, webhookConfiguration: configuration } = options;
  if (port === undefined) return undefined;
  const { connection, cache, identity, operator, ...shared } = parts;
  return makeWebhook({
    ...shared,
    port,
    host,
    configuration,
    owner: terminal.env["POD_NAME"] ?? identity,
    planning: operator.planning,
    isSynced: () => cache.hasSynced,
    client: new HttpKubeClient(connection),
  });
}

/** A standby is ready: its caches are, and its webhook is trusted. */
function servers(
  options: RunOptions,
  cache: Cache,
  webhook: Webhook | undefined,
  registry: PrometheusRegistry,
  logger: Logger,
): readonly Runnable[] {
  const caches = (): string | undefined =>
    cache.hasSynced ? undefined : `waiting for a list of ${cache.unsynced.join(", ")}`;
  const ready = { caches, ...(webhook === undefined ? {} : { webhook: webhook.waiting }) };
  return [
    serverRunnable("health", new HealthServer({ port: options.healthPort, ready }), logger),
    serverRunnable(
      "metrics",
      new HealthServer({ port: options.metricsPort, ready: {}, metrics: async () => registry.page() }),
      logger,
    ),
  ];
}

function serverRunnable(name: string, server: HealthServer, logger: Logger): Runnable {
  return {
    name,
    async run({ stop }) {
      const port = await server.listen();
      logger.info("listening", { server: name, port });
      const { promise, resolve } = Promise.withResolvers<void>();
      if (stop.aborted) resolve();
      stop.addEventListener("abort", () => resolve(), { once: true });
      await promise;
      await server.close();
    },
  };
}

function stallMonitor(metrics: RuntimeMetrics, logger: Logger): Runnable {
  const gauge = metrics.eventLoopStallSeconds();
  return {
    name: "event-loop",
    run: async ({ stop }) => monitorEventLoop({ clock: systemClock, logger, gauge }, stop),
  };
}

function asRunFailure(error: unknown): unknown {
  const { code, syscall, port } = error as { code?: unknown; syscall?: unknown; port?: unknown };
  if (code !== "EADDRINUSE" || syscall !== "listen") return error;
  return new CommandError(
    `port ${String(port)} is in use; choose --health-port, --metrics-port and --webhook-port`,
    {
      code: exitCodes.error,
      cause: error,
    },
  );
}

function seconds(flag: string, description: string, byDefault: number): Option {
  return integer(flag, `${description}, in seconds`, byDefault, 1);
}

function integer(flag: string, description: string, byDefault: number | undefined, least: number): Option {
  return new Option(`${flag} <number>`, description).default(byDefault).argParser((text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= 65_535) return value;
    throw new CommandError(`${flag} ${text}: must be a whole number from ${least} to 65535`, {
      code: exitCodes.usage,
    });
  });
}

function shortId(): string {
  return randomUUID().slice(0, 8);
}
