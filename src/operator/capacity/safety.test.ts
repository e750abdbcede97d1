// Whoever asks when, wherever the scheduler puts which pod, however far the cache lags behind and whichever pass fails:
// nobody is left with half of what it needs, and nothing is remembered of who has gone.
import { expect, test } from "vitest";
import * as fc from "fast-check";
import { ownerOf } from "./testing/cluster.ts";
import { Fleet } from "./testing/fleet.ts";
import { gpusPerNode, requestOf } from "./testing/objects.ts";
import { anyStep, drawFrom, groupModel } from "./testing/story.ts";

const pools = fc.record({
  a: fc.record({ nodes: fc.integer({ min: 1, max: 5 }), growth: fc.constantFrom(0, 0, 2) }),
  b: fc.record({ nodes: fc.integer({ min: 0, max: 3 }), growth: fc.constantFrom(0, 3) }),
});
const numbers = fc.infiniteStream(fc.nat());
const steps = fc.integer({ min: 50, max: 300 });

/** Ranks of groups that are made and have no node, in truth. */
function unplacedRanks(fleet: Fleet, pool: string): number {
  let ranks = 0;
  for (const [key, group] of fleet.kinds.leaderWorkerSets.live) {
    if (fleet.models.get(ownerOf(group))?.pool !== pool) continue;
    ranks += (group.spec?.leaderWorkerTemplate?.size ?? 0) - fleet.podsOfGroup(key).filter(isPlaced).length;
  }
  return ranks;
}

/** Single pods that may be put anywhere at any time, in truth. */
function unplacedSingles(fleet: Fleet, pool: string): number {
  let singles = 0;
  for (const [key, { spec }] of fleet.kinds.deployments.live) {
    if (fleet.models.get(key)?.pool !== pool) continue;
    const pods = fleet.podsOf(key);
    singles += Math.max(spec?.replicas ?? 0, pods.length) - pods.filter(isPlaced).length;
  }
  return singles;
}

function isPlaced({ nodeName }: { readonly nodeName?: string }): boolean {
  return nodeName !== undefined;
}

/** Wherever the scheduler puts what has no node now, every rank of a group that is made finds one. */
function expectRoomForAllRanks(fleet: Fleet): void {
  for (const [pool, { spec }] of fleet.kinds.gpuPools.live) {
    const nodes = [...fleet.freeGpus(pool).values()];
    expect(Math.min(0, ...nodes)).toBe(0);
    const toCome = Math.max(0, (spec.nodes?.max ?? 0) - nodes.length);
    const ranks = unplacedRanks(fleet, pool);
    const room = {
      wholeNodes: nodes.filter((free) => free === gpusPerNode).length + toCome,
      ranks,
      singles: ranks === 0 ? 0 : unplacedSingles(fleet, pool),
    };
    expect(room).toSatisfy(() => room.ranks + room.singles <= room.wholeNodes);
  }
}

test("a group that is made finds all its nodes, whatever else happens", async () => {
  await fc.assert(
    fc.asyncProperty(pools, steps, numbers, async (pools, steps, numbers) => {
      const fleet = new Fleet(pools);
      const pick = drawFrom(numbers);
      for (let at = 0; at < steps; at += 1) {
        await anyStep(fleet, pick);
        expectRoomForAllRanks(fleet);
      }
      await fleet.settle(pick, () => expectRoomForAllRanks(fleet));
      for (const pool of Object.keys(pools)) expect(unplacedRanks(fleet, pool)).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test("nothing is assumed or queued once all models are gone, though no pass comes to clean up", async () => {
  await fc.assert(
    fc.asyncProperty(pools, steps, numbers, async (pools, steps, numbers) => {
      const fleet = new Fleet(pools);
      const pick = drawFrom(numbers);
      for (let at = 0; at < steps; at += 1) await anyStep(fleet, pick);
      for (const holder of fleet.models.keys()) fleet.delete(holder);
      for (const holder of fleet.inFlight.keys()) fleet.finish(holder);
      for (const key of fleet.kinds.pods.live.keys()) fleet.kinds.pods.remove(key);
      fleet.deliver();
      await fleet.clock.advance(200);
      expect(fleet.clock.pendingTimers).toBe(0);
      for (const [pool, { spec }] of fleet.kinds.gpuPools.live) {
        const last = groupModel(fleet, 2, { pool, priorityClassName: "low" });
        const nodes = Math.max(fleet.freeGpus(pool).size, spec.nodes?.max ?? 0);
        const free = fleet.capacity.free(requestOf(last, Infinity, 1));
        expect(free).toMatchObject({ replicas: Math.floor(nodes / 2), behind: undefined });
      }
    }),
    { numRuns: 40 },
  );
});
