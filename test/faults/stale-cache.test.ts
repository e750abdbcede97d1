// What the operator sees is old: watches deliver late, each kind by itself or all of them at random, while its writes
// go through at once; and an API server that refuses everything for a while. Nothing may be made or deleted twice, and
// the end and the effects must be those of an operator that sees everything at once.
//
// Does not show: lists that go back in time, which the API server rules out for the lists that the operator asks for,
// and events that are never delivered (informer.test.ts and runtime-informer.test.ts have those).
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pods } from "../../src/controllers/observed/kinds.ts";
import type { KubeObject, Live } from "../../src/kube/object.ts";
import { slotLabel } from "../../src/workloads/labels.ts";
import { Bed } from "./bed/bed.ts";
import { lateEvents, Storm } from "./bed/faults.ts";
import { MortalOperator } from "./bed/mortal-operator.ts";
import { oneNode, Person, twoNodes, type Scenario } from "./bed/person.ts";
import { complaints, lastingComplaints, liveAll, type Lived, type Trial } from "./bed/trials.ts";

/** Much longer than a pass takes, or the controllers that run the workloads. */
const lateMs = 800;

let bed: Bed;
const cleanUp = new AsyncDisposableStack();

function trial(name: string, scenario: Scenario, delayMs?: (plural: string) => number): Trial {
  const around = delayMs && ((next: Parameters<typeof lateEvents>[1]) => lateEvents(delayMs, next));
  return { namespace: name, nodes: scenario.nodes, scenario, around };
}

const references = [trial("one-node", oneNode), trial("two-nodes", twoNodes)];
const referenceOf = ({ scenario }: Trial): Trial =>
  references.find((each) => each.scenario === scenario) ?? trial("none", scenario);

beforeAll(async () => {
  bed = cleanUp.use(await Bed.start("stale-cache"));
  await liveAll(bed, references, cleanUp);
}, 120_000);

afterAll(async () => cleanUp.disposeAsync());

/** Numbers in [0, 1) that are the same each time (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Requests to delete the same object again. */
function deletedTwice({ operator, trial: { namespace } }: Lived): readonly string[] {
  const deletions = operator.writes.filter(({ what }) => what.startsWith("delete"));
  const names = deletions.map(({ what, name }) => `${namespace}: ${what} ${name}`);
  return names.filter((name, index) => names.indexOf(name) !== index);
}

/** Says of a pod what its kubelet would say: that it is Ready, or not. */
async function setReady({ metadata }: Live<KubeObject>, ready: boolean): Promise<void> {
  const ref = { namespace: metadata.namespace, name: metadata.name };
  const { status } = (await bed.client.get(pods, ref)) as { status?: { conditions?: { type: string }[] } };
  const conditions = (status?.conditions ?? []).map((condition) =>
    condition.type === "Ready" ? { ...condition, status: ready ? "True" : "False" } : condition,
  );
  await bed.client.mergePatch(pods, ref, { status: { conditions } }, { subresource: "status" });
}

test("a group that has gone, unseen so far, is never kept in place of the one that is left", async () => {
  let holding = false;
  const world = { namespace: "victim", nodes: 4 };
  await bed.make([world]);
  const late = (plural: string) => (holding && plural === "leaderworkersets" ? 3000 : 0);
  await using operator = await MortalOperator.start(bed, { world, around: (next) => lateEvents(late, next) });
  const person = new Person(bed, world);
  const model = { name: "llama-3.1-405b-instruct" };
  await person.wish({ model, quantization: { weights: "bf16" }, replicas: 2 });
  await person.ready();

  const groups = () => bed.history.live(world.namespace).filter(({ kind }) => kind === "LeaderWorkerSet");
  const left = groups().find(({ metadata }) => metadata.labels?.[slotLabel] === "0");
  const leader = bed.history.find("Pod", world.namespace, `${left?.metadata.name}-0`);
  if (leader === undefined) throw new Error("the group in slot 0 has no leader");
  holding = true;
  await person.wishOtherwise({ replicas: 1 });
  await bed.history.until("one group is deleted", () => (groups().length < 2 ? true : undefined), 20);
  // The operator hears of this at once, and of the deletion in three seconds.
  await setReady(leader, false);
  await sleep(4000);
  await setReady(leader, true);
  await person.ready();
  expect(operator.writes.filter(({ what }) => what === "delete leaderworkersets")).toHaveLength(1);
  expect(groups().map(({ metadata }) => metadata.uid)).toEqual([left?.metadata.uid]);
}, 60_000);

test("an API server that refuses everything for seconds is left in peace, and then all goes on", async () => {
  const storm = new Storm();
  const stormy: Trial = { ...trial("storm", oneNode), around: (next) => storm.around(next) };
  await bed.make([stormy]);
  await using operator = await MortalOperator.start(bed, { world: stormy, around: stormy.around });
  const living = oneNode.live(new Person(bed, stormy));
  await bed.history.until(
    "the first Deployment is made",
    () => bed.history.live("storm").find(({ kind }) => kind === "Deployment"),
    30,
  );
  storm.begin();
  await sleep(5000);
  storm.end();
  await living;
  // Each of eleven watches and the few writes under way ask about once a second.
  expect(storm.refused).toBeGreaterThan(0);
  expect(storm.refused).toBeLessThan(100);
  const wrong = await lastingComplaints(() => complaints(bed, stormy, referenceOf(stormy), operator.writes));
  expect(wrong).toEqual([]);
}, 90_000);

test("events that come late, of one kind or of all, change neither the end nor the effects", async () => {
  const late = (scenario: Scenario, name: string, plural: string): Trial =>
    trial(`${name}-${plural}`, scenario, (watched) => (watched === plural ? lateMs : 0));
  const random = (scenario: Scenario, name: string, seed: number): Trial => {
    const next = seeded(seed);
    return trial(`${name}-random-${seed}`, scenario, () => next() * lateMs);
  };
  const lived = await liveAll(
    bed,
    [
      ...["llamadeployments", "pods", "deployments", "controllerrevisions"].map((plural) =>
        late(oneNode, "one-node", plural),
      ),
      ...["llamadeployments", "pods", "deployments", "leaderworkersets"].map((plural) =>
        late(twoNodes, "two-nodes", plural),
      ),
      ...[1, 2].flatMap((seed) => [random(oneNode, "one-node", seed), random(twoNodes, "two-nodes", seed)]),
    ],
    cleanUp,
  );
  await sleep(2 * lateMs);
  expect(lived.flatMap(deletedTwice)).toEqual([]);
  const wrong = await lastingComplaints(() =>
    lived.flatMap((each) => complaints(bed, each.trial, referenceOf(each.trial), each.operator.writes)),
  );
  expect(wrong).toEqual([]);
}, 120_000);
