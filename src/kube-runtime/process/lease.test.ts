import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiError, ConnectionError, FencedError } from "../client/errors.ts";
import { LeadershipLostError, LeaseElector } from "./lease.ts";
import { leaseType } from "./lease-type.ts";
import { silentLogger } from "../logger.ts";
import { FakeClock, settle } from "../testing/fake-clock.ts";
import { InMemoryKubeClient } from "../testing/in-memory-client.ts";

const ref = { namespace: "operators", name: "operator" };

interface Candidate {
  readonly elector: LeaseElector;
  readonly client: InMemoryKubeClient;
  readonly clock: FakeClock;
}

/** A candidate; those that share a client and a clock compete. */
function candidate(
  identity: string,
  clock = new FakeClock(),
  client = new InMemoryKubeClient(),
  { namespace = ref.namespace, random = (): number => 0.5 } = {},
): Candidate {
  const elector = new LeaseElector({
    client,
    ref: { ...ref, namespace },
    identity,
    clock,
    random,
    logger: silentLogger,
    gauge: { set: () => undefined, inc: () => undefined },
  });
  return { elector, client, clock };
}

const holderIn = (client: InMemoryKubeClient): string | undefined =>
  client.peek(leaseType, ref)?.spec?.holderIdentity;

const outage = (): void => {
  throw new ConnectionError("timeout", "PUT lease");
};

describe("a candidate", () => {
  test("takes a lease that does not exist", async () => {
    const { elector, client } = candidate("a");
    await elector.acquire(new AbortController().signal);
    expect(elector.isLeader).toBe(true);
    expect(client.peek(leaseType, ref)?.spec).toMatchObject({
      holderIdentity: "a",
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      renewTime: "2026-01-01T00:00:00.000000Z",
    });
  });

  test("waits the whole lease time from its own first look, whatever the times in the lease say", async () => {
    const { elector, client, clock } = candidate("b");
    client.put(leaseType, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { ...ref },
      spec: { holderIdentity: "a", leaseDurationSeconds: 15, renewTime: "2001-01-01T00:00:00.000000Z" },
    });
    const acquired = elector.acquire(new AbortController().signal);
    await clock.advance(14_900);
    expect(elector.isLeader).toBe(false);
    await clock.advance(200);
    await acquired;
    expect(client.peek(leaseType, ref)?.spec).toMatchObject({ holderIdentity: "b", leaseTransitions: 1 });
  });

  test("takes a released lease at once", async () => {
    const clock = new FakeClock();
    const client = new InMemoryKubeClient();
    const leader = candidate("a", clock, client);
    const standby = candidate("b", clock, client);
    await leader.elector.acquire(new AbortController().signal);
    const acquired = standby.elector.acquire(new AbortController().signal);
    await clock.advance(5000);
    expect(standby.elector.isLeader).toBe(false);
    await leader.elector.release();
    await clock.advance(0);
    await acquired;
    expect([leader.elector.isLeader, standby.elector.isLeader]).toEqual([false, true]);
  });

  test("is not fooled by a silent watch: it asks before it takes", async () => {
    const clock = new FakeClock();
    const client = new InMemoryKubeClient();
    const leader = candidate("a", clock, client);
    await leader.elector.acquire(new AbortController().signal);
    const stop = new AbortController();
    const holding = leader.elector.hold(stop.signal);
    const deaf = candidate("b", clock, client);
    client.watch = async function* (_, { signal }) {
      await clock.sleep(1e9, signal);
      yield* [];
    };
    const waiting = deaf.elector.acquire(stop.signal).catch(() => undefined);
    await clock.advance(300_000);
    expect(holderIn(client)).toBe("a");
    stop.abort(new Error("over"));
    await Promise.all([holding, waiting]);
  });

  test("gives up waiting when told to", async () => {
    const { elector, client } = candidate("b");
    await candidate("a", new FakeClock(), client).elector.acquire(new AbortController().signal);
    const stop = new AbortController();
    const acquired = elector.acquire(stop.signal);
    await settle();
    stop.abort(new Error("over"));
    await expect(acquired).rejects.toThrow("over");
  });
});

