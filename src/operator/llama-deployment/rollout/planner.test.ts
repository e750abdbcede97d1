// Whole rollouts, played against a small world of GPUs and printed step by step: the log is the specification.
import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import { patienceSeconds, planRollout, type RolloutInput, type RolloutPlan } from "./planner.ts";
import type { ReplicaState } from "./victims.ts";

const answers: Omit<ReplicaState, "id" | "revision"> = {
  placed: true,
  ready: true,
  unschedulable: false,
  marked: false,
  goesUnmarked: false,
};
const pod = (revision: string, id: string, over: Partial<ReplicaState> = {}): ReplicaState => ({
  ...answers,
  id,
  revision,
  ...over,
});
const pending = { placed: false, ready: false, unschedulable: true, goesUnmarked: true };
const group = (revision: string, slot: number, over: Partial<ReplicaState> = {}): ReplicaState =>
  pod(revision, `slot-${slot}`, { slot, goesUnmarked: true, ...over });

const input = (over: Partial<RolloutInput>): RolloutInput => ({
  wanted: 1,
  current: { revision: "new", replicas: [] },
  old: [],
  groups: false,
  room: 0,
  roomAfter: () => 0,
  waitingSeconds: 0,
  growth: "free",
  ...over,
});

const ids = (replicas: readonly ReplicaState[]): readonly string[] => replicas.map(({ id }) => id);

interface World {
  readonly wanted: number;
  /** Replicas of either revision that the GPUs hold. */
  readonly capacity: number;
  readonly groups: boolean;
}

/** Plays a rollout from `wanted` old replicas; each step does what the plan says, and places and readies what fits. */
function play(world: World, steps = 60): string[] {
  let replicas: ReplicaState[] = Array.from({ length: Math.min(world.wanted, world.capacity) }, (_, index) =>
    world.groups ? group("old", index) : pod("old", `old-${index}`),
  );
  let made = 0;
  const log: string[] = [];
  for (let step = 0; step < steps; step += 1) {
    const of = (revision: string) => replicas.filter((each) => each.revision === revision);
    const room = world.capacity - replicas.filter(({ placed }) => placed).length;
    const plan = planRollout(
      input({
        wanted: world.wanted,
        current: { revision: "new", replicas: of("new") },
        old: of("old").length === 0 ? [] : [{ revision: "old", replicas: of("old") }],
        groups: world.groups,
        room,
        roomAfter: (gone) => room + gone.filter(({ placed }) => placed).length,
        waitingSeconds: patienceSeconds,
        growth: world.groups ? "withinRoom" : "free",
      }),
    );
    const line = lineOf(plan);
    if (line === log.at(-1)) break;
    log.push(line);
    const gone = new Set(plan.remove);
    replicas = replicas
      .filter((each) => !gone.has(each))
      .map((each) => (plan.drain.includes(each) ? { ...each, marked: true } : each));
    for (const { revision, slot } of plan.create) {
      made += 1;
      const id = slot === undefined ? `new-${made}` : `slot-${slot}`;
      replicas.push(pod(revision, id, { ...pending, slot, goesUnmarked: true }));
    }
    let placed = replicas.filter((each) => each.placed).length;
    replicas = replicas.map((each) => {
      if (each.placed || placed >= world.capacity) return each;
      placed += 1;
      const { id, revision, slot } = each;
      return slot === undefined ? pod(revision, id) : group(revision, slot);
    });
  }
  return log;
}

function lineOf({ create, drain, remove, reason }: RolloutPlan): string {
  const parts = [
    ...create.map(({ revision, slot }) => `+${revision}${slot === undefined ? "" : ` slot ${slot}`}`),
    ...drain.map(({ id }) => `drain ${id}`),
    ...remove.map(({ id, revision, slot }) => `-${slot === undefined ? id : `${revision} ${id}`}`),
  ];
  return `${parts.length === 0 ? "nothing" : parts.join(", ")}: ${reason}`;
}

