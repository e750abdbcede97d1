import { expect, test } from "vitest";
import * as fc from "fast-check";
import { compareRequests, GpuQueue, waitingSince, type GpuRequest } from "./queue.ts";

const priorityOf = (name: string | undefined): number => Number(name ?? 0);

const request: fc.Arbitrary<GpuRequest> = fc.record({
  holder: fc.constantFrom("a/x", "a/y", "b/x"),
  priorityClassName: fc.constantFrom(undefined, "-1", "1"),
  sinceMs: fc.integer({ min: 0, max: 2 }),
  pool: fc.constantFrom("h100", "l4"),
  footprint: fc.constant({ nodesPerReplica: 2, gpusPerNode: 8 }),
  replicas: fc.integer({ min: 1, max: 2 }),
});

test("priority comes before age, and age before the name", () => {
  const one = {
    holder: "a/x",
    sinceMs: 2,
    pool: "p",
    footprint: { nodesPerReplica: 1, gpusPerNode: 1 },
    replicas: 1,
  };
  const requests = [
    { ...one, holder: "b/x" },
    { ...one, sinceMs: 1 },
    { ...one, holder: "z/z", sinceMs: 9, priorityClassName: "5" },
    { ...one, priorityClassName: "-5", sinceMs: 0 },
    one,
  ];
  const inOrder = requests.toSorted((a, b) => compareRequests(a, b, priorityOf));
  expect(inOrder).toEqual([requests[2], requests[1], one, requests[0], requests[3]]);
});

test("the order is the same whoever compares, and two holders never stand in one place", () => {
  fc.assert(
    fc.property(request, request, request, (a, b, c) => {
      const compare = (left: GpuRequest, right: GpuRequest) =>
        Math.sign(compareRequests(left, right, priorityOf));
      expect(compare(a, b) + compare(b, a)).toBe(0);
      expect(compare(a, b) !== 0 || a.holder === b.holder).toBe(true);
      expect(compare(a, b) > 0 || compare(b, c) > 0 || compare(a, c) <= 0).toBe(true);
    }),
  );
});

test("a holder has one request, in the pool that it asked last, and tells of changes alone", () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
      const queue = new GpuQueue();
      const last = new Map<string, GpuRequest>();
      for (const each of requests) {
        queue.set(each);
        last.set(each.holder, each);
        expect(queue.set({ ...each })).toEqual([]);
      }
      for (const pool of ["h100", "l4"]) {
        expect(new Set(queue.of(pool))).toEqual(
          new Set([...last.values()].filter((each) => each.pool === pool)),
        );
      }
      expect(queue.size).toBe(last.size);
      for (const [holder, { pool }] of last) expect(queue.delete(holder)).toEqual([pool]);
      expect([...queue.pools()]).toEqual([]);
    }),
  );
});

test("who gets a replica waits anew, who lacks as many or more keeps its place", () => {
  const before = { sinceMs: 5, replicas: 3 };
  expect(waitingSince(undefined, 3, 9)).toBe(9);
  expect(waitingSince(before, 3, 9)).toBe(5);
  expect(waitingSince(before, 4, 9)).toBe(5);
  expect(waitingSince(before, 2, 9)).toBe(9);
});