describe("a leader", () => {
  async function lead(): Promise<
    Candidate & { readonly holding: Promise<void>; readonly stop: AbortController }
  > {
    const one = candidate("a");
    const stop = new AbortController();
    await one.elector.acquire(stop.signal);
    const holding = one.elector.hold(stop.signal);
    // Seen by the test when it looks; until then not an unhandled rejection.
    holding.catch(() => undefined);
    return { ...one, holding, stop };
  }

  test("renews every two seconds", async () => {
    const { elector, client, clock, stop, holding } = await lead();
    await clock.advance(60_000);
    expect(elector.isLeader).toBe(true);
    expect(client.writes.filter((write) => write.startsWith("replace"))).toHaveLength(30);
    stop.abort(new Error("over"));
    await holding;
  });

  test("may not write once its last renewal is older than the deadline, before any timer runs", async () => {
    const { elector, clock } = await lead();
    clock.freeze(9_999);
    expect(() => elector.fence.check()).not.toThrow();
    clock.freeze(1);
    expect(() => elector.fence.check()).toThrow(FencedError);
  });

  test("survives an API server that is away for 30 s: writes stop, and go on after", async () => {
    const { elector, client, clock, stop, holding } = await lead();
    client.intercept = outage;
    await clock.advance(30_000);
    expect(elector.isLeader).toBe(false);
    client.intercept = () => undefined;
    await clock.advance(2000);
    expect(elector.isLeader).toBe(true);
    stop.abort(new Error("over"));
    await expect(holding).resolves.toBeUndefined();
  });

  test("counts a renewal from when it was sent, not from when the answer came", async () => {
    const { elector, client, clock } = await lead();
    client.intercept = async ({ verb }) => {
      if (verb === "replace") await clock.sleep(4000);
    };
    // Sent at 2 s, answered at 6 s: good until 12 s.
    await clock.advance(6000);
    client.intercept = outage;
    await clock.advance(5900);
    expect(elector.isLeader).toBe(true);
    await clock.advance(100);
    expect(elector.isLeader).toBe(false);
  });

  test("that was paused while another took over learns it, and is never a second writer", async () => {
    const { elector, client, clock, holding } = await lead();
    const other = candidate("b", new FakeClock(), client);
    const acquired = other.elector.acquire(new AbortController().signal);
    await other.clock.advance(15_100);
    await acquired;
    clock.freeze(15_100);
    expect(elector.isLeader).toBe(false);
    await clock.advance(2000);
    await expect(holding).rejects.toBeInstanceOf(LeadershipLostError);
    expect(holderIn(client)).toBe("b");
    expect(other.elector.isLeader).toBe(true);
  });

  test("whose renewal took effect but was not answered goes on", async () => {
    const { elector, client, clock } = await lead();
    let lose = true;
    client.intercept = ({ verb, body }) => {
      if (verb !== "replace" || !lose) return;
      lose = false;
      client.put(leaseType, body as never);
      outage();
    };
    await clock.advance(10_000);
    expect(elector.isLeader).toBe(true);
  });

  test("survives another client's label on the lease, and its deletion", async () => {
    const { elector, client, clock } = await lead();
    const live = client.peek(leaseType, ref);
    if (live !== undefined)
      client.put(leaseType, { ...live, metadata: { ...live.metadata, labels: { a: "b" } } });
    await clock.advance(4000);
    client.remove(leaseType, ref);
    await clock.advance(4000);
    expect(elector.isLeader).toBe(true);
    expect(holderIn(client)).toBe("a");
  });

  test("that released never writes again", async () => {
    const { elector, client, stop, holding } = await lead();
    stop.abort(new Error("over"));
    await holding;
    await elector.release();
    expect(() => elector.fence.check()).toThrow("not the leader");
    expect(holderIn(client)).toBe("");
  });
});

test("of two candidates that race for a free lease one wins", async () => {
  const clock = new FakeClock();
  const client = new InMemoryKubeClient();
  const both = [candidate("a", clock, client), candidate("b", clock, client)];
  const stop = new AbortController();
  const races = both.map(({ elector }) => elector.acquire(stop.signal).catch(() => undefined));
  await clock.advance(5000);
  expect(both.filter(({ elector }) => elector.isLeader)).toHaveLength(1);
  stop.abort(new Error("over"));
  await Promise.all(races);
});