describe("a rollout", () => {
  test("with GPUs for one more replica brings up each new one before an old one goes", () => {
    expect(play({ wanted: 2, capacity: 3, groups: false })).toEqual([
      "+new: waiting for the first new replica",
      "+new, drain old-1: one old replica goes for each new one",
      "-old-1: one old replica goes for each new one",
      "-old-0: the new replicas answer: the old ones go",
      "nothing: nothing older runs",
    ]);
  });

  test("without a free GPU lets one old replica make room for each new one", () => {
    expect(play({ wanted: 2, capacity: 2, groups: false })).toEqual([
      "+new: waiting for the first new replica",
      "drain old-1: no GPU is free for both: one old replica makes room",
      "-old-1: no GPU is free for both: one old replica makes room",
      "+new: one old replica goes for each new one",
      "-old-0: no GPU is free for both: one old replica makes room",
      "nothing: nothing older runs",
    ]);
  });

  test("of a group makes nothing before the nodes are free, and then releases one old group", () => {
    expect(play({ wanted: 1, capacity: 1, groups: true })).toEqual([
      "-old slot-0: no GPU is free for both: one old replica makes room",
      "+new slot 0: nothing older runs",
      "nothing: nothing older runs",
    ]);
  });

  test("keeps the old replicas where their GPUs would not be enough for a new one", () => {
    const plan = planRollout(
      input({
        current: { revision: "new", replicas: [pod("new", "n", pending)] },
        old: [{ revision: "old", replicas: [pod("old", "o")] }],
        waitingSeconds: patienceSeconds,
      }),
    );
    expect(lineOf(plan)).toBe("nothing: no GPU is free, and old replicas would not make room");
  });

  test("waits a while for GPUs that may be coming before an old replica makes room", () => {
    const plan = planRollout(
      input({
        current: { revision: "new", replicas: [pod("new", "n", pending)] },
        old: [{ revision: "old", replicas: [pod("old", "o")] }],
        roomAfter: (gone) => gone.length,
        waitingSeconds: patienceSeconds - 5,
      }),
    );
    expect(plan).toMatchObject({ remove: [], drain: [], requeueAfterSeconds: 5 });
  });

  test("takes GPUs from an old replica that does not answer, though none other does", () => {
    const plan = planRollout(
      input({
        current: { revision: "new", replicas: [pod("new", "n", pending)] },
        old: [{ revision: "old", replicas: [pod("old", "crashing", { ready: false })] }],
        roomAfter: (gone) => gone.length,
        waitingSeconds: patienceSeconds,
      }),
    );
    expect(ids(plan.remove)).toEqual(["crashing"]);
  });

  test("after two edits in a row keeps the replica that answers, not the newer one that does not", () => {
    const plan = planRollout(
      input({
        current: { revision: "third", replicas: [pod("third", "c", { ready: false })] },
        old: [
          { revision: "first", replicas: [pod("first", "serving")] },
          { revision: "second", replicas: [pod("second", "crashing", { ready: false })] },
        ],
      }),
    );
    expect(ids(plan.remove)).toEqual(["crashing"]);
  });

  test("to zero stops every revision at once, with nothing to mark", () => {
    const plan = planRollout(
      input({
        wanted: 0,
        current: { revision: "new", replicas: [pod("new", "a"), pod("new", "b", { ready: false })] },
        old: [{ revision: "old", replicas: [pod("old", "c")] }],
        room: 4,
      }),
    );
    expect(plan.drain).toEqual([]);
    expect(ids(plan.remove).toSorted()).toEqual(["a", "b", "c"]);
  });

  test("ends with what is wanted, and on the way never lacks more than one answer", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 8 }),
        fc.boolean(),
        (wanted, spare, groups) => {
          let answeringNow = wanted;
          for (const line of play({ wanted, capacity: wanted + spare, groups }, 80)) {
            answeringNow -= line.split(", ").filter((part) => part.startsWith("-")).length;
            expect(answeringNow).toBeGreaterThanOrEqual(wanted - 1);
            answeringNow += line.split(", ").filter((part) => part.startsWith("+")).length;
          }
          expect(play({ wanted, capacity: wanted + spare, groups }, 80).at(-1)).toBe(
            "nothing: nothing older runs",
          );
        },
      ),
    );
  });
});

describe("the replica to go", () => {
  const scaleDown = (replicas: readonly ReplicaState[], wanted: number): RolloutPlan =>
    planRollout(input({ wanted, current: { revision: "new", replicas } }));

  test("is marked while others of its Deployment stay, and removed once the mark is seen", () => {
    const [a, b] = [pod("new", "a", { createdAt: "1" }), pod("new", "b", { createdAt: "2" })];
    expect(scaleDown([a, b], 1)).toMatchObject({ drain: [b], remove: [] });
    expect(scaleDown([a, { ...b, marked: true }], 1)).toMatchObject({ drain: [], remove: [{ id: "b" }] });
  });

  test("is one without a node before one that does not answer before one that does", () => {
    const [serving, loading, waiting] = [
      pod("new", "serving"),
      pod("new", "loading", { ready: false }),
      pod("new", "waiting", pending),
    ];
    expect(ids(scaleDown([serving, loading, waiting], 2).remove)).toEqual(["waiting"]);
    expect(ids(scaleDown([serving, loading], 1).drain)).toEqual(["loading"]);
  });

  test("is another when one stops answering in that instant: the marked one stays and its mark is taken back", () => {
    const marked = pod("new", "a", { marked: true });
    const broken = pod("new", "b", { ready: false });
    const rest = pod("new", "c");
    expect(scaleDown([marked, broken, rest], 2)).toMatchObject({
      drain: [{ id: "b" }],
      remove: [],
      undrain: [{ id: "a" }],
    });
    // The ReplicaSet controller was faster: it took the broken one for the count that the marked one was to give.
    expect(scaleDown([marked, rest], 2)).toMatchObject({ drain: [], remove: [], undrain: [{ id: "a" }] });
  });

  test("of groups is the one that does not answer, then the highest slot; freed numbers are used again", () => {
    const slots = [group("new", 0, { ready: false }), group("new", 1), group("new", 3)];
    const current = { revision: "new", replicas: slots };
    expect(ids(planRollout(input({ wanted: 2, groups: true, current })).remove)).toEqual(["slot-0"]);
    const grown = planRollout(input({ wanted: 5, groups: true, current, room: 9, growth: "withinRoom" }));
    expect(grown.create.map(({ slot }) => slot)).toEqual([2, 4]);
  });
});

describe("growth", () => {
  const two = [pod("new", "a"), pod("new", "b", pending)];

  test("behind a group in the queue makes no further replicas, and leaves those that wait for a node", () => {
    const current = { revision: "new", replicas: two };
    const plan = planRollout(input({ wanted: 4, current, growth: "behind" }));
    expect(plan).toMatchObject({ create: [], withheld: 2, remove: [] });
  });

  test("behind a group of higher priority takes those without a node back", () => {
    const current = { revision: "new", replicas: two };
    const plan = planRollout(input({ wanted: 4, current, growth: "outranked" }));
    expect(plan).toMatchObject({ create: [], withheld: 3, remove: [{ id: "b" }] });
  });

  test("stops where something that new pods need is missing; fewer may still be wanted", () => {
    const current = { revision: "new", replicas: two };
    expect(planRollout(input({ wanted: 4, current, growth: "none" }))).toMatchObject({
      create: [],
      withheld: 2,
    });
    expect(ids(planRollout(input({ wanted: 1, current, growth: "none" })).remove)).toEqual(["b"]);
  });
});
