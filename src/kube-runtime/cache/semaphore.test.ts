import { expect, test } from "vitest";
import { Semaphore } from "./semaphore.ts";

test("as many as allowed work at once, the others in order, and one that fails makes room too", async () => {
  const semaphore = new Semaphore(2);
  const started: number[] = [];
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const settled = Promise.allSettled(
    ends.map(({ promise }, index) =>
      semaphore.run(async () => {
        started.push(index);
        await promise;
      }),
    ),
  );
  await Promise.resolve();
  expect(started).toEqual([0, 1]);
  ends[1]?.reject(new Error("lost"));
  await expect.poll(() => started).toEqual([0, 1, 2]);
  for (const { resolve } of ends) resolve();
  const outcomes = await settled;
  expect(started).toEqual([0, 1, 2, 3, 4]);
  expect(outcomes.map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
    "fulfilled",
    "fulfilled",
  ]);
});