describe("of two installations in one cluster", () => {
  test("the second stands by, and leads once the first has gone", async () => {
    const clock = new FakeClock();
    const client = new InMemoryKubeClient();
    const first = candidate("a", clock, client);
    const second = candidate("b", clock, client, { namespace: "others" });
    const stop = new AbortController();
    await first.elector.acquire(stop.signal);
    const holding = first.elector.hold(stop.signal);
    const acquired = second.elector.acquire(new AbortController().signal);
    await clock.advance(120_000);
    expect([first.elector.isLeader, second.elector.isLeader]).toEqual([true, false]);
    expect(client.peek(leaseType, { ...ref, namespace: "others" })).toBeUndefined();
    stop.abort();
    await holding;
    await first.elector.release();
    await clock.advance(5000);
    await acquired;
    expect(second.elector.isLeader).toBe(true);
  });

  test("the second leads once the Lease of a killed one has expired", async () => {
    const clock = new FakeClock();
    const client = new InMemoryKubeClient();
    await candidate("a", clock, client).elector.acquire(new AbortController().signal);
    const second = candidate("b", clock, client, { namespace: "others" });
    const acquired = second.elector.acquire(new AbortController().signal);
    await clock.advance(14_000);
    expect(second.elector.isLeader).toBe(false);
    await clock.advance(5000);
    await acquired;
    expect(second.elector.isLeader).toBe(true);
  });

  test("started at once, with answers that come at any time, one leads in the end and never both", async () => {
    const delays = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 8, maxLength: 8 });
    const randoms = fc.infiniteStream(fc.noBias(fc.integer({ min: 0, max: 999 })));
    await fc.assert(
      fc.asyncProperty(delays, randoms, async (delaysMs, randoms) => {
        const clock = new FakeClock();
        const client = new InMemoryKubeClient();
        const left = [...delaysMs];
        client.intercept = async () => clock.sleep(left.shift() ?? 10);
        const random = () => (randoms.next().value as number) / 1000;
        const leading: LeaseElector[] = [];
        const ended = new AbortController();
        const all = ["one", "two"].map(async (namespace) => {
          const { elector } = candidate(namespace, clock, client, { namespace, random });
          await elector.acquire(ended.signal);
          leading.push(elector);
          await elector.hold(ended.signal);
        });
        for (let second = 0; second < 90; second += 1) await clock.advance(1000);
        expect(leading.map(({ isLeader }) => isLeader)).toEqual([true]);
        const over = Promise.allSettled(all);
        ended.abort(new Error("over"));
        await clock.advance(3000);
        await over;
      }),
      { numRuns: 50 },
    );
  });

  test("one that may not look for others leads, as before it could", async () => {
    const { elector, client } = candidate("a");
    client.list = async () => Promise.reject(new ApiError("GET leases", { code: 403, reason: "Forbidden" }));
    await elector.acquire(new AbortController().signal);
    expect(elector.isLeader).toBe(true);
  });

  test("a leader that was away while another installation took over is no second writer", async () => {
    const clock = new FakeClock();
    const client = new InMemoryKubeClient();
    let isAway = false;
    // The same server; the first one's connection to it fails for a while, as a node's may, or it is suspended.
    const ofFirst = new Proxy(client, {
      get(target, name) {
        const found = Reflect.get(target, name, target) as unknown;
        if (typeof found !== "function") return found;
        return (...args: readonly unknown[]) => {
          if (isAway) throw new ConnectionError("timeout", "PUT lease");
          return (found as (...a: readonly unknown[]) => unknown).apply(target, [...args]);
        };
      },
    });
    const elector = (namespace: string, its: InMemoryKubeClient): LeaseElector =>
      new LeaseElector({
        client: its,
        ref: { namespace, name: "operator" },
        identity: namespace,
        clock,
        random: () => 0.5,
        logger: silentLogger,
        gauge: { set: () => undefined, inc: () => undefined },
      });
    const stop = new AbortController();
    const first = elector("one", ofFirst);
    await first.acquire(stop.signal);
    const holding = first.hold(stop.signal).catch(() => undefined);
    const second = elector("two", client);
    const acquired = second
      .acquire(stop.signal)
      .then(async () => second.hold(stop.signal).catch(() => undefined));
    await clock.advance(10_000);
    expect([first.isLeader, second.isLeader]).toEqual([true, false]);
    isAway = true;
    await clock.advance(30_000);
    expect([first.isLeader, second.isLeader]).toEqual([false, true]);
    isAway = false;
    await clock.advance(60_000);
    expect([first.isLeader, second.isLeader].filter(Boolean)).toHaveLength(1);
    stop.abort(new Error("over"));
    await clock.advance(5000);
    await Promise.all([holding, acquired]);
  });
});
