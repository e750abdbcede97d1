import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { takeBuildLock } from "./build-lock.ts";

test("a second taker is told who holds the lock, and gets it once it is released", async () => {
  const name = randomUUID();
  const order: string[] = [];
  const first = await takeBuildLock(name, () => order.push("never"));
  const second = takeBuildLock(name, (holderPid) => {
    order.push(`waits for ${holderPid}`);
    setTimeout(() => {
      order.push("released");
      void first[Symbol.asyncDispose]();
    }, 20);
  });
  await using _taken = await second;
  order.push("taken");
  expect(order).toEqual([`waits for ${process.pid}`, "released", "taken"]);
});

test("locks of other names are free", async () => {
  await using first = await takeBuildLock(randomUUID(), () => {});
  await using second = await takeBuildLock(randomUUID(), () => {});
  expect(first.name).not.toBe(second.name);
});

test("one of many waiters at a time gets the lock", async () => {
  const name = randomUUID();
  let holders = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      await using _lock = await takeBuildLock(name, () => {});
      holders += 1;
      most = Math.max(most, holders);
      await new Promise((resolve) => setTimeout(resolve, 5));
      holders -= 1;
    }),
  );
  expect(most).toBe(1);
});

test("an aborted wait ends with the signal's reason", async () => {
  const name = randomUUID();
  await using _held = await takeBuildLock(name, () => {});
  const controller = new AbortController();
  const waiting = takeBuildLock(name, () => controller.abort(new Error("given up")), controller.signal);
  await expect(waiting).rejects.toThrow("given up");
});
