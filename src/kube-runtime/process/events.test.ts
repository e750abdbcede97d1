import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ApiError, ConnectionError } from "../client/errors.ts";
import type { KubeObject, Live } from "../client/object.ts";
import { EventRecorder, eventType, type EventContent, type KubeEvent } from "./events.ts";
import { silentLogger } from "../logger.ts";
import { noMetrics, RuntimeMetrics } from "../metrics.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { InMemoryKubeClient } from "../testing/in-memory-client.ts";

let client: InMemoryKubeClient;
let clock: FakeClock;
let recorder: EventRecorder;
let running: Promise<void>;
let end: AbortController;

beforeEach(() => {
  client = new InMemoryKubeClient();
  clock = new FakeClock();
  end = new AbortController();
  recorder = new EventRecorder({
    client,
    controller: "example.dev/controller",
    instance: "host_1",
    clock,
    random: () => 0,
    logger: silentLogger,
    metrics: new RuntimeMetrics(noMetrics),
  });
  running = recorder.run(end.signal);
});
afterEach(async () => {
  end.abort(new Error("over"));
  await running;
});

const thing = (name: string): Live<KubeObject> => ({
  apiVersion: "example.dev/v1",
  kind: "Thing",
  metadata: { name, namespace: "a", uid: `uid-${name}`, resourceVersion: "1" },
});
const scaled: EventContent = { type: "Normal", reason: "Scaled", action: "Scale", note: "from 1 to 2" };
const events = async (): Promise<readonly Live<KubeEvent>[]> => (await client.list(eventType)).items;

describe("an event", () => {
  test("says what, to what, by whom", async () => {
    recorder.record(thing("one"), scaled);
    await clock.advance(0);
    expect(await events()).toMatchObject([
      {
        metadata: { namespace: "a", name: expect.stringMatching(/^one\.[0-9a-f]{22}$/) },
        eventTime: "2026-01-01T00:00:00.000000Z",
        type: "Normal",
        reason: "Scaled",
        action: "Scale",
        note: "from 1 to 2",
        regarding: {
          apiVersion: "example.dev/v1",
          kind: "Thing",
          name: "one",
          namespace: "a",
          uid: "uid-one",
        },
        reportingController: "example.dev/controller",
        reportingInstance: "host_1",
      },
    ]);
  });

  test("has a name that sorts by time, so that kubectl describe tells a life in its order", async () => {
    const told = ["Fits", "Placed", "Loaded", "Serving", "Scaled"];
    for (const [step, reason] of told.entries()) {
      recorder.record(thing("one"), { ...scaled, reason });
      // Some fall into the same millisecond.
      await clock.advance(step % 2);
    }
    const byName = (await events()).toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    expect(byName.map(({ reason }) => reason)).toEqual(told);
  });

  test("that repeats within six minutes is counted, not repeated, at two writes a minute", async () => {
    for (let second = 0; second < 120; second += 1) {
      recorder.record(thing("one"), scaled);
      await clock.advance(1000);
    }
    await clock.advance(30_000);
    expect(await events()).toMatchObject([{ series: { count: 120 } }]);
    expect(client.writes.length).toBeLessThanOrEqual(5);
  });

  test("that comes back after six minutes is a new one", async () => {
    recorder.record(thing("one"), scaled);
    await clock.advance(6 * 60_000);
    recorder.record(thing("one"), scaled);
    await clock.advance(0);
    expect(await events()).toHaveLength(2);
  });

  test("about another object, or with other words, is another", async () => {
    recorder.record(thing("one"), scaled);
    recorder.record(thing("two"), scaled);
    recorder.record(thing("one"), { ...scaled, note: "from 2 to 3" });
    await clock.advance(0);
    expect(await events()).toHaveLength(3);
  });

  test("is one of 25 at once for an object, and one every five minutes after", async () => {
    const flood = (): void => {
      for (let index = 0; index < 100; index += 1) {
        recorder.record(thing("one"), { ...scaled, note: `${clock.now()} ${index}` });
      }
    };
    flood();
    await clock.advance(0);
    expect(await events()).toHaveLength(25);
    await clock.advance(10 * 60_000);
    flood();
    await clock.advance(0);
    expect(await events()).toHaveLength(27);
  });

  test("is cut to what the API server takes, without half a character", async () => {
    recorder.record(thing("one"), { ...scaled, note: "ä".repeat(2000), reason: "R".repeat(200) });
    await clock.advance(0);
    const [event] = await events();
    expect(Buffer.byteLength(event?.note ?? "")).toBeLessThanOrEqual(1024);
    expect(event?.note).toMatch(/^ä+…$/);
    expect(event?.reason).toHaveLength(128);
  });
});

describe("the recorder", () => {
  test("tries again while the API server is away, and gives up on what is refused", async () => {
    let failures = 3;
    client.intercept = () => {
      if (failures === 0) return;
      failures -= 1;
      throw new ConnectionError("connect", "POST events");
    };
    recorder.record(thing("one"), scaled);
    await clock.advance(60_000);
    expect(await events()).toHaveLength(1);
    client.intercept = () => {
      throw new ApiError("POST events", { code: 403, reason: "Forbidden" });
    };
    recorder.record(thing("two"), scaled);
    await clock.advance(600_000);
    expect(client.writes.filter((write) => write.includes("two"))).toHaveLength(1);
  });

  test("does not send twice what was stored without an answer", async () => {
    client.intercept = ({ verb, body }) => {
      if (verb !== "create") return;
      client.intercept = () => undefined;
      client.put(eventType, body as KubeEvent);
      throw new ConnectionError("reset", "POST events");
    };
    recorder.record(thing("one"), scaled);
    await clock.advance(60_000);
    expect(await events()).toHaveLength(1);
  });

  test("never waits for more than a thousand", async () => {
    const hold = Promise.withResolvers<void>();
    client.intercept = () => hold.promise;
    for (let index = 0; index < 3000; index += 1) recorder.record(thing(`thing-${index}`), scaled);
    hold.resolve();
    await recorder.flush();
    expect((await events()).length).toBeLessThanOrEqual(1001);
  });

  test("sends all before it stops, counts included, but waits no longer than 3 s", async () => {
    recorder.record(thing("one"), scaled);
    recorder.record(thing("one"), scaled);
    await recorder.flush();
    expect(await events()).toHaveLength(1);
    client.intercept = () => new Promise<void>(() => undefined);
    recorder.record(thing("two"), scaled);
    const flushed = recorder.flush();
    await clock.advance(3000);
    await flushed;
    client.intercept = () => undefined;
    running = Promise.resolve();
  });
});
