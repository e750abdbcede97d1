import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { FakeClock } from "../testing/fake-clock.ts";
import { EventLoopYield } from "./event-loop-yield.ts";

test("it is due after 20 ms, and a new iteration begins for all who gave way", async () => {
  const clock = new FakeClock();
  const eventLoop = new EventLoopYield(clock);
  clock.freeze(19);
  expect(eventLoop.isDue).toBe(false);
  clock.freeze(1);
  expect(eventLoop.isDue).toBe(true);
  await Promise.all([eventLoop.giveWay(), eventLoop.giveWay()]);
  expect(eventLoop.isDue).toBe(false);
});

test("whatever waits for the event loop runs before those who gave way go on", async () => {
  const eventLoop = new EventLoopYield(new FakeClock());
  const order: string[] = [];
  const waiting = setImmediate().then(() => order.push("another's callback"));
  await eventLoop.giveWay();
  order.push("the worker");
  await waiting;
  expect(order).toEqual(["another's callback", "the worker"]);
});
