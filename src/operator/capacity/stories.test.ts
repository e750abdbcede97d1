// Whole stories of fleets: whoever asks when, whatever the scheduler does, however far the cache lags behind, and
// whichever pass fails, nobody holds half of what it needs, and nobody waits for ever.
import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import { Fleet, keyOf, ownerOf } from "./testing/fleet.ts";
import { gpusPerNode, requestOf, type Model } from "./testing/objects.ts";

type Pick = (count: number) => number;

/** Draws from a story's numbers. */
function picker(numbers: fc.Stream<number>): Pick {
  return (count) => (count === 0 ? 0 : (numbers.next().value ?? 0) % count);
}

function draw<T>(pick: Pick, items: Iterable<T>): T | undefined {
  const all = [...items];
  return all[pick(all.length)];
}

const footprints = [
  { nodesPerReplica: 1, gpusPerNode: 1 },
  { nodesPerReplica: 1, gpusPerNode: 4 },
  { nodesPerReplica: 1, gpusPerNode: 8 },
  { nodesPerReplica: 2, gpusPerNode: 8 },
  { nodesPerReplica: 3, gpusPerNode: 8 },
];

let serial = 0;

function someGroup(nodesPerReplica: number): Model {
  const footprint = { nodesPerReplica, gpusPerNode };
  return { holder: `t/m${(serial += 1)}`, pool: "a", footprint, replicas: 1 };
}

function someModel(pick: Pick): Model {
  const footprint = footprints[pick(footprints.length)] ?? { nodesPerReplica: 2, gpusPerNode: 8 };
  return {
    holder: `t/m${(serial += 1)}`,
    pool: pick(4) === 0 ? "b" : "a",
    footprint,
    priorityClassName: draw(pick, [undefined, undefined, "low", "high"]),
    replicas: 1 + pick(3),
  };
}

/** One step of anybody. */
async function step(fleet: Fleet, pick: Pick): Promise<void> {
  const { kinds } = fleet;
  switch (pick(12)) {
    case 0:
      return fleet.apply(someModel(pick));
    case 1:
      return fleet.scale(draw(pick, fleet.models.keys()) ?? "", pick(4));
    case 2:
      return pick(3) === 0 ? fleet.delete(draw(pick, fleet.models.keys()) ?? "") : undefined;
    case 3:
    case 4:
      return fleet.decide(draw(pick, fleet.due) ?? "");
    case 5:
      return fleet.finish(draw(pick, fleet.inFlight.keys()) ?? "", pick(4) === 0);
    case 6:
      return fleet.runControllers();
    case 7:
    case 8:
      return void fleet.schedule(pick);
    case 9:
      return void fleet.grow(draw(pick, kinds.gpuPools.live.keys()) ?? "");
    case 10:
      return draw(pick, Object.values(kinds))?.deliver(1 + pick(5));
    default:
      if (pick(10) === 0) fleet.restart();
      return fleet.clock.advance(200);
  }
}

/** Wherever the scheduler puts what has no node now, every rank of a group that is made finds one. */
function expectRoomForAllRanks(fleet: Fleet): void {
  const { leaderWorkerSets, deployments, gpuPools } = fleet.kinds;
  for (const [pool, { spec }] of gpuPools.live) {
    const nodes = [...fleet.freeGpus(pool).values()];
    for (const free of nodes) expect(free).toBeGreaterThanOrEqual(0);
    const toCome = Math.max(0, (spec.nodes?.max ?? 0) - nodes.length);
    const whole = nodes.filter((free) => free === gpusPerNode).length + toCome;
    let ranks = 0;
    for (const [key, group] of leaderWorkerSets.live) {
      if (fleet.models.get(ownerOf(group))?.pool !== pool) continue;
      const size = group.spec?.leaderWorkerTemplate?.size ?? 0;
      ranks += size - fleet.podsOfGroup(key).filter(({ nodeName }) => nodeName !== undefined).length;
    }
    if (ranks === 0) continue;
    let singles = 0;
    for (const [key, deployment] of deployments.live) {
      if (fleet.models.get(key)?.pool !== pool) continue;
      const pods = fleet.podsOf(key);
      const placed = pods.filter(({ nodeName }) => nodeName !== undefined).length;
      singles += Math.max((deployment.spec?.replicas ?? 0) - placed, pods.length - placed);
    }
    expect({ pool, ranks, singles, whole }).toSatisfy(() => ranks + singles <= whole);
  }
}

