// What the operator's process runs beside its controllers, on a standby too: the servers that a kubelet and Prometheus
// ask, and the watch over the event loop.
import type { Clock, Logger, RuntimeMetrics } from "@llama-operator/kube-runtime";
import type { Cache } from "@llama-operator/kube-runtime/cache";
import { HealthServer, monitorEventLoop, type Runnable } from "@llama-operator/kube-runtime/process";

/** A page of metrics, as Prometheus reads it. */
export interface MetricsPage {
  readonly contentType: string;
  readonly text: string;
}

/** /healthz and /readyz. A standby is ready: its caches are, and its webhook is trusted. */
export function healthServer(
  port: number,
  parts: {
    readonly cache: Cache;
    readonly webhookWaiting: (() => string | undefined) | undefined;
    readonly logger: Logger;
  },
): Runnable {
  const { cache, webhookWaiting, logger } = parts;
  const caches = (): string | undefined =>
    cache.hasSynced ? undefined : `waiting for a list of ${cache.unsynced.join(", ")}`;
  const ready = { caches, ...(webhookWaiting === undefined ? {} : { webhook: webhookWaiting }) };
  return serving("health", new HealthServer({ port, ready }), logger);
}

/** /metrics. */
export function metricsServer(
  port: number,
  page: (() => Promise<MetricsPage>) | undefined,
  logger: Logger,
): Runnable {
  return serving("metrics", new HealthServer({ port, ready: {}, metrics: page }), logger);
}

/** Measures stalls of the event loop, for the metrics and, where they are long, for the log. */
export function stallMonitor(parts: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: RuntimeMetrics;
}): Runnable {
  const { clock, logger, metrics } = parts;
  const gauge = metrics.eventLoopStallSeconds();
  return {
    name: "event-loop",
    run: async ({ stop }) => monitorEventLoop({ clock, logger, gauge }, stop),
  };
}

function serving(name: string, server: HealthServer, logger: Logger): Runnable {
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
