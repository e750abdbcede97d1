// Informers on the real API server: kinds that come and go, and writes that are read back.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { KubeObject } from "../../src/kube-runtime/client/object.ts";
import { resourceType } from "../../src/kube-runtime/client/resource.ts";
import { Applier } from "../../src/kube-runtime/apply/applier.ts";
import { WriteTracker } from "../../src/kube-runtime/cache/write-tracker.ts";
import { sharedCluster, testNamespace } from "../support/cluster.ts";
import { configMap, configMaps, connectedClient, newCache, runCache } from "../support/kube-client.ts";

const cluster = sharedCluster();
const crds = resourceType({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
});
const gadgets = resourceType<KubeObject>({
  group: "runtime-test.dev",
  version: "v1",
  kind: "Gadget",
  plural: "gadgets",
  namespaced: true,
});
const gadgetCrd: KubeObject & { readonly spec: unknown } = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "gadgets.runtime-test.dev" },
  spec: {
    group: "runtime-test.dev",
    scope: "Namespaced",
    names: { kind: "Gadget", plural: "gadgets", singular: "gadget", listKind: "GadgetList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

async function until(condition: () => boolean, seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s`);
    await sleep(50);
  }
}

test("an optional kind may be missing, come, go and come again", async () => {
  const client = await connectedClient(cluster.kubeconfigPath);
  const namespace = await testNamespace(cluster);
  const removeCrd = async () => client.delete(crds, { name: "gadgets.runtime-test.dev" });
  onTestFinished(async () => {
    await removeCrd();
  });
  const cache = newCache(client);
  const informer = cache.add({ type: gadgets, optional: true });
  await runCache(cache);
  expect([informer.served, informer.store.size]).toEqual([false, 0]);
  for (let round = 0; round < 2; round += 1) {
    await client.create(crds, gadgetCrd);
    await until(() => informer.served, 40);
    await client.create(gadgets, {
      apiVersion: "runtime-test.dev/v1",
      kind: "Gadget",
      metadata: { name: "one", namespace },
    });
    await until(() => informer.store.size === 1, 10);
    await removeCrd();
    await until(() => !informer.served && informer.store.size === 0, 40);
    while (await client.serves(gadgets)) await sleep(100);
  }
}, 180_000);

describe("an applier", () => {
  test("writes a child once, reads its own write, and is silent after a restart", async () => {
    const client = await connectedClient(cluster.kubeconfigPath);
    const namespace = await testNamespace(cluster);
    const owner = await client.create(configMaps, configMap(namespace, "owner"));
    const child = configMap(namespace, "child", { a: "1" });
    const intent = {
      ...child,
      metadata: {
        ...child.metadata,
        ownerReferences: [
          { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.metadata.uid, controller: true },
        ],
      },
    };
    const context = { request: { namespace, name: "owner" }, signal: AbortSignal.timeout(30_000) };
    const outcomes: string[] = [];
    for (let process = 0; process < 2; process += 1) {
      const cache = newCache(client);
      const informer = cache.add({ type: configMaps, namespace });
      const tracker = new WriteTracker(cache);
      const applier = new Applier({
        client,
        cache,
        tracker,
        fieldManager: "applier-test",
        intentAnnotation: "example.dev/intent",
      });
      await runCache(cache);
      for (let pass = 0; pass < 2; pass += 1) {
        outcomes.push((await applier.apply(configMaps, intent, context)).outcome);
        const pending = tracker.pending(`${namespace}/owner`);
        if (pending === undefined) continue;
        const seen = Promise.withResolvers<void>();
        pending.whenSeen(seen.resolve);
        await seen.promise;
        expect(informer.store.get({ namespace, name: "child" })?.data).toEqual({ a: "1" });
      }
    }
    expect(outcomes).toEqual(["created", "unchanged", "unchanged", "unchanged"]);
  });

  test("takes nothing over that it has not seen yet", async () => {
    const client = await connectedClient(cluster.kubeconfigPath);
    const namespace = await testNamespace(cluster);
    const cache = newCache(client);
    cache.add({ type: configMaps, namespace, labelSelector: "nothing=has-this" });
    const applier = new Applier({
      client,
      cache,
      tracker: new WriteTracker(cache),
      fieldManager: "applier-test",
      intentAnnotation: "example.dev/intent",
    });
    await runCache(cache);
    await client.create(configMaps, configMap(namespace, "theirs", { a: "theirs" }), {
      fieldManager: "them",
    });
    const context = { request: { namespace, name: "owner" }, signal: AbortSignal.timeout(30_000) };
    const taken = applier.apply(configMaps, configMap(namespace, "theirs", { a: "ours" }), context);
    await expect(taken).rejects.toMatchObject({ code: 409, reason: "Conflict" });
    expect((await client.get(configMaps, { namespace, name: "theirs" })).data).toEqual({ a: "theirs" });
  });
});
