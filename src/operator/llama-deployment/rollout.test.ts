// Whole rollouts, played against a small world of GPUs and printed step by step: the log is the specification.
import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import { keepSlots, patienceSeconds, planRollout, type RolloutInput } from "./rollout.ts";

interface World {
  readonly wanted: number;
  /** Replicas of either revision that the GPUs hold. */
  readonly capacity: number;
  readonly needsRoom: boolean;
}

/** Plays a rollout from `wanted` old replicas; each step places what fits, and what is placed answers. */
function play(world: World, steps = 20): string[] {
  let old = {
    desired: Math.min(world.wanted, world.capacity),
    ready: Math.min(world.wanted, world.capacity),
  };
  let current = { desired: 0, ready: 0 };
  const log: string[] = [];
  for (let step = 0; step < steps; step += 1) {
    const room = Math.max(0, world.capacity - old.desired - current.desired);
    const input: RolloutInput = {
      wanted: world.wanted,
      current: { revision: "new", ...current },
      old: old.desired === 0 ? [] : [{ revision: "old", ...old }],
      unplaced: Math.max(0, current.desired + old.desired - world.capacity),
      room,
      roomAfterRelease: Math.max(0, world.capacity - old.desired - current.ready + 1),
      shortForSeconds: patienceSeconds,
      needsRoom: world.needsRoom,
    };
    const decision = planRollout(input);
    const keep = decision.old[0]?.replicas ?? 0;
    const line = `old ${old.ready} -> ${keep}, new ${current.ready} -> ${decision.current}: ${decision.because}`;
    if (line === log.at(-1)) break;
    log.push(line);
    old = { desired: keep, ready: keep };
    current = {
      desired: decision.current,
      ready: Math.min(decision.current, Math.max(0, world.capacity - keep)),
    };
  }
  return log;
}

describe("a rollout", () => {
  test("with GPUs for one more replica brings up each new one before an old one goes", () => {
    expect(play({ wanted: 2, capacity: 3, needsRoom: false })).toEqual([
      "old 2 -> 2, new 0 -> 1: waiting for the first new replica",
      "old 2 -> 1, new 1 -> 2: one old replica goes for each new one",
      "old 1 -> 0, new 2 -> 2: the new replicas answer: the old ones go",
      "old 0 -> 0, new 2 -> 2: nothing older runs",
    ]);
  });

  test("without a free GPU lets one old replica make room for each new one", () => {
    expect(play({ wanted: 2, capacity: 2, needsRoom: false })).toEqual([
      "old 2 -> 2, new 0 -> 1: waiting for the first new replica",
      "old 2 -> 1, new 0 -> 1: no GPU is free for both: one old replica makes room",
      "old 1 -> 1, new 1 -> 2: one old replica goes for each new one",
      "old 1 -> 0, new 1 -> 2: no GPU is free for both: one old replica makes room",
      "old 0 -> 0, new 2 -> 2: nothing older runs",
    ]);
  });

  test("of a group makes nothing before the nodes are free, and then releases one old group", () => {
    expect(play({ wanted: 1, capacity: 1, needsRoom: true })).toEqual([
      "old 1 -> 0, new 0 -> 0: no GPU is free for both: one old replica makes room",
      "old 0 -> 0, new 0 -> 1: nothing older runs",
      "old 0 -> 0, new 1 -> 1: nothing older runs",
    ]);
  });

  test("keeps the old replicas where their GPUs would not be enough for a new one", () => {
    const decision = planRollout({
      wanted: 1,
      current: { revision: "new", desired: 1, ready: 0 },
      old: [{ revision: "old", desired: 1, ready: 1 }],
      unplaced: 1,
      room: 0,
      roomAfterRelease: 0,
      shortForSeconds: patienceSeconds,
      needsRoom: false,
    });
    expect(decision).toMatchObject({
      current: 1,
      old: [{ revision: "old", replicas: 1 }],
      because: "no GPU is free, and old replicas would not make room",
    });
  });

  test("waits a while for GPUs that may be coming before an old replica makes room", () => {
    const decision = planRollout({
      wanted: 1,
      current: { revision: "new", desired: 1, ready: 0 },
      old: [{ revision: "old", desired: 1, ready: 1 }],
      unplaced: 1,
      room: 0,
      roomAfterRelease: 1,
      shortForSeconds: patienceSeconds - 5,
      needsRoom: false,
    });
    expect(decision).toMatchObject({ old: [{ revision: "old", replicas: 1 }], lookAgainSeconds: 5 });
  });

  test("to zero stops every revision at once", () => {
    const decision = planRollout({
      wanted: 0,
      current: { revision: "new", desired: 2, ready: 1 },
      old: [{ revision: "old", desired: 1, ready: 1 }],
      unplaced: 0,
      room: 4,
      roomAfterRelease: 4,
      shortForSeconds: 0,
      needsRoom: false,
    });
    expect([decision.current, decision.old[0]?.replicas]).toEqual([0, 0]);
  });

  test("ends with what is wanted, and on the way never lacks more than one answer", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 8 }),
        fc.boolean(),
        (wanted, spare, needsRoom) => {
          const log = play({ wanted, capacity: wanted + spare, needsRoom }, 60);
          expect(log.at(-1)).toBe(`old 0 -> 0, new ${wanted} -> ${wanted}: nothing older runs`);
          for (const line of log) {
            const [oldReady, , newReady] = [...line.matchAll(/\d+/g)].map(Number);
            expect((oldReady ?? 0) + (newReady ?? 0)).toBeGreaterThanOrEqual(wanted - 1);
          }
        },
      ),
    );
  });
});

describe("slots of groups", () => {
  test("that answer are kept before those that do not, and freed numbers are used again", () => {
    const slots = [
      { slot: 0, ready: false },
      { slot: 1, ready: true },
      { slot: 3, ready: true },
    ];
    expect(keepSlots(slots, 2)).toEqual([1, 3]);
    expect(keepSlots(slots, 5)).toEqual([0, 1, 2, 3, 4]);
  });
});
