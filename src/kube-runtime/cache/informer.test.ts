import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KubeConnection } from "../connection/http/connection.ts";
import { HttpKubeClient } from "../connection/http/http-client.ts";
import type { KubeObject } from "../client/object.ts";
import { resourceType } from "../client/resource.ts";
import { FlakyApiServer, type SeenRequest } from "../testing/flaky-api-server.ts";
import { Semaphore } from "./semaphore.ts";
import { Informer, type InformerOptions } from "./informer.ts";
import { silentLogger } from "../logger.ts";
import type { CacheMetrics } from "../metrics.ts";
import { FakeClock } from "../testing/fake-clock.ts";

type Thing = KubeObject & { spec?: { color?: string } };

const things = resourceType<Thing>({
  group: "example.dev",
  version: "v1",
  kind: "Thing",
  plural: "things",
  namespaced: true,
});
const collection = "/apis/example.dev/v1/things";
const itemPath = (name: string): string => `/apis/example.dev/v1/namespaces/a/things/${name}`;
const thing = (name: string, color = "red"): Thing => ({
  apiVersion: "example.dev/v1",
  kind: "Thing",
  metadata: { name, namespace: "a" },
  spec: { color },
});
const isList = ({ path, isWatch, query }: SeenRequest): boolean =>
  path === collection && !isWatch && query.get("limit") !== "1";
const isWatch = (request: SeenRequest): boolean => request.isWatch;

let server: FlakyApiServer;
let connection: KubeConnection;
let clock: FakeClock;
let abort: AbortController;
let running: Promise<void>;
let counts: Record<keyof CacheMetrics, number>;

beforeEach(async () => {
  server = await FlakyApiServer.start();
  connection = new KubeConnection(server.config(), { userAgent: "test/1" });
  clock = new FakeClock();
  abort = new AbortController();
  running = Promise.resolve();
  counts = { lists: 0, watches: 0, events: 0, failures: 0, handlerErrors: 0, objects: 0 };
});
afterEach(async () => {
  abort.abort(new Error("over"));
  await running;
  await connection.close();
  await server.close();
});

function start(options: Partial<InformerOptions<Thing>> = {}): Informer<Thing> {
  const counter = (name: keyof CacheMetrics) => ({
    inc: () => {
      counts[name] += 1;
    },
    set: (value: number) => {
      counts[name] = value;
    },
  });
  const informer = new Informer(
    { type: things, ...options },
    {
      client: new HttpKubeClient(connection, { maxRetryWaitMs: 0, requestTimeoutMs: 1000 }),
      listing: new Semaphore(1),
      clock,
      random: () => 0.5,
      logger: silentLogger,
      metrics: {
        lists: counter("lists"),
        watches: counter("watches"),
        events: counter("events"),
        failures: counter("failures"),
        handlerErrors: counter("handlerErrors"),
        objects: counter("objects"),
      },
    },
  );
  running = informer.run(abort.signal);
  return informer;
}

const names = (informer: Informer<Thing>): string[] =>
  informer.store
    .list()
    .map(({ metadata, spec }) => `${metadata.name} ${spec?.color}`)
    .sort();

/** Lets fake time pass, a second at a time, until the condition holds. Returns how many seconds that took. */
async function until(condition: () => boolean, maxSeconds = 120): Promise<number> {
  for (let seconds = 0; seconds <= maxSeconds; seconds += 1) {
    for (let turn = 0; turn < 10; turn += 1) {
      if (condition()) return seconds;
      await setTimeout(5);
    }
    await clock.advance(1000);
  }
  throw new Error(`not within ${maxSeconds} s`);
}

async function synced(informer: Informer<Thing>): Promise<void> {
  await informer.waitForSync(AbortSignal.timeout(4000));
  await expect.poll(() => server.openWatches).toBe(1);
}

