// What is promised holds wherever the scheduler puts which pod.
import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import { roomFor, slots, type Footprint, type OtherPods, type PodsToPlace } from "./room.ts";

/** Nodes by free GPUs, from the free GPUs of each node. */
function nodesOf(free: readonly number[]): readonly number[] {
  return Array.from({ length: 9 }, (_, gpus) => free.filter((each) => each === gpus).length);
}

const nobody: OtherPods = { reserved: [], others: [] };
const one = { nodesPerReplica: 1, gpusPerNode: 1 };
const pair = { nodesPerReplica: 2, gpusPerNode: 8 };
const ranks = (pods: number): PodsToPlace => ({ pods, gpusPerPod: 8 });

describe("room for replicas", () => {
  test("thirteen free GPUs on two nodes hold no group of two whole nodes, and one pod of seven", () => {
    const nodes = nodesOf([7, 6]);
    expect(roomFor(nodes, pair, nobody)).toBe(0);
    expect(roomFor(nodes, { nodesPerReplica: 1, gpusPerNode: 7 }, nobody)).toBe(1);
    expect(roomFor(nodes, { nodesPerReplica: 1, gpusPerNode: 2 }, nobody)).toBe(6);
  });

  test("nodes that a group is to get are not given twice", () => {
    const nodes = nodesOf([8, 8, 8]);
    expect(roomFor(nodes, pair, nobody)).toBe(1);
    expect(roomFor(nodes, pair, { reserved: [ranks(2)], others: [] })).toBe(0);
  });

  test("small pods beside a group get one for each whole node that the group can do without", () => {
    expect(roomFor(nodesOf([8, 8, 8, 3]), one, { reserved: [ranks(2)], others: [] })).toBe(1);
    expect(roomFor(nodesOf([8, 8, 3]), one, { reserved: [ranks(2)], others: [] })).toBe(0);
  });

  test("a group is made only where small pods that are there already can spoil no node of it", () => {
    const small = { pods: 1, gpusPerPod: 1 };
    expect(roomFor(nodesOf([8, 8]), pair, { reserved: [], others: [small] })).toBe(0);
    expect(roomFor(nodesOf([8, 8, 8]), pair, { reserved: [], others: [small] })).toBe(1);
  });

  test("whole nodes are kept where the newcomer is larger than what it is kept for, too", () => {
    const halves = { pods: 2, gpusPerPod: 4 };
    expect(roomFor(nodesOf([8, 8, 8]), pair, { reserved: [halves], others: [] })).toBe(0);
    expect(roomFor(nodesOf([8, 8, 8, 8]), pair, { reserved: [halves], others: [] })).toBe(1);
  });
});

const free = fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 7 });
const footprint: fc.Arbitrary<Footprint> = fc.record({
  nodesPerReplica: fc.integer({ min: 1, max: 3 }),
  gpusPerNode: fc.integer({ min: 1, max: 8 }),
});
const pods: fc.Arbitrary<readonly PodsToPlace[]> = fc.array(
  fc.record({ pods: fc.integer({ min: 1, max: 2 }), gpusPerPod: fc.integer({ min: 1, max: 8 }) }),
  { maxLength: 2 },
);

describe("properties", () => {
  test("when there is room, every newcomer and every pod that room is kept for finds a node", () => {
    fc.assert(
      fc.property(
        free,
        footprint,
        pods,
        pods,
        fc.infiniteStream(fc.nat()),
        (free, wanted, reserved, others, luck) => {
          const room = roomFor(nodesOf(free), wanted, { reserved, others });
          fc.pre(room > 0);
          const newcomers = { pods: room * wanted.nodesPerReplica, gpusPerPod: wanted.gpusPerNode };
          const left = [...free];
          const sizes = (kinds: readonly PodsToPlace[]) =>
            kinds.flatMap(({ pods, gpusPerPod }) => Array.from({ length: pods }, () => gpusPerPod));
          const waiting = [
            ...sizes([newcomers, ...reserved]).map((gpus) => ({ gpus, must: true })),
            ...sizes(others).map((gpus) => ({ gpus, must: false })),
          ];
          const draw = (): number => luck.next().value ?? 0;
          while (waiting.length > 0) {
            const [next] = waiting.splice(draw() % waiting.length, 1);
            if (next === undefined) break;
            const fitting = left.flatMap((gpus, at) => (gpus >= next.gpus ? [at] : []));
            const chosen = fitting[draw() % Math.max(1, fitting.length)];
            expect(chosen !== undefined || !next.must).toBe(true);
            if (chosen !== undefined) left[chosen] = (left[chosen] ?? 0) - next.gpus;
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test("alone, a newcomer has room for what the nodes hold, to the last replica", () => {
    fc.assert(
      fc.property(free, footprint, (free, wanted) => {
        const all = free.reduce((sum, gpus) => sum + Math.floor(gpus / wanted.gpusPerNode), 0);
        expect(slots(nodesOf(free), wanted.gpusPerNode)).toBe(all);
        expect(roomFor(nodesOf(free), wanted, nobody)).toBe(Math.floor(all / wanted.nodesPerReplica));
      }),
    );
  });
});
