import { describe, expect, test } from "vitest";
import type { KubeObject, Live, ObjectRef } from "../client/object.ts";
import { resourceType } from "../client/resource.ts";
import { Cache } from "../cache/cache.ts";
import {
  Controller,
  type ControllerOptions,
  type ReconcileContext,
  type ReconcileResult,
} from "./controller.ts";
import { specChanged, toController, toLabelled, toSelf } from "./enqueue.ts";
import { silentLogger } from "../logger.ts";
import { noMetrics, RuntimeMetrics, type MetricsRegistry } from "../metrics.ts";
import { FakeClock, settle } from "../testing/fake-clock.ts";
import { InMemoryKubeClient } from "../testing/in-memory-client.ts";
import { WriteTracker } from "../cache/write-tracker.ts";

interface Parent extends KubeObject {
  spec?: { size?: number };
  status?: { seen?: number };
}
const parents = resourceType<Parent>({
  group: "example.dev",
  version: "v1",
  kind: "Parent",
  plural: "parents",
  namespaced: true,
});
const children = resourceType<KubeObject>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  namespaced: true,
});

/** A registry that keeps what counters hold, as `name result`. */
function counting(): { readonly registry: MetricsRegistry; readonly counts: Map<string, number> } {
  const counts = new Map<string, number>();
  const registry: MetricsRegistry = {
    ...noMetrics,
    counter: ({ name }) => ({
      with: ({ result }) => ({
        inc: (by = 1) => {
          const key = result === undefined ? name : `${name} ${result}`;
          counts.set(key, (counts.get(key) ?? 0) + by);
        },
      }),
    }),
  };
  return { registry, counts };
}

type Reconcile = (request: ObjectRef, context: ReconcileContext) => Promise<ReconcileResult>;

function setUp(reconcile: Reconcile, options: Partial<ControllerOptions> = {}) {
  const clock = new FakeClock();
  const { registry, counts } = counting();
  let id = 0;
  const controller = new Controller({
    name: "parent",
    reconciler: { reconcile },
    workers: 2,
    clock,
    logger: silentLogger,
    metrics: new RuntimeMetrics(registry),
    newId: () => {
      id += 1;
      return String(id);
    },
    ...options,
  });
  const stop = new AbortController();
  const abort = new AbortController();
  const run = controller.run({ stop: stop.signal, abort: abort.signal });
  const end = async (): Promise<void> => {
    stop.abort(new Error("over"));
    await run;
  };
  return { clock, controller, counts, stop, abort, run, end };
}

describe("a controller", () => {
  test("reconciles what is enqueued, by namespace and name", async () => {
    const seen: ObjectRef[] = [];
    const { controller, counts, end } = setUp(async (request) => {
      seen.push(request);
      return {};
    });
    controller.enqueue({ namespace: "a", name: "one" });
    controller.enqueue({ name: "cluster-wide" });
    await settle();
    expect(seen).toEqual([{ namespace: "a", name: "one" }, { name: "cluster-wide" }]);
    expect(counts.get("controller_runtime_reconcile_total success")).toBe(2);
    await end();
  });

  test("tries a failure again with growing delays, and starts anew after a success", async () => {
    const { clock, controller, counts, end } = setUp(async () => {
      tries.push(clock.monotonic());
      if (tries.length <= 4) throw new Error("not yet");
      return {};
    });
    const tries: number[] = [];
    controller.enqueue({ name: "one" });
    await clock.advance(1000);
    expect(tries).toEqual([0, 5, 15, 35, 75]);
    expect(controller.queue.failures("one")).toBe(0);
    expect(counts.get("controller_runtime_reconcile_errors_total")).toBe(4);
    await end();
  });

  test("comes back after exactly the time that was asked for", async () => {
    const { clock, controller, end } = setUp(async () => {
      times.push(clock.monotonic());
      return times.length < 3 ? { requeueAfterSeconds: 30 } : {};
    });
    const times: number[] = [];
    controller.enqueue({ name: "one" });
    await clock.advance(300_000);
    expect(times).toEqual([0, 30_000, 60_000]);
    await end();
  });

  test("survives a mistake in a reconciler, and counts it", async () => {
    const { clock, controller, counts, end } = setUp(async ({ name }) => {
      if (name === "bad") throw new TypeError("undefined is not a function");
      return {};
    });
    controller.enqueue({ name: "bad" });
    controller.enqueue({ name: "good" });
    await clock.advance(1);
    expect(counts.get("controller_runtime_reconcile_panics_total")).toBe(1);
    expect(counts.get("controller_runtime_reconcile_total success")).toBe(1);
    await end();
  });

  test("finishes what it has in hand when stopped, and takes nothing more", async () => {
    const hold = Promise.withResolvers<void>();
    const done: string[] = [];
    const { controller, stop, run } = setUp(
      async ({ name }) => {
        await hold.promise;
        done.push(name);
        return {};
      },
      { workers: 1 },
    );
    controller.enqueue({ name: "first" });
    controller.enqueue({ name: "second" });
    await settle();
    stop.abort(new Error("stopping"));
    hold.resolve();
    await run;
    expect(done).toEqual(["first"]);
  });

  test("abandons it at stop already where it only reads", async () => {
    const reconcile: Reconcile = async (_, { signal }) => {
      await new FakeClock().sleep(1e9, signal);
      return {};
    };
    const { controller, stop, run, counts } = setUp(reconcile, { abandonOnStop: true });
    controller.enqueue({ name: "one" });
    await settle();
    stop.abort(new Error("stopping"));
    await run;
    expect(counts.get("controller_runtime_reconcile_errors_total") ?? 0).toBe(0);
  });

  test("abandons what it has in hand when aborted, without counting a failure", async () => {
    const { clock, controller, abort, run, counts } = setUp(async (_, { signal }) => {
      await clock.sleep(1e9, signal);
      return {};
    });
    controller.enqueue({ name: "one" });
    await settle();
    abort.abort(new Error("leadership lost"));
    await run;
    expect(counts.get("controller_runtime_reconcile_errors_total") ?? 0).toBe(0);
  });
});

