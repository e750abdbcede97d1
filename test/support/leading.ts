// Candidates for a lease with short times, and a writer that any of them may be.
import { setTimeout as sleep } from "node:timers/promises";
import { loadClusterConfig } from "../../src/kube-runtime/connection/config/config.ts";
import { KubeConnection } from "../../src/kube-runtime/connection/http/connection.ts";
import { HttpKubeClient } from "../../src/kube-runtime/connection/http/http-client.ts";
import { systemClock } from "../../src/kube-runtime/clock.ts";
import { LeaseElector } from "../../src/kube-runtime/process/lease.ts";
import { silentLogger } from "../../src/kube-runtime/logger.ts";
import { configMap, configMaps } from "./kube-client.ts";

/** A third of the real times, so that tests are short. */
export const leaseTimes = {
  leaseDurationSeconds: 5,
  renewDeadlineSeconds: 3,
  retryPeriodSeconds: 1,
} as const;

export async function connectProcess(kubeconfig: string, identity: string): Promise<KubeConnection> {
  const config = await loadClusterConfig({ kubeconfig, env: {} });
  return new KubeConnection(config, { userAgent: `lease-test (${identity})` });
}

export function electorFor(connection: KubeConnection, namespace: string, identity: string): LeaseElector {
  return new LeaseElector({
    ...leaseTimes,
    client: new HttpKubeClient(connection, { lane: "lease", requestTimeoutMs: 1500, maxRetryWaitMs: 0 }),
    ref: { namespace, name: "leader" },
    identity,
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    gauge: { set: () => undefined, inc: () => undefined },
  });
}

/** Writes its identity into ConfigMap `written`, again and again, through the fence. */
export async function writeWhileLeading(
  connection: KubeConnection,
  elector: LeaseElector,
  namespace: string,
  identity: string,
  signal: AbortSignal,
): Promise<void> {
  const client = new HttpKubeClient(connection, { fence: elector.fence, maxRetryWaitMs: 0 });
  for (let count = 0; !signal.aborted; count += 1) {
    const written = configMap(namespace, "written", { by: identity, count: String(count) });
    await client.apply(configMaps, written, { fieldManager: "writer" }).catch(() => undefined);
    await sleep(5);
  }
}