const pools = fc.record({
  a: fc.record({ nodes: fc.integer({ min: 1, max: 5 }), growth: fc.constantFrom(0, 0, 2) }),
  b: fc.record({ nodes: fc.integer({ min: 0, max: 3 }), growth: fc.constantFrom(0, 3) }),
});
const numbers = fc.infiniteStream(fc.nat());

function isPlaced({ nodeName }: { readonly nodeName?: string }): boolean {
  return nodeName !== undefined;
}

/** A small model of single pods. */
function small(pick: Pick, replicas: number): Model {
  const footprint = { nodesPerReplica: 1, gpusPerNode: draw(pick, [1, 2, 4, 8]) ?? 1 };
  return { holder: `t/m${(serial += 1)}`, pool: "a", footprint, replicas };
}

/** Some replica that is placed ends, and its model wants one fewer. */
function endSome(fleet: Fleet, pick: Pick): boolean {
  const pod = draw(pick, [...fleet.kinds.pods.live.values()].filter(isPlaced));
  if (pod === undefined) return false;
  const holder = ownerOf(pod);
  fleet.kinds.pods.remove(keyOf(pod));
  fleet.scale(holder, (fleet.models.get(holder)?.replicas ?? 1) - 1);
  return true;
}

describe("whatever happens", () => {
  test("a group that is made finds all its nodes", async () => {
    await fc.assert(
      fc.asyncProperty(pools, fc.integer({ min: 50, max: 300 }), numbers, async (pools, steps, numbers) => {
        const fleet = new Fleet({ pools });
        const pick = picker(numbers);
        for (let at = 0; at < steps; at += 1) {
          await step(fleet, pick);
          expectRoomForAllRanks(fleet);
        }
        await fleet.settle(pick, () => expectRoomForAllRanks(fleet));
        for (const [key, group] of fleet.kinds.leaderWorkerSets.live) {
          const placed = fleet.podsOfGroup(key).filter(isPlaced);
          expect(placed.length).toBe(group.spec?.leaderWorkerTemplate?.size);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("nothing is assumed or queued once all models are gone", async () => {
    await fc.assert(
      fc.asyncProperty(pools, fc.integer({ min: 20, max: 200 }), numbers, async (pools, steps, numbers) => {
        const fleet = new Fleet({ pools });
        const pick = picker(numbers);
        for (let at = 0; at < steps; at += 1) await step(fleet, pick);
        for (const holder of fleet.models.keys()) fleet.delete(holder);
        // No pass comes to clean up after them.
        for (const holder of fleet.inFlight.keys()) fleet.finish(holder);
        fleet.deliver();
        await fleet.clock.advance(200);
        expect(fleet.clock.pendingTimers).toBe(0);
        for (const [pool, { spec }] of fleet.kinds.gpuPools.live) {
          const last = { ...small(pick, 1), pool, priorityClassName: "low" };
          fleet.apply(last);
          fleet.deliver();
          const nodes = Math.max(fleet.freeGpus(pool).size, spec.nodes?.max ?? 0);
          const group = { ...last, footprint: { nodesPerReplica: 2, gpusPerNode } };
          const { replicas, behind } = fleet.capacity.free(requestOf(group, Infinity, 1));
          expect({ replicas, behind }).toEqual({ replicas: Math.floor(nodes / 2), behind: undefined });
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe("the queue", () => {
  test("a group gets its nodes though small models keep coming", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 4 }), numbers, async (nodes, numbers) => {
        const fleet = new Fleet({ pools: { a: { nodes } } });
        const pick = picker(numbers);
        let older = 0;
        for (let at = 0; at < 2 * nodes; at += 1) {
          const model = small(pick, 1 + pick(4));
          older += model.replicas;
          fleet.apply(model);
        }
        await fleet.settle(pick);
        await fleet.clock.advance(1000);
        const group = someGroup(2 + pick(nodes - 1));
        fleet.apply(group);
        await fleet.settle(pick);
        for (let round = 0; fleet.podsOf(group.holder).length === 0; round += 1) {
          expect(round).toBeLessThanOrEqual(older);
          expect(endSome(fleet, pick)).toBe(true);
          fleet.apply(small(pick, 1 + pick(3)));
          if (pick(5) === 0) fleet.restart();
          await fleet.settle(pick);
        }
        expect(fleet.podsOf(group.holder).filter(isPlaced).length).toBe(group.footprint.nodesPerReplica);
      }),
      { numRuns: 40 },
    );
  });

  test("who lacks a thousand replicas keeps nobody waiting once it has all that it could ever get", async () => {
    const fleet = new Fleet({ pools: { a: { nodes: 4 } } });
    const first = (): number => 0;
    const greedy = { ...someGroup(2), replicas: 1000 };
    fleet.apply(greedy);
    await fleet.settle(first);
    expect(fleet.podsOf(greedy.holder).filter(isPlaced).length).toBe(4);
    await fleet.clock.advance(1000);
    const late = small(first, 3);
    fleet.apply(late);
    await fleet.settle(first);
    expect(fleet.podsOf(late.holder).length).toBe(3);
  });

  test("who lacks a thousand replicas waits anew after each that it gets", async () => {
    await fc.assert(
      fc.asyncProperty(numbers, async (numbers) => {
        const fleet = new Fleet({ pools: { a: { nodes: 3 } } });
        const pick = picker(numbers);
        const one = { nodesPerReplica: 1, gpusPerNode: 1 };
        const old = { ...small(pick, 24), footprint: one };
        const [greedy, group] = [{ ...small(pick, 1000), footprint: one }, someGroup(2)];
        for (const model of [old, greedy, group]) {
          fleet.apply(model);
          await fleet.settle(pick);
          await fleet.clock.advance(1000);
        }
        for (let replicas = 23; replicas >= 0; replicas -= 1) {
          fleet.scale(old.holder, replicas);
          await fleet.settle(pick);
        }
        expect(fleet.podsOf(group.holder).filter(isPlaced).length).toBe(2);
        expect(fleet.podsOf(greedy.holder).filter(isPlaced).length).toBeGreaterThan(0);
      }),
      { numRuns: 3 },
    );
  });

  test("groups come in the order of priority, then age", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(undefined, "low", "high"), { minLength: 2, maxLength: 6 }),
        numbers,
        async (classes, numbers) => {
          const fleet = new Fleet({ pools: { a: { nodes: 2 } } });
          const pick = picker(numbers);
          fleet.apply({ ...small(pick, 16), footprint: { nodesPerReplica: 1, gpusPerNode: 1 } });
          await fleet.settle(pick);
          const groups = classes.map((priorityClassName) => ({ ...someGroup(2), priorityClassName }));
          for (const group of groups) {
            fleet.apply(group);
            await fleet.settle(pick);
            await fleet.clock.advance(1000);
          }
          const served: string[] = [];
          while (served.length < groups.length) {
            const made = [...fleet.kinds.leaderWorkerSets.live.values()].map(ownerOf);
            expect(made.length).toBeLessThanOrEqual(1);
            served.push(...made);
            for (const holder of made) fleet.delete(holder);
            if (made.length === 0) expect(endSome(fleet, pick)).toBe(true);
            if (pick(4) === 0) fleet.restart();
            await fleet.settle(pick);
          }
          const rank = ["high", undefined, "low"];
          const inOrder = groups.toSorted(
            (a, b) => rank.indexOf(a.priorityClassName) - rank.indexOf(b.priorityClassName),
          );
          expect(served).toEqual(inOrder.map(({ holder }) => holder));
        },
      ),
      { numRuns: 25 },
    );
  });
});
