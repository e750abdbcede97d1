import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KubeConnection } from "./connection.ts";
import { ApiError, ConnectionError, FencedError, isExpired } from "../../client/errors.ts";
import { HttpKubeClient, type HttpClientOptions } from "./http-client.ts";
import type { KubeObject } from "../../client/object.ts";
import { resourceType } from "../../client/resource.ts";
import { FlakyApiServer } from "../../testing/flaky-api-server.ts";
import type { WatchEvent } from "./watch.ts";

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}
const configMaps = resourceType<ConfigMap>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  namespaced: true,
});
const path = "/api/v1/configmaps";
const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "a" },
  data,
});

let server: FlakyApiServer;
let connection: KubeConnection;
const waits: number[] = [];
const client = (options: HttpClientOptions = {}): HttpKubeClient =>
  new HttpKubeClient(connection, {
    sleep: async (ms) => {
      waits.push(ms);
    },
    ...options,
  });

beforeEach(async () => {
  waits.length = 0;
  server = await FlakyApiServer.start();
  connection = new KubeConnection(server.config(), { userAgent: "test/1" });
});
afterEach(async () => {
  await connection.close();
  await server.close();
});

describe("requests", () => {
  test("send the user agent, and give back plain objects", async () => {
    server.put(path, configMap("one", { a: "1" }));
    const found = await client().get(configMaps, { namespace: "a", name: "one" });
    expect(found.data).toEqual({ a: "1" });
    expect(server.seen[0]?.headers["user-agent"]).toBe("test/1");
  });

  test("ask for no more than an apply's caller reads, and for JSON in any case", async () => {
    const { seen } = server;
    const accepted = () => seen.at(-1)?.headers.accept;
    await client().apply(configMaps, configMap("one"), { fieldManager: "me" });
    expect(accepted()).toBe("application/json");
    const options = { fieldManager: "me", answer: "metadata" } as const;
    const { metadata } = await client().apply(configMaps, configMap("one"), options);
    expect(accepted()).toBe("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
    expect(metadata.resourceVersion).toMatch(/^\d+$/);
  });

  test("share few connections", async () => {
    const few = new KubeConnection(server.config(), { userAgent: "test/1", maxRequestConnections: 4 });
    const busy = new HttpKubeClient(few);
    await Promise.all(Array.from({ length: 100 }, () => busy.list(configMaps)));
    expect(server.connections).toBeLessThanOrEqual(4);
    await few.close();
  });

  test("turn a refusal into an error that says what and why, and holds no body", async () => {
    const secret = configMap("one", { password: "hunter2" });
    server.fail(() => true, { kind: "status", code: 422, reason: "Invalid" });
    const error = await client()
      .create(configMaps, secret)
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      code: 422,
      reason: "Invalid",
      message: "POST /api/v1/namespaces/a/configmaps: 422 Invalid: refused: Invalid",
    });
    expect(JSON.stringify(error)).not.toContain("hunter2");
  });

  test("survive an answer that is not JSON", async () => {
    server.fail(() => true, { kind: "body", text: "<html>" });
    await expect(client().list(configMaps)).rejects.toMatchObject({ code: "malformed" });
  });

  test("end with the signal's reason when aborted, also while waiting for a connection", async () => {
    const one = new KubeConnection(server.config(), { userAgent: "test/1", maxRequestConnections: 1 });
    server.fail(() => true, { kind: "hang" }, 2);
    const abort = new AbortController();
    const slow = new HttpKubeClient(one);
    const calls = [
      slow.list(configMaps, { signal: abort.signal }),
      slow.list(configMaps, { signal: abort.signal }),
    ];
    setTimeout(() => abort.abort(new Error("enough")), 50);
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: "rejected", reason: { message: "enough" } });
    }
    await one.close();
  });

  test("time out when the server does not answer, and leave the pool usable", async () => {
    server.fail(() => true, { kind: "hang" });
    await expect(client({ requestTimeoutMs: 50 }).list(configMaps)).rejects.toMatchObject({
      name: "ConnectionError",
      code: "timeout",
    });
    await expect(client().list(configMaps)).resolves.toMatchObject({ items: [] });
  });

  test("say that nothing listens", async () => {
    await server.close();
    await expect(client().list(configMaps)).rejects.toMatchObject({ code: "connect" });
  });
});

