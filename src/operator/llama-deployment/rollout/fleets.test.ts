// Rollouts over generated fleets: nodes that others share, replicas of several revisions that answer, crash, or wait, and
// a scheduler that may choose any node. The invariants in the planner's header hold at each step, and nothing that serves
// nobody keeps GPUs from what would serve.
import { expect, test } from "vitest";
import * as fc from "fast-check";
import { patienceSeconds, planRollout, type RolloutInput, type RolloutPlan } from "./planner.ts";
import type { ReplicaState } from "./victims.ts";

const gpusPerNode = 8;

interface Placed {
  readonly state: ReplicaState;
  readonly gpus: number;
  /** Its node, of each pod; none while it waits. */
  readonly nodes: readonly number[];
  readonly isWell: boolean;
}

interface Fleet {
  readonly nodes: number;
  /** GPUs of pods of the newest revision, and how many pods a replica has. */
  readonly gpus: number;
  readonly pods: number;
  readonly wanted: number;
  readonly pick: (count: number) => number;
  replicas: Placed[];
}

function freeGpus({ nodes, replicas }: Pick<Fleet, "nodes" | "replicas">): number[] {
  const free = Array.from({ length: nodes }, () => gpusPerNode);
  for (const { gpus, nodes: its } of replicas) for (const node of its) free[node] = (free[node] ?? 0) - gpus;
  return free;
}

/** Replicas of the newest revision that fit. */
function room(fleet: Fleet, replicas: readonly Placed[]): number {
  const slots = freeGpus({ nodes: fleet.nodes, replicas: [...replicas] }).reduce(
    (sum, free) => sum + Math.floor(free / fleet.gpus),
    0,
  );
  return Math.floor(slots / fleet.pods);
}

function inputOf(fleet: Fleet, revisions: readonly string[]): RolloutInput {
  const statesOf = (revision: string): readonly ReplicaState[] =>
    fleet.replicas.map(({ state }) => state).filter((state) => state.revision === revision);
  const isGroup = fleet.pods > 1;
  const made = isGroup ? fleet.replicas.filter(({ nodes }) => nodes.length === 0).length : 0;
  const left = (gone: readonly ReplicaState[]): number =>
    Math.max(
      0,
      room(
        fleet,
        fleet.replicas.filter(({ state }) => !gone.includes(state)),
      ) - made,
    );
  return {
    wanted: fleet.wanted,
    current: { revision: "new", replicas: statesOf("new") },
    old: revisions
      .map((revision) => ({ revision, replicas: statesOf(revision) }))
      .filter(({ replicas }) => replicas.length > 0),
    groups: isGroup,
    room: left([]),
    roomAfter: left,
    waitingSeconds: patienceSeconds,
    growth: isGroup ? "withinRoom" : "free",
  };
}

function answering(replicas: readonly ReplicaState[]): number {
  return replicas.filter(({ ready }) => ready).length;
}

function expectInvariants({ wanted, current, old }: RolloutInput, plan: RolloutPlan): void {
  const all = [...old, current].flatMap(({ replicas }) => replicas);
  const going = new Set([...plan.drain, ...plan.remove]);
  const staying = all.filter((each) => !going.has(each));
  expect(plan.create.every(({ revision }) => revision === current.revision)).toBe(true);
  // One at most goes before a new one answers in its place.
  const before = Math.min(answering(all), wanted);
  const isComing = current.replicas.some((each) => each.placed && !each.ready);
  expect(answering(staying)).toBeGreaterThanOrEqual(isComing ? before : before - 1);
  // What answers goes after what does not, among those that are old and among those that are not.
  for (const replicas of [old.flatMap((each) => each.replicas), current.replicas]) {
    const takesServing = replicas.some((each) => each.ready && going.has(each));
    const sparesSick = replicas.some((each) => !each.ready && !going.has(each));
    expect([takesServing, sparesSick]).not.toEqual([true, true]);
  }
  const marked = staying.filter((each) => each.marked);
  expect(new Set(plan.undrain)).toEqual(new Set(marked));
}

function isLoading({ state, isWell }: Placed): boolean {
  return state.placed && isWell && !state.ready;
}

let serial = 0;