describe("watches", () => {
  function cached() {
    const clock = new FakeClock();
    const client = new InMemoryKubeClient();
    const metrics = new RuntimeMetrics(noMetrics);
    const cache = new Cache({ client, clock, random: () => 0.5, logger: silentLogger, metrics });
    return { clock, client, cache };
  }
  const parent = (name: string, generation = 1, seen = 0): Parent => ({
    apiVersion: "example.dev/v1",
    kind: "Parent",
    metadata: { name, namespace: "a", generation },
    status: { seen },
  });
  const child = (name: string, of: Live<Parent>): KubeObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name,
      namespace: "a",
      labels: { parent: of.metadata.name },
      ownerReferences: [
        {
          apiVersion: "example.dev/v1",
          kind: "Parent",
          name: of.metadata.name,
          uid: of.metadata.uid,
          controller: true,
        },
      ],
    },
  });

  test("wake the object, its controller, and the object that a label names", async () => {
    const { client, cache } = cached();
    const parentInformer = cache.add({ type: parents });
    const childInformer = cache.add({ type: children });
    const seen: string[] = [];
    const { controller, end } = setUp(async ({ name }) => {
      seen.push(name);
      return {};
    });
    controller.watch(parentInformer, toSelf).watch(childInformer, toController(parents));
    controller.watch(childInformer, toLabelled("friend", parents));
    const stop = new AbortController();
    const running = cache.run(stop.signal);
    await cache.waitForSync(stop.signal);
    const one = client.put(parents, parent("one"));
    await settle();
    client.put(children, child("child", one));
    await settle();
    client.put(children, {
      ...child("child", one),
      metadata: { ...child("child", one).metadata, labels: { friend: "two" } },
    });
    await settle();
    expect(seen).toEqual(["one", "one", "one", "two"]);
    stop.abort(new Error("over"));
    await Promise.all([running, end()]);
  });

  test("let a predicate keep changes of status out", async () => {
    const { client, cache } = cached();
    const informer = cache.add({ type: parents });
    let reconciles = 0;
    const { controller, end } = setUp(async () => {
      reconciles += 1;
      return {};
    });
    controller.watch(informer, toSelf, { predicate: specChanged });
    const stop = new AbortController();
    const running = cache.run(stop.signal);
    await cache.waitForSync(stop.signal);
    for (const object of [parent("one"), parent("one", 1, 5), parent("one", 2, 5), parent("one", 2, 6)]) {
      client.put(parents, object);
      await settle();
    }
    expect(reconciles).toBe(2);
    stop.abort(new Error("over"));
    await Promise.all([running, end()]);
  });

  test("put what a list brings behind what has just changed", async () => {
    const { client, cache } = cached();
    const informer = cache.add({ type: parents });
    for (const name of ["a", "b", "c"]) client.put(parents, parent(name));
    const seen: string[] = [];
    const clock = new FakeClock();
    const controller = new Controller({
      name: "parent",
      reconciler: {
        reconcile: async ({ name }) => {
          seen.push(name);
          return {};
        },
      },
      workers: 1,
      clock,
      logger: silentLogger,
      metrics: new RuntimeMetrics(noMetrics),
      newId: () => "1",
    });
    controller.watch(informer, toSelf);
    const stop = new AbortController();
    const running = cache.run(stop.signal);
    await cache.waitForSync(stop.signal);
    client.put(parents, parent("c", 2));
    await settle();
    const run = controller.run({ stop: stop.signal, abort: stop.signal });
    await settle();
    expect(seen).toEqual(["c", "a", "b"]);
    stop.abort(new Error("over"));
    await Promise.all([running, run]);
  });

  test("hold a key back until the cache has seen what was written for it", async () => {
    const { client, cache } = cached();
    const informer = cache.add({ type: parents });
    cache.add({ type: children });
    const tracker = new WriteTracker(cache);
    const stop = new AbortController();
    const running = cache.run(stop.signal);
    await cache.waitForSync(stop.signal);
    const order: string[] = [];
    const { controller, counts, end } = setUp(
      async ({ name }) => {
        order.push(`reconcile ${cache.of(children).store.size}`);
        if (order.length > 1) return {};
        const written = await client.create(children, {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "child", namespace: "a" },
        });
        tracker.wroteAt(`a/${name}`, children, written);
        // More news before the cache has heard of the child.
        controller.enqueue({ namespace: "a", name });
        return {};
      },
      { tracker },
    );
    controller.watch(informer, toSelf);
    controller.enqueue({ namespace: "a", name: "one" });
    await settle();
    await settle();
    expect(order).toEqual(["reconcile 0", "reconcile 1"]);
    expect(counts.get("stale_sync_skips_total") ?? 0).toBeLessThanOrEqual(1);
    stop.abort(new Error("over"));
    await Promise.all([running, end()]);
  });
});
