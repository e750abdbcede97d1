// An operator dies right after each of its writes, or never hears that it was committed, and starts again: in the
// manner of Sieve's intermediate states (OSDI '22), every write of two scenarios. What it comes to must be what an
// operator that lives comes to, with the same creations and deletions on the way.
//
// Does not show: a death between two writes that the operator sends side by side (they are handed on one by one here,
// so that every prefix of them is seen), API servers that disagree, and a second operator that takes over meanwhile
// (lease.test.ts).
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bed } from "./bed/bed.ts";
import type { Stroke } from "./bed/mortal-operator.ts";
import { KilledProcess } from "./bed/operator-process.ts";
import { oneNode, Person, twoNodes } from "./bed/person.ts";
import { complaints, lastingComplaints, liveAll, type Lived, type Trial } from "./bed/trials.ts";

const strokes: readonly Stroke[] = ["crash", "lost reply"];

/** So often is one world struck: at writes far apart, so that it recovers in between. */
const strikesAWorld = 3;

/** Quiet for this long counts as rest. */
const restMs = 1500;

const references: readonly Trial[] = [
  { namespace: "one-node", nodes: oneNode.nodes, scenario: oneNode },
  { namespace: "two-nodes", nodes: twoNodes.nodes, scenario: twoNodes },
];

let bed: Bed;
let lived: readonly Lived[];
const cleanUp = new AsyncDisposableStack();

beforeAll(async () => {
  bed = cleanUp.use(await Bed.start("crash"));
  lived = await liveAll(bed, references, cleanUp);
}, 120_000);

afterAll(async () => cleanUp.disposeAsync());

/** Trials that together strike at every write of the reference. */
function trialsOf({ trial, operator }: Lived, stroke: Stroke): readonly Trial[] {
  const labels = operator.writes.map(({ label }) => label);
  const count = Math.ceil(labels.length / strikesAWorld);
  return Array.from({ length: count }, (_, index) => ({
    ...trial,
    namespace: `${trial.namespace}-${stroke.replace(" ", "-")}-${index}`,
    fault: { stroke, labels: labels.filter((_label, at) => at % count === index) },
  }));
}

test("whichever write an operator dies after, or hears nothing of, the end and the effects are the same", async () => {
  const struck: Lived[] = [];
  for (const reference of lived) {
    const trials = strokes.flatMap((stroke) => trialsOf(reference, stroke));
    struck.push(...(await liveAll(bed, trials, cleanUp)));
  }
  const countWrites = () => [...lived, ...struck].map(({ operator }) => operator.writes.length);
  await sleep(restMs);
  const before = countWrites();
  await sleep(restMs);
  expect(countWrites(), "at rest nothing is written").toEqual(before);

  // How often status is written depends on which pod is seen when; everything else has happened, and was struck.
  const missed = struck.flatMap(({ trial, operator }) =>
    (trial.fault?.labels ?? []).filter((label) => !operator.struck.has(label) && !label.includes("/status")),
  );
  expect(missed).toEqual([]);
  const wrong = await lastingComplaints(() =>
    struck.flatMap(({ trial, operator }) => {
      const reference = references.find(({ scenario }) => scenario === trial.scenario) ?? trial;
      return complaints(bed, trial, reference, operator.writes);
    }),
  );
  expect(wrong).toEqual([]);
}, 120_000);

test("a process that SIGKILL ends twice comes to the same", async () => {
  const world = { namespace: "killed", nodes: oneNode.nodes };
  const killAt = ["apply deployments 1", "delete deployments 1"];
  await bed.make([world]);
  await using operator = await KilledProcess.start(bed, world, killAt);
  await oneNode.live(new Person(bed, world));
  await sleep(restMs);
  expect(operator.kills).toBe(2);
  const reference = { namespace: "one-node", nodes: 1 };
  expect(await lastingComplaints(() => complaints(bed, world, reference, operator.writes))).toEqual([]);
}, 60_000);
