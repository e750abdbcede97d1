import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KubeObject } from "../client/object.ts";
import { resourceType } from "../client/resource.ts";
import { Cache } from "../cache/cache.ts";
import type { RunSignals } from "../controller/controller.ts";
import { LeaseElector } from "./lease.ts";
import { leaseType } from "./lease-type.ts";
import { silentLogger } from "../logger.ts";
import { Manager, type ManagerOptions, type Runnable } from "./manager.ts";
import { noMetrics, RuntimeMetrics } from "../metrics.ts";
import { FakeClock, settle } from "../testing/fake-clock.ts";
import { InMemoryKubeClient } from "../testing/in-memory-client.ts";

const things = resourceType<KubeObject>({
  group: "",
  version: "v1",
  kind: "Thing",
  plural: "things",
  namespaced: true,
});
const leaseRef = { namespace: "operators", name: "operator" };

let client: InMemoryKubeClient;
let clock: FakeClock;
let cache: Cache;
let elector: LeaseElector;
let log: string[];
let stop: AbortController;

beforeEach(() => {
  client = new InMemoryKubeClient();
  clock = new FakeClock();
  log = [];
  stop = new AbortController();
  const shared = { client, clock, random: () => 0.5, logger: silentLogger };
  cache = new Cache({ ...shared, metrics: new RuntimeMetrics(noMetrics) });
  cache.add({ type: things });
  const gauge = { set: () => undefined, inc: () => undefined };
  elector = new LeaseElector({ ...shared, ref: leaseRef, identity: "me", gauge });
});
afterEach(() => {
  stop.abort(new Error("over"));
});

function runnable(name: string, lagMs = 0): Runnable {
  return {
    name,
    async run({ stop, abort }: RunSignals) {
      log.push(`${name} starts, synced ${cache.hasSynced}, leader ${elector.isLeader}`);
      const stopped = Promise.withResolvers<void>();
      stop.addEventListener("abort", () => stopped.resolve());
      await stopped.promise;
      await clock.sleep(lagMs, abort).catch(() => log.push(`${name} aborted`));
      log.push(`${name} ends, leader ${elector.isLeader}`);
    },
  };
}

const manager = (options: Partial<ManagerOptions> = {}): Manager =>
  new Manager({ cache, elector, leading: [runnable("controller")], clock, logger: silentLogger, ...options });

const holder = (): string | undefined => client.peek(leaseType, leaseRef)?.spec?.holderIdentity;

/** What a promise is rejected with. */
const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("a manager", () => {
  test("syncs caches, then leads, then starts controllers; and gives the lease back last", async () => {
    const run = manager({ always: [runnable("webhook")] }).run(stop.signal);
    await clock.advance(1000);
    expect(holder()).toBe("me");
    stop.abort(new Error("SIGTERM"));
    await clock.advance(1000);
    await run;
    expect(log).toEqual([
      "webhook starts, synced false, leader false",
      "controller starts, synced true, leader true",
      "webhook ends, leader true",
      "controller ends, leader true",
    ]);
    expect(holder()).toBe("");
    expect(clock.pendingTimers).toBe(0);
  });

  test("asks its preflight before it reads or writes anything, while what always runs runs", async () => {
    const asked = Promise.withResolvers<void>();
    const always = [runnable("health")];
    const run = manager({ always, preflight: async () => asked.promise }).run(stop.signal);
    await clock.advance(1000);
    expect([client.calls, log]).toEqual([[], ["health starts, synced false, leader false"]]);
    asked.resolve();
    await clock.advance(1000);
    expect([holder(), log[1]]).toEqual(["me", "controller starts, synced true, leader true"]);
    stop.abort(new Error("SIGTERM"));
    await clock.advance(1000);
    await run;
  });

  test("ends with its preflight's refusal, and nothing was asked of the server", async () => {
    const refusal = new Error("too old");
    const ended = failure(
      manager({ always: [runnable("health")], preflight: async () => Promise.reject(refusal) }).run(
        stop.signal,
      ),
    );
    await clock.advance(1000);
    expect(await ended).toBe(refusal);
    expect([client.calls, log.at(-1)]).toEqual([[], "health ends, leader false"]);
  });

  test("keeps a standby's caches warm, and stops one that never led without a trace", async () => {
    client.put(leaseType, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { ...leaseRef },
      spec: { holderIdentity: "other", leaseDurationSeconds: 15 },
    });
    const run = manager().run(stop.signal);
    await clock.advance(10_000);
    expect([cache.hasSynced, log.length]).toEqual([true, 0]);
    stop.abort(new Error("SIGTERM"));
    await run;
    expect(holder()).toBe("other");
    expect(client.writes).toEqual([]);
  });

  test("waits for what is in hand while it drains, renewing the lease, and aborts what takes too long", async () => {
    const leading = [runnable("quick", 5000), runnable("stuck", 1e9)];
    const run = manager({ leading, drainSeconds: 20 }).run(stop.signal);
    await clock.advance(1000);
    stop.abort(new Error("SIGTERM"));
    await clock.advance(19_000);
    expect(log.slice(2)).toEqual(["quick ends, leader true"]);
    expect(holder()).toBe("me");
    await clock.advance(1000);
    await run;
    expect(log.slice(3)).toEqual(["stuck aborted", "stuck ends, leader true"]);
    expect(holder()).toBe("");
  });

  test("aborts everything at once and throws when the lease is lost, and leaves it to its holder", async () => {
    const run = manager({ leading: [runnable("controller", 1e9)] }).run(stop.signal);
    const failed = failure(run);
    await clock.advance(1000);
    const live = client.peek(leaseType, leaseRef);
    client.put(leaseType, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { ...leaseRef, uid: live?.metadata.uid ?? "" },
      spec: { holderIdentity: "other", leaseDurationSeconds: 15 },
    });
    await clock.advance(2000);
    expect(await failed).toMatchObject({ message: "other holds lease operator now" });
    expect(log.at(-1)).toBe("controller ends, leader false");
    expect(holder()).toBe("other");
  });

  test("stops in order and throws when a part fails", async () => {
    const broken: Runnable = {
      name: "broken",
      run: async () => {
        await clock.sleep(5000);
        throw new Error("the port is taken");
      },
    };
    const run = manager({ leading: [broken, runnable("controller")] }).run(stop.signal);
    const failed = failure(run);
    await clock.advance(6000);
    expect(await failed).toMatchObject({ message: "the port is taken" });
    expect(log.at(-1)).toBe("controller ends, leader true");
    expect(holder()).toBe("");
  });

  test("gives up when a cache does not sync, and says which", async () => {
    client.intercept = ({ verb }) => {
      if (verb === "list") throw new Error("forbidden");
    };
    const run = manager({ cacheSyncTimeoutSeconds: 120 }).run(stop.signal);
    const failed = failure(run);
    await clock.advance(121_000);
    expect(await failed).toMatchObject({ code: "cache_sync", message: "no list of things/v1 within 120 s" });
    expect(log).toEqual([]);
  });

  test("that is told to stop before it started does nothing", async () => {
    stop.abort(new Error("SIGTERM"));
    await manager().run(stop.signal);
    await settle();
    expect(log).toEqual([]);
    expect(client.writes).toEqual([]);
  });
});
