// The composition root: everything that an operator is made of, put together in one place, for the command line, for
// tests and benchmarks that run it in their own process, and for simulations. What touches the world outside (the API
// server, time, chance, other machines' ports) comes in as a dependency.
import type { MeasuredOverhead } from "@llama-operator/llama/api";
import { type Clock, type Logger, type MetricsRegistry, RuntimeMetrics } from "@llama-operator/kube-runtime";
import { Cache } from "@llama-operator/kube-runtime/cache";
import type { KubeClient } from "@llama-operator/kube-runtime/client";
import type { HttpClientOptions } from "@llama-operator/kube-runtime/connection";
import type { Controller } from "@llama-operator/kube-runtime/controller";
import type { FetchText } from "@llama-operator/kube-runtime/http";
import {
  EventRecorder,
  LeaseElector,
  Manager,
  requireServerVersion,
  runtimeServerVersion,
  type Runnable,
} from "@llama-operator/kube-runtime/process";
import { makeWebhook, type Webhook } from "./admission/webhook.ts";
import type { OperatorConfig } from "./config.ts";
import { makeControllers } from "./operator.ts";
import type { PlanningView } from "./llama-deployment/plan/planning-view.ts";
import { healthServer, metricsServer, stallMonitor, type MetricsPage } from "./servers.ts";

export interface OperatorDependencies {
  /**
   * Makes the clients of the one API server, which differ in fence, lane and timeouts: `(options) => new
   * HttpKubeClient(connection, options)`. A simulation gives the same client each time and takes no lease.
   */
  readonly newClient: (options: HttpClientOptions) => KubeClient;
  /** The operator's own namespace: where its lease lies unless the configuration says otherwise. */
  readonly namespace: string;
  /** Unique to this process: in the lease, and as the reporter of events. */
  readonly identity: string;
  /** Names this replica among those whose webhook certificates are published side by side: the pod's name. */
  readonly replica: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Ids of reconciles, for the log. */
  readonly newId: () => string;
  readonly logger: Logger;
  /** Its page is what /metrics serves. */
  readonly registry: MetricsRegistry & { page?(): Promise<MetricsPage> };
  /** How engines are asked for their metrics. */
  readonly fetchText: FetchText;
  /** Overheads of running engines that planning goes by. */
  readonly measuredOverheads: readonly MeasuredOverhead[];
  /** Default 120; more where `clock` runs faster than the API server. */
  readonly cacheSyncTimeoutSeconds?: number | undefined;
}

export interface Operator {
  readonly controllers: readonly Controller[];
  readonly cache: Pick<Cache, "hasSynced" | "waitForSync">;
  /** What the webhook plans with. */
  readonly planning: PlanningView;
  /** Runs until the signal is aborted, and returns after an orderly stop. @throws what ended it otherwise */
  run(signal: AbortSignal): Promise<void>;
}

/** The name of the lease and, in the log and the metrics, of what it elects. */
const leaseName = "llama-operator";

/** Runs an operator until the signal is aborted. @throws what ended it otherwise */
export async function startOperator(
  config: OperatorConfig,
  dependencies: OperatorDependencies,
  signal: AbortSignal,
): Promise<void> {
  await composeOperator(config, dependencies).run(signal);
}

/** Puts an operator together; nothing is sent before it runs. */
export function composeOperator(config: OperatorConfig, dependencies: OperatorDependencies): Operator {
  const { newClient, clock, random, logger, registry, identity, measuredOverheads } = dependencies;
  const metrics = new RuntimeMetrics(registry);
  const shared = { clock, random, logger, metrics };
  const elector = config.leaderElect ? leaseElector(config, dependencies, metrics) : undefined;
  const client = newClient({ fence: elector?.fence });
  const cache = new Cache({ ...shared, client });
  const recorder = new EventRecorder({
    ...shared,
    client,
    controller: "llama-operator.dev/operator",
    instance: identity,
  });
  const { controllers, engineMetrics, planning } = makeControllers({
    ...shared,
    client,
    cache,
    recorder,
    registry,
    fetchText: dependencies.fetchText,
    engineReports: config.engineReports,
    measuredOverheads,
    newId: dependencies.newId,
    workers: config.workers,
  });
  const webhook = webhookOf(config, dependencies, { metrics, cache, planning });
  const manager = new Manager({
    cache,
    elector,
    recorder,
    preflight: async (signal) => requireServerVersion(client, { ...runtimeServerVersion, ...shared, signal }),
    always: besideControllers(config, dependencies, { metrics, cache, webhook }),
    leading: [...controllers, engineMetrics],
    clock,
    logger,
    cacheSyncTimeoutSeconds: dependencies.cacheSyncTimeoutSeconds,
  });
  return { controllers, cache, planning, run: async (signal) => manager.run(signal) };
}

/** Half of the renew deadline is left to a request, so that one that hangs leaves time for another. */
function leaseElector(
  config: OperatorConfig,
  { newClient, namespace, identity, clock, random, logger }: OperatorDependencies,
  metrics: RuntimeMetrics,
): LeaseElector {
  const { leaseNamespace, leaseDurationSeconds, renewDeadlineSeconds, retryPeriodSeconds } = config;
  const requestTimeoutMs = (renewDeadlineSeconds * 1000) / 2;
  return new LeaseElector({
    client: newClient({ lane: "lease", requestTimeoutMs, maxRetryWaitMs: 0 }),
    ref: { namespace: leaseNamespace ?? namespace, name: leaseName },
    identity,
    leaseDurationSeconds,
    renewDeadlineSeconds,
    retryPeriodSeconds,
    clock,
    random,
    logger,
    gauge: metrics.leader(leaseName),
  });
}

/** The webhook, where the configuration asks for one. Its client is not fenced: a standby's webhook answers too. */
function webhookOf(
  { webhookPort, webhookHost, webhookConfiguration }: OperatorConfig,
  { newClient, replica, clock, random, logger }: OperatorDependencies,
  parts: { readonly metrics: RuntimeMetrics; readonly cache: Cache; readonly planning: PlanningView },
): Webhook | undefined {
  if (webhookPort === null) return undefined;
  const { metrics, cache, planning } = parts;
  return makeWebhook({
    port: webhookPort,
    host: webhookHost ?? undefined,
    configuration: webhookConfiguration,
    owner: replica,
    planning,
    isSynced: () => cache.hasSynced,
    client: newClient({}),
    clock,
    random,
    metrics,
    logger,
  });
}

/** What runs from the start, on a standby too. Stalls of the event loop are measured where metrics are served. */
function besideControllers(
  { healthPort, metricsPort }: OperatorConfig,
  { clock, logger, registry }: OperatorDependencies,
  parts: {
    readonly metrics: RuntimeMetrics;
    readonly cache: Cache;
    readonly webhook: Webhook | undefined;
  },
): readonly Runnable[] {
  const { metrics, cache, webhook } = parts;
  const page = registry.page?.bind(registry);
  return [
    ...(healthPort === null
      ? []
      : [healthServer(healthPort, { cache, webhookWaiting: webhook?.waiting, logger })]),
    ...(metricsPort === null
      ? []
      : [metricsServer(metricsPort, page, logger), stallMonitor({ clock, logger, metrics })]),
    ...(webhook === undefined ? [] : [webhook]),
  ];
}
