import { expect, test } from "vitest";
import { FakeClock } from "@llama-operator/kube-runtime/testing";
import { RequestBudget } from "./request-budget.ts";

const never = new AbortController().signal;

function setUp(limits: { readonly perSecond: number; readonly burst: number; readonly inFlight: number }) {
  const clock = new FakeClock();
  const budget = new RequestBudget(limits, clock);
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const request = async (signal = never): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await budget.spend(async () => {
      started.push(clock.monotonic());
      ends.push(resolve);
      await promise;
    }, signal);
  };
  return { clock, started, ends, request };
}

test("a burst starts at once, and what follows at its pace, in order", async () => {
  const { clock, started, ends, request } = setUp({ perSecond: 10, burst: 3, inFlight: 100 });
  const all = Promise.all(Array.from({ length: 6 }, async () => request()));
  await clock.advance(1000);
  expect(started).toEqual([0, 0, 0, 100, 200, 300]);
  for (const end of ends) end();
  await all;
});

test("a pause earns a burst again, and no more", async () => {
  const { clock, started, ends, request } = setUp({ perSecond: 10, burst: 2, inFlight: 100 });
  await clock.advance(60_000);
  const all = Promise.all(Array.from({ length: 3 }, async () => request()));
  await clock.advance(100);
  expect(started).toEqual([60_000, 60_000, 60_100]);
  for (const end of ends) end();
  await all;
});

test("no more than so many are in flight, and one that ends lets the next one start", async () => {
  const { clock, started, ends, request } = setUp({ perSecond: 1000, burst: 10, inFlight: 2 });
  const all = Promise.all(Array.from({ length: 3 }, async () => request()));
  await clock.advance(500);
  expect(started).toHaveLength(2);
  ends[0]?.();
  await clock.advance(0);
  expect(started).toEqual([0, 0, 500]);
  for (const end of ends) end();
  await all;
});

test("one that fails gives its place back, and its error", async () => {
  const clock = new FakeClock();
  const budget = new RequestBudget({ perSecond: 1000, burst: 10, inFlight: 1 }, clock);
  const failing = async (): Promise<never> => {
    throw new Error("refused");
  };
  await expect(budget.spend(failing, never)).rejects.toThrow("refused");
  await expect(budget.spend(async () => "next", never)).resolves.toBe("next");
});

test("one that is given up while it waits is never sent, and takes nobody's turn", async () => {
  const { clock, started, ends, request } = setUp({ perSecond: 1000, burst: 10, inFlight: 1 });
  const givenUp = new AbortController();
  const first = request();
  const second = request(givenUp.signal);
  const third = request();
  givenUp.abort(new Error("given up"));
  await expect(second).rejects.toThrow("given up");
  await clock.advance(0);
  ends[0]?.();
  await clock.advance(0);
  expect(started).toHaveLength(2);
  ends[1]?.();
  await Promise.all([first, third]);
  expect(clock.pendingTimers).toBe(0);
});