describe("retries", () => {
  test("wait as long as a 429 says, for any verb", async () => {
    server.fail(() => true, { kind: "status", code: 429, retryAfter: "3" });
    await client().create(configMaps, configMap("one"));
    expect(waits).toEqual([3000]);
  });

  test("stop at the bound", async () => {
    server.fail(() => true, { kind: "status", code: 429, retryAfter: "20" }, 9);
    await expect(client().list(configMaps)).rejects.toMatchObject({ code: 429, retryAfterSeconds: 20 });
    expect(waits).toEqual([20_000]);
  });

  test("repeat a 503 only where that is safe", async () => {
    server.fail(() => true, { kind: "status", code: 503 }, 2);
    await expect(client().create(configMaps, configMap("one"))).rejects.toMatchObject({ code: 503 });
    await client().apply(configMaps, configMap("one"), { fieldManager: "me" });
    expect(waits).toEqual([1000]);
  });

  test("repeat a read once when a kept connection turns out to be closed", async () => {
    await client().list(configMaps);
    server.fail(() => true, { kind: "drop" });
    await expect(client().list(configMaps)).resolves.toMatchObject({ items: [] });
  });

  test("never repeat a write whose answer was lost", async () => {
    server.fail(({ method }) => method === "PATCH", { kind: "commitThenDrop" });
    const lost = client().apply(configMaps, configMap("one"), { fieldManager: "me" });
    await expect(lost).rejects.toBeInstanceOf(ConnectionError);
    expect(server.seen).toHaveLength(1);
    await expect(client().get(configMaps, { namespace: "a", name: "one" })).resolves.toBeDefined();
  });
});

describe("credentials", () => {
  test("are read again after a 401, and the request sent once more", async () => {
    let fileToken = "old";
    server.token = "old";
    const rotating = new KubeConnection(
      server.config(() => fileToken),
      { userAgent: "test/1" },
    );
    const rotated = new HttpKubeClient(rotating);
    await rotated.list(configMaps);
    server.token = "new";
    fileToken = "new";
    await expect(Promise.all([rotated.list(configMaps), rotated.list(configMaps)])).resolves.toHaveLength(2);
    await rotating.close();
  });

  test("that are refused twice are an error, not a loop", async () => {
    server.token = "other";
    const wrong = new KubeConnection(
      server.config(() => "wrong"),
      { userAgent: "test/1" },
    );
    await expect(new HttpKubeClient(wrong).list(configMaps)).rejects.toMatchObject({ code: 401 });
    expect(server.seen).toHaveLength(2);
    await wrong.close();
  });

  test("are read again after a minute", async () => {
    let now = 0;
    let reads = 0;
    const config = server.config(() => {
      reads += 1;
      return undefined;
    });
    const aging = new KubeConnection(config, { userAgent: "test/1", now: () => now });
    const agingClient = new HttpKubeClient(aging);
    await agingClient.list(configMaps);
    now = 59_000;
    await agingClient.list(configMaps);
    expect(reads).toBe(1);
    now = 61_000;
    await agingClient.list(configMaps);
    expect(reads).toBe(2);
    await aging.close();
  });
});

describe("the fence", () => {
  test("stops writes before they leave, and lets reads pass", async () => {
    const fence = {
      check: () => {
        throw new FencedError("not the leader");
      },
    };
    const fenced = client({ fence });
    await expect(fenced.create(configMaps, configMap("one"))).rejects.toBeInstanceOf(FencedError);
    await expect(fenced.apply(configMaps, configMap("one"), { fieldManager: "me" })).rejects.toBeInstanceOf(
      FencedError,
    );
    await expect(fenced.delete(configMaps, { namespace: "a", name: "one" })).rejects.toBeInstanceOf(
      FencedError,
    );
    await fenced.list(configMaps);
    expect(server.seen.map(({ method }) => method)).toEqual(["GET"]);
  });

  test("is asked again after the wait for a connection", async () => {
    const one = new KubeConnection(server.config(), { userAgent: "test/1", maxRequestConnections: 1 });
    let open = true;
    const fenced = new HttpKubeClient(one, {
      fence: {
        check: () => {
          if (!open) throw new FencedError("too late");
        },
      },
    });
    server.fail(() => true, { kind: "delay", ms: 100 });
    const slow = fenced.list(configMaps);
    const queued = fenced.create(configMaps, configMap("one"));
    setTimeout(() => {
      open = false;
    }, 20);
    await slow;
    await expect(queued).rejects.toBeInstanceOf(FencedError);
    expect(server.seen).toHaveLength(1);
    await one.close();
  });
});

