// Nodes that come one at a time and stop, whatever the scheduler does with them and whatever a quota refuses: no two
// groups each keep a part of what comes, and no node is lost between them.
import { expect, test } from "vitest";
import * as fc from "fast-check";
import { draw, ownerOf, type Draw } from "./testing/cluster.ts";
import { Fleet } from "./testing/fleet.ts";
import { gpusPerNode, type Model } from "./testing/objects.ts";
import { drawFrom, groupModel } from "./testing/story.ts";

interface Group {
  readonly holder: string;
  readonly name: string;
  readonly size: number;
  readonly placed: number;
  /** Its pods exist. */
  readonly isWhole: boolean;
}

/** Groups that are made, in truth. */
function groupsOf(fleet: Fleet): readonly Group[] {
  return [...fleet.kinds.leaderWorkerSets.live].map(([key, group]) => {
    const pods = fleet.podsOfGroup(key);
    const size = group.spec?.leaderWorkerTemplate?.size ?? 0;
    const placed = pods.filter(({ nodeName }) => nodeName !== undefined).length;
    return { holder: ownerOf(group), name: key, size, placed, isWhole: pods.length === size };
  });
}

function isComplete({ placed, size }: Group): boolean {
  return placed === size;
}

/** A group that has all its nodes is never taken back. */
class CompleteGroups {
  readonly #fleet: Fleet;
  #complete = new Map<string, string>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  expectKept(): void {
    const groups = groupsOf(this.#fleet).filter(isComplete);
    const names = new Set(groups.map(({ name }) => name));
    for (const [name, holder] of this.#complete) {
      if (this.#fleet.models.has(holder)) expect(names).toContain(name);
    }
    this.#complete = new Map(groups.map(({ name, holder }) => [name, holder]));
  }
}

function expectNothingLost(fleet: Fleet): void {
  const groups = groupsOf(fleet);
  const lacking = groups.filter((group) => group.isWhole && !isComplete(group));
  const partial = groups.filter((group) => group.placed > 0 && !isComplete(group));
  const held = partial.reduce((sum, { placed }) => sum + placed, 0);
  const free = [...fleet.freeGpus("a").values()].filter((gpus) => gpus === gpusPerNode).length;
  if (lacking.length === 0) return;
  // One of those that can be complete has all that there is, and needs more.
  expect(partial.length).toBeLessThanOrEqual(1);
  expect(lacking).toEqual(expect.arrayContaining([...partial]));
  expect(free + held).toBeLessThan(Math.max(...lacking.map(({ size }) => size)));
}

const models = fc.array(
  fc.record({
    nodes: fc.constantFrom(2, 2, 2, 3, 4),
    replicas: fc.integer({ min: 1, max: 2 }),
    priorityClassName: fc.constantFrom(undefined, undefined, "low", "high"),
    quota: fc.constantFrom(undefined, undefined, undefined, 0, 1),
  }),
  { minLength: 2, maxLength: 4 },
);

async function anyStep(fleet: Fleet, pick: Draw): Promise<void> {
  switch (pick(8)) {
    case 0:
    case 1:
      return fleet.decide(draw(pick, fleet.due) ?? "");
    case 2:
      return fleet.finish(draw(pick, fleet.inFlight.keys()) ?? "", pick(4) === 0);
    case 3:
      return fleet.runControllers();
    case 4:
    case 5:
      return fleet.schedule(pick);
    case 6:
      return draw(pick, Object.values(fleet.kinds))?.deliver(1 + pick(5));
    default:
      if (pick(20) === 0) fleet.restart();
      return fleet.pass(0.2);
  }
}

test("of groups whose nodes come one at a time and stop, no two keep a part, and none that is complete goes", async () => {
  await fc.assert(
    fc.asyncProperty(
      models,
      fc.integer({ min: 0, max: 2 }),
      fc.integer({ min: 1, max: 6 }),
      fc.infiniteStream(fc.nat()),
      async (models, nodes, coming, numbers) => {
        const fleet = new Fleet({ a: { nodes, growth: 8 } });
        const pick = drawFrom(numbers);
        const complete = new CompleteGroups(fleet);
        for (const { nodes: perReplica, quota, ...over } of models) {
          const model: Model = groupModel(fleet, perReplica, over);
          if (quota !== undefined) fleet.quotas.set(model.holder, quota);
          fleet.apply(model);
          await fleet.pass(1);
        }
        fleet.deliver();
        for (let node = 0; node < coming; node += 1) {
          for (let at = 0; at < 40; at += 1) {
            await anyStep(fleet, pick);
            complete.expectKept();
          }
          if (pick(2) === 0) await fleet.settle(pick, () => complete.expectKept(), { grows: false });
          fleet.addNode("a");
        }
        await fleet.settle(pick, () => complete.expectKept(), { grows: false });
        expectNothingLost(fleet);
      },
    ),
    { numRuns: 60 },
  );
});
