import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { orAborted, untilAborted } from "./abort.ts";

const never = new Promise<never>(() => undefined);
const reason = new Error("SIGTERM");

test("a promise comes to what it comes to, and leaves nothing on the signal", async () => {
  const { signal } = new AbortController();
  const failure = new Error("failed");
  expect(await orAborted(Promise.resolve(1), signal)).toBe(1);
  await expect(orAborted(Promise.reject(failure), signal)).rejects.toBe(failure);
  expect(await orAborted(Promise.resolve(2), undefined)).toBe(2);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("an abort ends the wait with its reason, before or while it lasts", async () => {
  const controller = new AbortController();
  const waiting = orAborted(never, controller.signal);
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(orAborted(never, controller.signal)).rejects.toBe(reason);
  await expect(orAborted(Promise.reject(new Error("too late")), controller.signal)).rejects.toBe(reason);
  expect(getEventListeners(controller.signal, "abort")).toEqual([]);
});

test("an abort can be waited for, and one that has been is over", async () => {
  const controller = new AbortController();
  let isOver = false;
  const waiting = untilAborted(controller.signal).then(() => (isOver = true));
  await Promise.resolve();
  expect(isOver).toBe(false);
  controller.abort(reason);
  await waiting;
  await untilAborted(controller.signal);
});