describe("lists", () => {
  beforeEach(() => {
    for (let index = 0; index < 5; index += 1) server.put(path, configMap(`map-${index}`));
  });

  test("come by pages, whole, with apiVersion and kind", async () => {
    const { items, resourceVersion } = await client().list(configMaps, { limit: 2 });
    expect(items.map((item) => item.metadata.name)).toEqual(["map-0", "map-1", "map-2", "map-3", "map-4"]);
    expect(items[0]).toMatchObject({ apiVersion: "v1", kind: "ConfigMap" });
    expect(resourceVersion).toBe(server.resourceVersion);
    expect(server.seen).toHaveLength(3);
  });

  test("start again when a continue token has expired", async () => {
    server.fail(({ query }) => query.has("continue"), { kind: "status", code: 410, reason: "Expired" });
    const { items } = await client().list(configMaps, { limit: 2 });
    expect(items).toHaveLength(5);
  });

  test("tell what reads pages that a token has expired", async () => {
    const pages = client().pages(configMaps, { limit: 2 });
    const names: string[] = [];
    const error = await (async () => {
      for await (const page of pages) {
        names.push(...page.items.map((item) => item.metadata.name));
        server.put(path, configMap("later"));
        server.compact();
      }
      return undefined;
    })().catch((caught: unknown) => caught);
    expect(names).toEqual(["map-0", "map-1"]);
    expect(isExpired(error)).toBe(true);
  });
});

describe("watches", () => {
  const collect = async (
    events: AsyncIterable<WatchEvent<ConfigMap>>,
    count = Number.POSITIVE_INFINITY,
  ): Promise<string[]> => {
    const lines: string[] = [];
    for await (const event of events) {
      const what = event.type === "BOOKMARK" ? event.resourceVersion : event.object.metadata.name;
      lines.push(`${event.type} ${what}`);
      if (lines.length === count) break;
    }
    return lines;
  };

  test("give changes since a resourceVersion, in order, and bookmarks", async () => {
    const from = server.resourceVersion;
    server.put(path, configMap("one"));
    const events = collect(client().watch(configMaps, { resourceVersion: from }), 4);
    await expect.poll(() => server.openWatches).toBe(1);
    server.put(path, configMap("one", { a: "2" }));
    server.remove("/api/v1/namespaces/a/configmaps/one");
    server.bookmark();
    expect(await events).toEqual([
      "ADDED one",
      "MODIFIED one",
      "DELETED one",
      `BOOKMARK ${server.resourceVersion}`,
    ]);
    await expect.poll(() => server.openWatches).toBe(0);
  });

  test("join events that arrive in pieces, also inside a character", async () => {
    const events = collect(client().watch(configMaps, { resourceVersion: server.resourceVersion }), 2);
    await expect.poll(() => server.openWatches).toBe(1);
    const line = JSON.stringify({
      type: "ADDED",
      object: { metadata: { name: "größe", resourceVersion: "2000", uid: "u" } },
    });
    for (const byte of Buffer.from(`${line}\n${line}\n`)) server.writeToWatches(Buffer.from([byte]));
    expect(await events).toEqual(["ADDED größe", "ADDED größe"]);
  });

  test("end quietly when the server ends them", async () => {
    const events = collect(client().watch(configMaps, { resourceVersion: server.resourceVersion }));
    await expect.poll(() => server.openWatches).toBe(1);
    server.endWatches();
    expect(await events).toEqual([]);
  });

  test("fail when they are cut, truncated or garbled: no event is skipped", async () => {
    const outcomes: unknown[] = [];
    const break_ = async (how: () => void): Promise<void> => {
      const events = collect(client().watch(configMaps, { resourceVersion: server.resourceVersion }));
      await expect.poll(() => server.openWatches).toBe(1);
      how();
      outcomes.push(await events.catch((error: unknown) => (error as ConnectionError).code));
      await expect.poll(() => server.openWatches).toBe(0);
    };
    await break_(() => server.cutWatches());
    await break_(() => {
      server.writeToWatches('{"type":"ADDED","object":{"meta');
      server.endWatches();
    });
    await break_(() => server.writeToWatches("{]}\n"));
    await break_(() => server.writeToWatches('{"type":"SURPRISE","object":{}}\n'));
    expect(outcomes).toEqual(["truncated", "truncated", "malformed", "malformed"]);
  });

  test("say when the resourceVersion is too old, as status and inside the stream", async () => {
    const from = server.resourceVersion;
    server.put(path, configMap("one"));
    server.compact();
    const inside = await collect(client().watch(configMaps, { resourceVersion: from })).catch(
      (e: unknown) => e,
    );
    server.fail(() => true, { kind: "status", code: 410, reason: "Expired" });
    const outside = await collect(client().watch(configMaps, { resourceVersion: from })).catch(
      (e: unknown) => e,
    );
    expect([isExpired(inside), isExpired(outside)]).toEqual([true, true]);
  });
});

describe("serves", () => {
  test("tells a kind that is there from one that is not", async () => {
    server.put(path, configMap("one"));
    await expect(client().serves(configMaps)).resolves.toBe(true);
    server.unserved.add("/api/v1");
    await expect(client().serves(configMaps)).resolves.toBe(false);
  });
});
