import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { FakeClock } from "../testing/fake-clock.ts";
import { TurnLimit } from "./turn.ts";

test("a turn is over after 20 ms, and a new one begins for all who gave way", async () => {
  const clock = new FakeClock();
  const turn = new TurnLimit(clock);
  clock.freeze(19);
  expect(turn.isOver).toBe(false);
  clock.freeze(1);
  expect(turn.isOver).toBe(true);
  await Promise.all([turn.next(), turn.next()]);
  expect(turn.isOver).toBe(false);
});

test("whatever waits for the event loop runs before those who gave way go on", async () => {
  const turn = new TurnLimit(new FakeClock());
  const order: string[] = [];
  const waiting = setImmediate().then(() => order.push("another's callback"));
  await turn.next();
  order.push("the worker");
  await waiting;
  expect(order).toEqual(["another's callback", "the worker"]);
});
