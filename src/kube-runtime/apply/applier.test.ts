import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ApiError } from "../client/errors.ts";
import type { KubeObject, Live } from "../client/object.ts";
import { resourceType } from "../client/resource.ts";
import { Applier, type Applied } from "./applier.ts";
import { Cache } from "../cache/cache.ts";
import { silentLogger } from "../logger.ts";
import { noMetrics, RuntimeMetrics } from "../metrics.ts";
import { FakeClock, settle } from "../testing/fake-clock.ts";
import { InMemoryKubeClient } from "../testing/in-memory-client.ts";
import { InMemoryApiServer } from "../testing/in-memory-server.ts";
import { WriteTracker } from "../cache/write-tracker.ts";

interface Service extends KubeObject {
  spec?: { selector?: Record<string, string>; type?: string };
  status?: { ready?: number; message?: string };
}
const services = resourceType<Service>({
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  namespaced: true,
});
const stop = new AbortController();
const request = { namespace: "a", name: "parent" };
const context = { request, signal: stop.signal };

let client: InMemoryKubeClient;
let tracker: WriteTracker;
let applier: Applier;
let cache: Cache;
let running: Promise<void>;
let end: AbortController;

beforeEach(async () => {
  client = new InMemoryKubeClient();
  end = new AbortController();
  await start();
});
afterEach(async () => {
  end.abort(new Error("over"));
  await running;
});

/** A process that begins: nothing is remembered but what the API server has. */
async function start(): Promise<void> {
  const metrics = new RuntimeMetrics(noMetrics);
  cache = new Cache({ client, clock: new FakeClock(), random: () => 0.5, logger: silentLogger, metrics });
  cache.add({ type: services });
  tracker = new WriteTracker(cache);
  applier = new Applier({
    client,
    cache,
    tracker,
    fieldManager: "me",
    intentAnnotation: "example.dev/intent",
  });
  running = cache.run(end.signal);
  await cache.waitForSync(end.signal);
}

const service = (selector: Record<string, string>, uid = "parent-uid"): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name: "child",
    namespace: "a",
    ownerReferences: [
      { apiVersion: "example.dev/v1", kind: "Parent", name: "parent", uid, controller: true },
    ],
  },
  spec: { selector },
});

async function apply(intent: Service): Promise<Applied<Service>> {
  const applied = await applier.apply(services, intent, context);
  await settle();
  return applied;
}

const live = (): Live<Service> => {
  const found = cache.of(services).store.get({ namespace: "a", name: "child" });
  if (found === undefined) throw new Error("no child");
  return found;
};

