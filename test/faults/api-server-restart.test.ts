// An API server that goes away and comes back, as in every upgrade of a control plane. A cluster of its own, because
// the others' tests would notice.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startCluster } from "../../local/cluster/cluster.ts";
import { HttpKubeClient } from "../../src/kube-runtime/connection/http/http-client.ts";
import { eventually } from "../support/eventually.ts";
import { configMap, configMaps, connect, newCache, runCache } from "../support/kube-client.ts";
import { electorFor } from "../support/leading.ts";

test("caches converge within 10 s of the API server's return, and the leader stays the leader", async () => {
  const cluster = await startCluster({ name: `restart-${process.pid}`, leaderWorkerSet: false });
  onTestFinished(async () => cluster.stop());
  const connection = await connect(cluster.kubeconfigPath);
  const client = new HttpKubeClient(connection);
  const cache = newCache(client);
  const informer = cache.add({ type: configMaps, namespace: "default" });
  await runCache(cache);
  const end = new AbortController();
  const elector = electorFor(connection, "default", "leader");
  await elector.acquire(end.signal);
  const holding = elector.hold(end.signal);
  onTestFinished(async () => {
    end.abort(new Error("the test is over"));
    await holding;
  });
  const heard: string[] = [];
  informer.onChange(({ type, object }) => {
    if (object.metadata.name.startsWith("map-")) heard.push(`${type} ${object.metadata.name}`);
  });
  await client.create(configMaps, configMap("default", "map-before"));

  const restarting = cluster.restartApiServer();
  // Written as soon as it is possible: the watch is not back yet.
  await eventually("the API server is away", async () => {
    return client.raw("/readyz", { signal: AbortSignal.timeout(500) }).then(
      () => undefined,
      () => true,
    );
  });
  await restarting;
  await eventually("a write succeeds again", async () => {
    return client.create(configMaps, configMap("default", "map-after")).catch(() => undefined);
  });
  const writtenAt = performance.now();
  await eventually("the cache shows it", async () =>
    informer.store.get({ namespace: "default", name: "map-after" }),
  );
  expect(performance.now() - writtenAt).toBeLessThan(10_000);
  // Resumed or listed again (a server that has just begun knows no history), but nothing twice.
  expect(heard).toEqual(["added map-before", "added map-after"]);
  await eventually("the lease is renewed again", async () => (elector.isLeader ? true : undefined));
  await sleep(100);
  expect(() => elector.fence.check()).not.toThrow();
}, 180_000);