describe("an informer", () => {
  test("holds what is there, then what changes", async () => {
    server.put(collection, thing("one"));
    const informer = start();
    await synced(informer);
    expect(names(informer)).toEqual(["one red"]);
    server.put(collection, thing("two"));
    server.put(collection, thing("one", "blue"));
    await expect.poll(() => names(informer)).toEqual(["one blue", "two red"]);
    server.remove(itemPath("one"));
    await expect.poll(() => names(informer)).toEqual(["two red"]);
    expect(counts).toMatchObject({ lists: 1, watches: 1, events: 3, failures: 0, objects: 1 });
  });

  test("keeps neither managedFields nor kubectl's copy, and only what trimming leaves", async () => {
    const noisy = thing("one");
    noisy.metadata = {
      ...noisy.metadata,
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}", kept: "yes" },
    };
    Object.assign(noisy.metadata, { managedFields: [{ manager: "kubectl" }] });
    server.put(collection, noisy);
    const informer = start({
      trim: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }),
    });
    await synced(informer);
    const [kept] = informer.store.list();
    expect(kept?.metadata).not.toHaveProperty("managedFields");
    expect(kept?.metadata.annotations).toEqual({ kept: "yes" });
    expect(kept).not.toHaveProperty("spec");
  });

  test("goes on when a handler throws, and tells the other handlers", async () => {
    server.put(collection, thing("one"));
    const informer = start();
    const heard: string[] = [];
    informer.onChange(() => {
      throw new Error("broken");
    });
    informer.onChange((change, { initial }) => heard.push(`${change.type} ${initial}`));
    await synced(informer);
    server.put(collection, thing("one", "blue"));
    await expect.poll(() => heard).toEqual(["added true", "updated false"]);
    expect(counts.handlerErrors).toBe(2);
  });

  test("tells a late handler what is there already", async () => {
    server.put(collection, thing("one"));
    const informer = start();
    await synced(informer);
    const heard: string[] = [];
    informer.onChange(({ object }) => heard.push(object.metadata.name));
    expect(heard).toEqual(["one"]);
  });

  test("resumes a cut watch where it was, without a new list", async () => {
    const informer = start();
    await synced(informer);
    server.put(collection, thing("one"));
    await expect.poll(() => informer.store.size).toBe(1);
    server.cutWatches();
    server.put(collection, thing("two"));
    const seconds = await until(() => informer.store.size === 2);
    expect(seconds).toBeLessThanOrEqual(2);
    expect(counts).toMatchObject({ lists: 1, watches: 2, failures: 1 });
  });

  test("resumes from a bookmark, so that compaction forces no list", async () => {
    const informer = start();
    await synced(informer);
    server.put("/apis/example.dev/v1/others", thing("busy neighbour"));
    server.bookmark();
    await expect.poll(() => informer.hasSeen(server.resourceVersion)).toBe(true);
    server.compact();
    server.cutWatches();
    await until(() => server.openWatches === 1);
    expect(counts).toMatchObject({ lists: 1, watches: 2 });
  });

  test("lists again when the history it needs is gone, and notices what it missed", async () => {
    server.put(collection, thing("gone"));
    const informer = start();
    await synced(informer);
    const heard: string[] = [];
    informer.onChange(({ type, object }) => heard.push(`${type} ${object.metadata.name}`));
    server.cutWatches();
    server.remove(itemPath("gone"));
    server.put(collection, thing("new"));
    server.compact();
    await until(() => names(informer).join() === "new red");
    expect(heard).toEqual(["added gone", "added new", "deleted gone"]);
    expect(counts.lists).toBe(2);
  });

  test("starts a list again whose continue token has expired", async () => {
    for (let index = 0; index < 3; index += 1) server.put(collection, thing(`thing-${index}`));
    server.fail(isList, { kind: "status", code: 410, reason: "Expired" });
    const informer = start();
    await until(() => informer.hasSynced);
    expect(informer.store.size).toBe(3);
  });

  test("waits out a server that is away, and converges after it is back", async () => {
    const informer = start();
    await synced(informer);
    await server.close();
    await clock.advance(60_000);
    await server.listen();
    server.put(collection, thing("one"));
    const seconds = await until(() => informer.store.size === 1);
    expect(seconds).toBeLessThanOrEqual(31);
  });

  test("leaves an overloaded server alone for as long as it asks", async () => {
    server.fail(isList, { kind: "status", code: 429, retryAfter: "20" });
    const informer = start();
    await until(() => counts.failures === 1);
    const seconds = await until(() => informer.hasSynced);
    expect(seconds).toBeGreaterThanOrEqual(19);
    expect(seconds).toBeLessThanOrEqual(21);
  });

  test("cuts a watch that has been silent for two minutes", async () => {
    server.fail(isWatch, { kind: "silent" });
    const informer = start();
    await informer.waitForSync(AbortSignal.timeout(4000));
    await until(() => server.seen.some(isWatch));
    server.put(collection, thing("one"));
    await clock.advance(118_000);
    const seconds = await until(() => informer.store.size === 1);
    expect(seconds).toBeGreaterThanOrEqual(2);
    expect(seconds).toBeLessThanOrEqual(5);
  });

  test("survives truncated and garbled events without losing one", async () => {
    const informer = start();
    await synced(informer);
    server.writeToWatches('{"type":"ADDED","object":{"metadata":{"na');
    server.endWatches();
    server.put(collection, thing("one"));
    await until(() => informer.store.size === 1);
    await until(() => server.openWatches === 1);
    server.writeToWatches("]]]\n");
    await until(() => server.openWatches === 0);
    server.put(collection, thing("two"));
    await until(() => informer.store.size === 2);
    expect(counts).toMatchObject({ lists: 1, failures: 2 });
  });

  test("lists again when the server's store was set back, and forgets old resourceVersions", async () => {
    const informer = start();
    await synced(informer);
    for (let index = 0; index < 5; index += 1) server.put(collection, thing(`lost-${index}`));
    await expect.poll(() => informer.store.size).toBe(5);
    const before = server.resourceVersion;
    const { epoch } = informer;
    let woken = false;
    informer.whenSeen(String(Number(before) + 100), () => {
      woken = true;
    });
    server.restore(1000, [{ path: collection, object: thing("old") }]);
    server.cutWatches();
    await until(() => names(informer).join() === "old red");
    expect(informer.epoch).toBe(epoch + 1);
    expect(informer.hasSeen(before)).toBe(false);
    expect(woken).toBe(true);
  });

  test("does not ask in a loop when every watch ends at once", async () => {
    const informer = start();
    await synced(informer);
    server.fail(isWatch, { kind: "body", text: "" }, 1000);
    server.endWatches();
    await clock.advance(0);
    const before = counts.watches;
    await until(() => false, 20).catch(() => undefined);
    expect(counts.watches - before).toBeLessThan(8);
  });
});