describe("applying a child", () => {
  test("creates it, without taking anything over", async () => {
    expect(await apply(service({ a: "1" }))).toMatchObject({ outcome: "created" });
    expect(client.calls.at(-1)).toMatchObject({ verb: "apply", name: "child" });
    expect(live().metadata.annotations).toHaveProperty("example.dev/intent");
  });

  test("writes nothing when it is as wanted, after a restart too", async () => {
    await apply(service({ a: "1" }));
    expect(await apply(service({ a: "1" }))).toMatchObject({ outcome: "unchanged" });
    await start();
    expect(await apply(service({ a: "1" }))).toMatchObject({ outcome: "unchanged" });
    expect(client.writes).toHaveLength(1);
  });

  test("writes it when it is wanted otherwise, also when less is wanted", async () => {
    await apply({ ...service({ a: "1" }), spec: { selector: { a: "1" }, type: "ClusterIP" } });
    expect(await apply(service({ a: "1" }))).toMatchObject({
      outcome: "changed",
      reason: { kind: "intent" },
    });
  });

  test("repairs what another client changed, and says where", async () => {
    await apply(service({ a: "1" }));
    client.put(services, { ...live(), spec: { selector: { a: "2" } } });
    await settle();
    expect(await apply(service({ a: "1" }))).toMatchObject({
      outcome: "changed",
      reason: { kind: "drift", path: "spec.selector.a" },
    });
    expect(live().spec?.selector).toEqual({ a: "1" });
  });

  test("leaves alone what belongs to another owner, or to none", async () => {
    client.put(services, service({ a: "1" }, "earlier-owner"));
    await settle();
    expect(await apply(service({ a: "1" }))).toMatchObject({ outcome: "foreign" });
    const { ownerReferences: _, ...metadata } = live().metadata;
    client.put(services, { ...service({ a: "9" }), metadata });
    await settle();
    expect(await apply(service({ a: "1" }))).toMatchObject({ outcome: "foreign" });
    expect(client.writes).toEqual([]);
  });

  test("leaves alone what is on its way out", async () => {
    await apply(service({ a: "1" }));
    const going = { ...live(), metadata: { ...live().metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
    client.put(services, going);
    await settle();
    expect(await apply(service({ a: "2" }))).toMatchObject({ outcome: "terminating" });
  });

  test("does not loop over a value that the server spells its own way", async () => {
    await apply(service({ a: "1" }));
    client.put(services, { ...live(), spec: { selector: { a: "one" } } });
    await settle();
    // The server finds nothing to change: it answers with what it had.
    client.apply = async () => {
      client.calls.push({ verb: "apply", resource: "services", name: "child" });
      return live() as never;
    };
    await apply(service({ a: "1" }));
    expect(await apply(service({ a: "1" }))).toMatchObject({ outcome: "unchanged" });
    expect(client.writes).toHaveLength(2);
  });

  test("calls a child that was replaced meanwhile a conflict, not an invalid intent", async () => {
    await apply(service({ a: "1" }));
    client.intercept = () => {
      const causes = [{ field: "metadata.uid", reason: "FieldValueInvalid" }];
      throw new ApiError("PATCH", { code: 422, reason: "Invalid", causes });
    };
    await expect(apply(service({ a: "2" }))).rejects.toMatchObject({ code: 409, reason: "Conflict" });
  });

  test("makes the key wait for the cache", async () => {
    const written = applier.apply(services, service({ a: "1" }), context);
    await written;
    // Not settled: the watch has not delivered yet.
    expect(tracker.pending("a/parent")?.resource ?? "seen").toMatch(/services|seen/);
    await settle();
    expect(tracker.pending("a/parent")).toBeUndefined();
  });
});

describe("deleting a child", () => {
  test("deletes the one that was seen, and makes the key wait until the cache has lost it", async () => {
    await apply(service({ a: "1" }));
    const seen = live();
    await applier.delete(services, seen, context);
    let woken = false;
    tracker.pending("a/parent")?.whenSeen(() => {
      woken = true;
    });
    expect(woken).toBe(false);
    await settle();
    expect(woken).toBe(true);
    expect(tracker.pending("a/parent")).toBeUndefined();
    expect(client.writes.at(-1)).toBe("delete services child");
  });
});

describe("applying a status", () => {
  test("writes it once, and again only when it differs, also by what is gone", async () => {
    await apply(service({ a: "1" }));
    const outcomes: boolean[] = [];
    for (const status of [
      { ready: 1, message: "well" },
      { ready: 1, message: "well" },
      { ready: 1 },
      { ready: 1 },
    ]) {
      outcomes.push(await applier.applyStatus(services, live(), status, context));
      await settle();
    }
    expect(outcomes).toEqual([true, false, true, false]);
  });
});

test("its own write of a status is told from an edit of somebody else", async () => {
  await apply(service({ a: "1" }));
  await applier.applyStatus(services, live(), { ready: 1 }, context);
  await settle();
  expect(applier.isOwnStatus(services, live())).toBe(true);
  client.put(services, { ...live(), status: { ready: 9 } });
  await settle();
  expect(applier.isOwnStatus(services, live())).toBe(false);
});

test("a status of which the server drops a member is written once, not on each pass", async () => {
  const drop = (object: KubeObject): KubeObject => {
    const { status } = object as Service;
    return status === undefined ? object : ({ ...object, status: { ready: status.ready } } as Service);
  };
  const server = new InMemoryApiServer({ rules: { services: { statusSubresource: true, admit: drop } } });
  client = new InMemoryKubeClient({ server });
  await start();
  await apply(service({ a: "1" }));
  await settle();
  const status = { ready: 1, message: "of tomorrow" };
  expect(await applier.applyStatus(services, live(), status, context)).toBe(true);
  await settle();
  expect(await applier.applyStatus(services, live(), status, context)).toBe(false);
  const sent = client.writes.length;
  expect(await applier.applyStatus(services, live(), status, context)).toBe(false);
  expect(client.writes).toHaveLength(sent);
});

describe("a member of an object that another controller made", () => {
  const pod = { apiVersion: "v1", kind: "Service", metadata: { namespace: "a", name: "other" } };

  test("is changed on the one that was seen, and makes the key wait for the cache", async () => {
    client.put(services, pod);
    await settle();
    const live = cache.of(services).store.get({ namespace: "a", name: "other" });
    if (live === undefined) throw new Error("the cache has it");
    await applier.patch(services, live, { metadata: { annotations: { mark: "1" } } }, context);
    expect(client.calls.at(-1)).toMatchObject({
      verb: "patch",
      body: { metadata: { uid: live.metadata.uid, annotations: { mark: "1" } } },
    });
    expect(tracker.pending("a/parent")?.resource).toBe("services");
  });

  test("is left alone where the object is gone", async () => {
    client.put(services, pod);
    await settle();
    const live = cache.of(services).store.get({ namespace: "a", name: "other" });
    if (live === undefined) throw new Error("the cache has it");
    client.remove(services, { namespace: "a", name: "other" });
    await applier.patch(services, live, { metadata: { annotations: { mark: "1" } } }, context);
    expect(client.peek(services, { namespace: "a", name: "other" })).toBeUndefined();
  });
});
