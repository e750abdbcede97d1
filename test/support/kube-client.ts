// A client of the test run's cluster, and the kinds that the runtime's own tests use.
import { onTestFinished } from "vitest";
import { loadClusterConfig } from "../../src/kube-runtime/connection/config/config.ts";
import { KubeConnection } from "../../src/kube-runtime/connection/http/connection.ts";
import { HttpKubeClient } from "../../src/kube-runtime/connection/http/http-client.ts";
import type { KubeObject } from "../../src/kube-runtime/client/object.ts";
import { resourceType } from "../../src/kube-runtime/client/resource.ts";
import { Cache } from "../../src/kube-runtime/cache/cache.ts";
import { systemClock } from "../../src/kube-runtime/clock.ts";
import { silentLogger } from "../../src/kube-runtime/logger.ts";
import { noMetrics, RuntimeMetrics } from "../../src/kube-runtime/metrics.ts";

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

export const configMaps = resourceType<ConfigMap>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  namespaced: true,
});

export function configMap(namespace: string, name: string, data: Record<string, string> = {}): ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data };
}

/** A connection that is closed after the test. */
export async function connect(kubeconfig: string, userAgent = "runtime-test"): Promise<KubeConnection> {
  const config = await loadClusterConfig({ kubeconfig, env: {} });
  const connection = new KubeConnection(config, { userAgent });
  onTestFinished(async () => connection.close());
  return connection;
}

/** A client whose connection is closed after the test. */
export async function connectedClient(kubeconfig: string): Promise<HttpKubeClient> {
  return new HttpKubeClient(await connect(kubeconfig));
}

/** A cache that runs on real time; the test declares its kinds and runs it. */
export function newCache(client: HttpKubeClient): Cache {
  const metrics = new RuntimeMetrics(noMetrics);
  return new Cache({ client, clock: systemClock, random: Math.random, logger: silentLogger, metrics });
}

/** Runs a cache until the test is over. Returns once it has synced. */
export async function runCache(cache: Cache): Promise<void> {
  const end = new AbortController();
  const running = cache.run(end.signal);
  onTestFinished(async () => {
    end.abort(new Error("the test is over"));
    await running;
  });
  await cache.waitForSync(AbortSignal.any([end.signal, AbortSignal.timeout(20_000)]));
}
