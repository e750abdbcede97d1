import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noMetrics, RuntimeMetrics } from "../metrics.ts";
import { Priority, WorkQueue } from "./queue.ts";
import { FakeClock, settle } from "../testing/fake-clock.ts";

function newQueue(clock = new FakeClock()): { clock: FakeClock; queue: WorkQueue } {
  const metrics = new RuntimeMetrics(noMetrics).queue("test");
  return { clock, queue: new WorkQueue({ clock, metrics }) };
}

/** All that can be taken now, each done at once. */
async function drain(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) {
    const key = await queue.take();
    if (key === undefined) break;
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

describe("a work queue", () => {
  test("gives out a key once, however often it was added", async () => {
    const { queue } = newQueue();
    for (const key of ["a", "b", "a", "a"]) queue.add(key);
    expect(await drain(queue)).toEqual(["a", "b"]);
  });

  test("gives a key out again after done when it was added while in work, and not before", async () => {
    const { queue } = newQueue();
    queue.add("a");
    expect(await queue.take()).toBe("a");
    queue.add("a");
    queue.add("a");
    expect(queue.depth).toBe(0);
    queue.done("a");
    expect(await drain(queue)).toEqual(["a"]);
  });

  test("hands a key to a worker that waits for one", async () => {
    const { queue } = newQueue();
    const taken = queue.take();
    queue.add("a");
    expect(await taken).toBe("a");
  });

  test("keeps a key back until its delay is over", async () => {
    const { queue, clock } = newQueue();
    queue.add("a", { afterMs: 1000 });
    await clock.advance(999);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(await drain(queue)).toEqual(["a"]);
  });

  test("lets the earliest of several delays win, whichever came first", async () => {
    const { queue, clock } = newQueue();
    queue.add("a", { afterMs: 1000 });
    queue.add("a", { afterMs: 100 });
    queue.add("b", { afterMs: 100 });
    queue.add("b", { afterMs: 1000 });
    await clock.advance(100);
    expect(await drain(queue)).toEqual(["a", "b"]);
    await clock.advance(5000);
    expect(queue.depth).toBe(0);
  });

  test("takes a key out of its delay when it is added at once", async () => {
    const { queue, clock } = newQueue();
    queue.add("a", { afterMs: 1000 });
    queue.add("a");
    expect(await drain(queue)).toEqual(["a"]);
    await clock.advance(5000);
    expect(queue.depth).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("gives out what is urgent first, and raises a key that becomes urgent", async () => {
    const { queue } = newQueue();
    for (const key of ["old-1", "old-2", "old-3"]) queue.add(key, { priority: Priority.initial });
    queue.add("new");
    queue.add("old-3");
    expect(await drain(queue)).toEqual(["new", "old-3", "old-1", "old-2"]);
  });

  test.each([
    [0, 5],
    [1, 10],
    [7, 640],
    [13, 40_960],
    [14, 60_000],
    [40, 60_000],
  ])("after %i failures in a row delays by %i ms", async (failures, delayMs) => {
    const { queue, clock } = newQueue();
    for (let count = 0; count <= failures; count += 1) {
      // In work, so that each failure's delay starts anew.
      queue.add("a");
      await queue.take();
      queue.done("a");
      queue.addRateLimited("a");
    }
    await clock.advance(delayMs - 1);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
  });

  test("starts at the shortest delay again once a key has worked", async () => {
    const { queue, clock } = newQueue();
    const fail = async (): Promise<void> => {
      queue.add("a");
      await queue.take();
      queue.done("a");
      queue.addRateLimited("a");
    };
    for (let count = 0; count < 9; count += 1) await fail();
    await clock.advance(5);
    expect(queue.depth).toBe(0);
    queue.forget("a");
    await fail();
    await clock.advance(5);
    expect(queue.depth).toBe(1);
  });

  test("lets everybody go when it is stopped", async () => {
    const { queue, clock } = newQueue();
    const takers = [queue.take(), queue.take()];
    queue.add("late", { afterMs: 10 });
    queue.stop();
    queue.add("ignored");
    expect(await Promise.all(takers)).toEqual([undefined, undefined]);
    expect(await queue.take()).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });
});

type Step =
  | { readonly kind: "add"; readonly key: string; readonly afterMs: number; readonly priority: number }
  | { readonly kind: "take" }
  | { readonly kind: "done"; readonly fails: boolean }
  | { readonly kind: "wait"; readonly ms: number };

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("add" as const),
    key: fc.constantFrom("a", "b", "c", "d"),
    afterMs: fc.constantFrom(0, 0, 1, 7, 50),
    priority: fc.constantFrom(0, -100),
  }),
  fc.record({ kind: fc.constant("take" as const) }),
  fc.record({ kind: fc.constant("done" as const), fails: fc.boolean() }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 60 }) }),
);

test("whatever happens, no key is in work twice, and every add is followed by work on it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 60 }), async (script) => {
      const { queue, clock } = newQueue();
      const inWork: string[] = [];
      const owed = new Set<string>();
      const take = async (): Promise<void> => {
        const key = await queue.take();
        if (key === undefined) return;
        expect(inWork).not.toContain(key);
        inWork.push(key);
        owed.delete(key);
      };
      for (const step of script) {
        switch (step.kind) {
          case "add":
            queue.add(step.key, step);
            owed.add(step.key);
            break;
          case "take":
            if (queue.depth > 0) await take();
            break;
          case "done": {
            const key = inWork.shift();
            if (key === undefined) break;
            if (step.fails) {
              queue.addRateLimited(key);
              owed.add(key);
            }
            queue.done(key);
            break;
          }
          case "wait":
            await clock.advance(step.ms);
            break;
        }
        expect(queue.processing).toBe(inWork.length);
      }
      for (const key of inWork.splice(0)) queue.done(key);
      await clock.advance(2_000_000);
      while (queue.depth > 0) {
        await take();
        for (const key of inWork.splice(0)) queue.done(key);
      }
      expect([...owed]).toEqual([]);
      expect(queue.delayed).toBe(0);
      expect(clock.pendingTimers).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test("ten workers on a hundred keys never share one", async () => {
  const { queue } = newQueue();
  const inWork = new Set<string>();
  let done = 0;
  const worker = async (): Promise<void> => {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      expect(inWork.has(key)).toBe(false);
      inWork.add(key);
      await settle();
      inWork.delete(key);
      done += 1;
      queue.done(key);
    }
  };
  const workers = Array.from({ length: 10 }, worker);
  for (let round = 0; round < 3; round += 1) {
    for (let key = 0; key < 100; key += 1) queue.add(`key-${key}`);
    await settle();
  }
  while (queue.depth > 0 || queue.processing > 0) await settle();
  queue.stop();
  await Promise.all(workers);
  expect(done).toBeGreaterThanOrEqual(100);
});