describe("an informer of an optional kind", () => {
  test("counts as synced and empty while the kind is missing, and comes alive when it is installed", async () => {
    server.unserved.add("/apis/example.dev/v1");
    const informer = start({ optional: true });
    await informer.waitForSync(AbortSignal.timeout(4000));
    expect(informer.served).toBe(false);
    expect(informer.store.size).toBe(0);
    server.unserved.clear();
    server.put(collection, thing("one"));
    const seconds = await until(() => informer.store.size === 1);
    expect(seconds).toBeLessThanOrEqual(30);
    expect(informer.served).toBe(true);
    expect(counts.failures).toBe(0);
  });

  test("forgets everything when the kind is removed", async () => {
    server.put(collection, thing("one"));
    const informer = start({ optional: true });
    await synced(informer);
    const heard: string[] = [];
    informer.onChange(({ type }) => heard.push(type));
    server.unserved.add("/apis/example.dev/v1");
    server.cutWatches();
    await until(() => !informer.served);
    expect(heard).toEqual(["added", "deleted"]);
    expect(informer.hasSynced).toBe(true);
  });

  test("that is not optional is never synced while it is missing", async () => {
    server.unserved.add("/apis/example.dev/v1");
    const informer = start();
    await until(() => counts.failures >= 2);
    expect(informer.hasSynced).toBe(false);
  });
});

test("what waits for a resourceVersion is woken when it is reached, in order", async () => {
  const informer = start();
  await synced(informer);
  const base = Number(server.resourceVersion);
  const woken: number[] = [];
  for (const step of [3, 1, 2]) informer.whenSeen(String(base + step), () => woken.push(step));
  server.put(collection, thing("one"));
  server.put(collection, thing("two"));
  await expect.poll(() => woken).toEqual([1, 2]);
  server.put(collection, thing("three"));
  await expect.poll(() => woken).toEqual([1, 2, 3]);
});