/** Does what the plan says, and lets the scheduler and the engines do what they do. */
function carryOut(fleet: Fleet, plan: RolloutPlan): void {
  fleet.replicas = fleet.replicas
    .filter(({ state }) => !plan.remove.includes(state))
    .map((each) => ({ ...each, state: { ...each.state, marked: plan.drain.includes(each.state) } }));
  for (const { revision, slot } of plan.create) {
    serial += 1;
    const id = slot === undefined ? `pod-${serial}` : `slot-${slot}`;
    const state = {
      id,
      revision,
      placed: false,
      ready: false,
      unschedulable: true,
      marked: false,
      goesUnmarked: true,
      ...(slot === undefined ? {} : { slot }),
    };
    fleet.replicas.push({ state, gpus: fleet.gpus, nodes: [], isWell: true });
  }
  for (const [at, replica] of fleet.replicas.entries()) {
    if (isLoading(replica) && fleet.pick(2) === 0) {
      fleet.replicas[at] = { ...replica, state: { ...replica.state, ready: true } };
    }
    if (replica.nodes.length > 0) continue;
    const isNew = replica.state.revision === "new";
    const nodes = freeGpus(fleet).flatMap((free, node) => (free >= replica.gpus ? [node] : []));
    const pods = isNew ? fleet.pods : 1;
    if (nodes.length < pods) continue;
    const from = fleet.pick(nodes.length - pods + 1);
    const state = { ...replica.state, placed: true, unschedulable: false };
    fleet.replicas[at] = {
      ...replica,
      nodes: nodes.slice(from, from + pods),
      state: { ...state, goesUnmarked: fleet.pods > 1 && isNew },
    };
  }
}

const old = fc.record({
  revision: fc.constantFrom("first", "second"),
  gpus: fc.constantFrom(1, 2, 4, 8),
  isWell: fc.boolean(),
  marked: fc.boolean(),
});
const fleets = fc.record({
  nodes: fc.integer({ min: 1, max: 4 }),
  shape: fc.constantFrom(
    { gpus: 1, pods: 1 },
    { gpus: 4, pods: 1 },
    { gpus: 8, pods: 1 },
    { gpus: 8, pods: 2 },
  ),
  wanted: fc.integer({ min: 0, max: 4 }),
  old: fc.array(old, { maxLength: 6 }),
  sickNew: fc.nat(2),
});

function fleetOf(
  { nodes, shape, wanted, old: replicas }: Omit<Parameters<typeof played>[0], "sickNew">,
  pick: Fleet["pick"],
): Fleet {
  const fleet: Fleet = { nodes, ...shape, wanted, pick, replicas: [] };
  for (const { revision, gpus, isWell, marked } of replicas) {
    const node = freeGpus(fleet).findIndex((free) => free >= gpus);
    serial += 1;
    const isPlaced = node !== -1;
    const state: ReplicaState = {
      id: `pod-${serial}`,
      revision,
      placed: isPlaced,
      ready: isPlaced && isWell,
      unschedulable: !isPlaced,
      marked: isPlaced && marked,
      goesUnmarked: !isPlaced,
    };
    fleet.replicas.push({ state, gpus, nodes: isPlaced ? [node] : [], isWell });
  }
  return fleet;
}

type Generated = typeof fleets extends fc.Arbitrary<infer T> ? T : never;

/** Plays until nothing changes. */
function played({ sickNew, ...generated }: Generated, pick: Fleet["pick"]): Fleet {
  const fleet = fleetOf(generated, pick);
  for (let made = 0; made < sickNew && generated.shape.pods === 1; made += 1) {
    const { gpus } = fleet;
    const node = freeGpus(fleet).findIndex((free) => free >= gpus);
    if (node === -1) break;
    const state: ReplicaState = {
      id: `sick-${made}`,
      revision: "new",
      placed: true,
      ready: false,
      unschedulable: false,
      marked: false,
      goesUnmarked: false,
    };
    fleet.replicas.push({ state, gpus, nodes: [node], isWell: false });
  }
  for (let step = 0; step < 300; step += 1) {
    const input = inputOf(fleet, ["first", "second"]);
    const plan = planRollout(input);
    expectInvariants(input, plan);
    const { create, drain, remove, undrain } = plan;
    const isDone = [create, drain, remove, undrain].every((list) => list.length === 0);
    if (isDone && !fleet.replicas.some(isLoading)) return fleet;
    carryOut(fleet, plan);
  }
  throw new Error("the rollout does not come to rest");
}

const numbers = fc.infiniteStream(fc.nat());

function pickFrom(stream: Iterator<number>): Fleet["pick"] {
  return (count) => (stream.next().value ?? 0) % count;
}

test("a rollout over any fleet keeps what answers, takes what does not first, and comes to rest", () => {
  fc.assert(
    fc.property(fleets, numbers, (generated, stream) => {
      played(generated, pickFrom(stream));
    }),
    { numRuns: 300 },
  );
});

test("a rollout ends with all that is wanted where the nodes could hold it, whatever crashes of the older ones", () => {
  fc.assert(
    fc.property(fleets, numbers, (generated, stream) => {
      const fleet = played({ ...generated, sickNew: 0 }, pickFrom(stream));
      fc.pre(room(fleet, []) >= fleet.wanted);
      const revisions = fleet.replicas.map(({ state }) => state.revision);
      expect(revisions).toEqual(Array.from({ length: fleet.wanted }, () => "new"));
      expect(answering(fleet.replicas.map(({ state }) => state))).toBe(fleet.wanted);
    }),
    { numRuns: 300 },
  );
});
