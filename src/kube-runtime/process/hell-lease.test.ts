// Of two installations: what becomes of a leader that was away for longer than its lease while the other one took over.
import { expect, test } from "vitest";
import { ConnectionError } from "../client/errors.ts";
import { silentLogger } from "../logger.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { InMemoryKubeClient } from "../testing/in-memory-client.ts";
import { LeaseElector } from "./lease.ts";

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
  const acquired = second.acquire(stop.signal).then(async () => second.hold(stop.signal).catch(() => undefined));
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
