// Who gets freed GPUs: in order, nobody waits for ever, and nobody waits for what can never come.
import { expect, test } from "vitest";
import * as fc from "fast-check";
import { draw, ownerOf } from "./testing/cluster.ts";
import { Fleet } from "./testing/fleet.ts";
import { anyModel, anyStep, drawFrom, endSome, groupModel, singleModel } from "./testing/story.ts";

const numbers = fc.infiniteStream(fc.nat());
const sizes = [1, 2, 4, 8];

function placed(fleet: Fleet, holder: string): number {
  return fleet.podsOf(holder).filter(({ nodeName }) => nodeName !== undefined).length;
}

test("a group gets its nodes though small models keep coming", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 4 }), numbers, async (nodes, numbers) => {
      const fleet = new Fleet({ a: { nodes } });
      const pick = drawFrom(numbers);
      const small = (most: number) => singleModel(fleet, draw(pick, sizes) ?? 1, 1 + pick(most));
      let older = 0;
      for (let at = 0; at < 2 * nodes; at += 1) {
        const model = small(4);
        older += model.replicas;
        fleet.apply(model);
      }
      await fleet.settle(pick);
      await fleet.clock.advance(1000);
      const group = groupModel(fleet, 2 + pick(nodes - 1));
      fleet.apply(group);
      await fleet.settle(pick);
      for (let round = 0; fleet.podsOf(group.holder).length === 0; round += 1) {
        expect(round).toBeLessThanOrEqual(older);
        expect(endSome(fleet, pick)).toBe(true);
        fleet.apply(small(3));
        if (pick(5) === 0) fleet.restart();
        await fleet.settle(pick);
      }
      expect(placed(fleet, group.holder)).toBe(group.footprint.nodesPerReplica);
    }),
    { numRuns: 40 },
  );
});

test("when everything that is placed ends at some time, everything that could ever fit is placed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), numbers, async (nodes, numbers) => {
      const fleet = new Fleet({ a: { nodes }, b: { nodes: 2, growth: 1 } });
      const pick = drawFrom(numbers);
      for (let at = 0; at < 100; at += 1) await anyStep(fleet, pick);
      for (let at = 0; at < 4; at += 1) fleet.apply(anyModel(fleet, pick));
      for (const key of fleet.kinds.pods.live.keys()) {
        if (key.startsWith("foreign/")) fleet.kinds.pods.remove(key);
      }
      await fleet.settle(pick);
      const waiting = new Set(fleet.models.keys());
      for (let round = 0; round < 300; round += 1) {
        for (const holder of waiting) if (placed(fleet, holder) > 0) waiting.delete(holder);
        const holder = draw(pick, fleet.models.keys()) ?? "";
        if (placed(fleet, holder) > 0) fleet.delete(holder);
        await fleet.settle(pick);
      }
      const left = [...waiting]
        .map((holder) => fleet.models.get(holder))
        .filter((model) => (model?.replicas ?? 0) > 0);
      const most = { a: nodes, b: 3 } as Readonly<Record<string, number>>;
      for (const model of left) {
        expect(model?.footprint.nodesPerReplica).toBeGreaterThan(most[model?.pool ?? ""] ?? 0);
      }
    }),
    { numRuns: 10 },
  );
});

test("who lacks a thousand replicas keeps nobody waiting once it has all that it could ever get", async () => {
  const fleet = new Fleet({ a: { nodes: 4 } });
  const first = (): number => 0;
  const greedy = groupModel(fleet, 2, { replicas: 1000 });
  fleet.apply(greedy);
  await fleet.settle(first);
  expect(placed(fleet, greedy.holder)).toBe(4);
  await fleet.clock.advance(1000);
  const late = singleModel(fleet, 1, 3);
  fleet.apply(late);
  await fleet.settle(first);
  expect(fleet.podsOf(late.holder).length).toBe(3);
});

test("who lacks many replicas waits anew after each that it gets", async () => {
  await fc.assert(
    fc.asyncProperty(numbers, async (numbers) => {
      const fleet = new Fleet({ a: { nodes: 4 } });
      const pick = drawFrom(numbers);
      const old = singleModel(fleet, 8, 4);
      const [greedy, late] = [groupModel(fleet, 2, { replicas: 10 }), groupModel(fleet, 2)];
      for (const model of [old, greedy, late]) {
        fleet.apply(model);
        await fleet.settle(pick);
        await fleet.clock.advance(1000);
      }
      for (let replicas = 3; replicas >= 0; replicas -= 1) {
        fleet.scale(old.holder, replicas);
        await fleet.settle(pick);
      }
      expect([placed(fleet, greedy.holder), placed(fleet, late.holder)]).toEqual([2, 2]);
    }),
    { numRuns: 5 },
  );
});

test("who lacks more than the pool holds gives way to a group of higher priority", async () => {
  await fc.assert(
    fc.asyncProperty(numbers, async (numbers) => {
      const fleet = new Fleet({ a: { nodes: 3 } });
      const pick = drawFrom(numbers);
      const [old, greedy] = [singleModel(fleet, 1, 24), singleModel(fleet, 1, 100)];
      const group = groupModel(fleet, 2, { priorityClassName: "high" });
      for (const model of [old, greedy, group]) {
        fleet.apply(model);
        await fleet.settle(pick);
      }
      for (let replicas = 23; replicas >= 0; replicas -= 1) {
        fleet.scale(old.holder, replicas);
        await fleet.settle(pick);
      }
      expect(placed(fleet, group.holder)).toBe(2);
      expect(placed(fleet, greedy.holder)).toBe(8);
    }),
    { numRuns: 3 },
  );
});

test("groups come in the order of priority, then age, after a restart too", async () => {
  const classes = fc.array(fc.constantFrom(undefined, "low", "high"), { minLength: 2, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(classes, numbers, async (classes, numbers) => {
      const fleet = new Fleet({ a: { nodes: 2 } });
      const pick = drawFrom(numbers);
      fleet.apply(singleModel(fleet, 1, 16));
      await fleet.settle(pick);
      const groups = classes.map((priorityClassName) => groupModel(fleet, 2, { priorityClassName }));
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
        expect(made.length === 1 || endSome(fleet, pick)).toBe(true);
        if (pick(4) === 0) fleet.restart();
        await fleet.settle(pick);
      }
      const rank = ["high", undefined, "low"];
      const inOrder = groups.toSorted(
        (a, b) => rank.indexOf(a.priorityClassName) - rank.indexOf(b.priorityClassName),
      );
      expect(served).toEqual(inOrder.map(({ holder }) => holder));
    }),
    { numRuns: 25 },
  );
});
