// What becomes of LlamaDeployments when their operator, or its connection, fails at the worst moment: in the manner of
// Sieve (OSDI '22), every life is compared with one in which nothing fails. It must come to the same, with the same
// creations and deletions on the way, and keep to the rules of harness/safety.ts throughout.
//
// Does not show: a death between two writes that the operator sends side by side (they are handed on one by one here,
// so that every prefix of them is seen); a second operator that takes over meanwhile (lease.test.ts); API servers that
// disagree; lists that go back in time, which the API server rules out for those that the operator asks for; events
// that are never delivered (informer.test.ts).
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pods } from "../../src/operator/observed/kinds.ts";
import type { KubeObject, Live } from "../../src/kube-runtime/client/object.ts";
import { slotLabel } from "../../src/operator/workloads/labels.ts";
import { Harness } from "./harness/harness.ts";
import { lateEvents, ApiOutage } from "./harness/faults.ts";
import { KillableOperator, type FaultKind } from "./harness/killable-operator.ts";
import { KilledProcess } from "./harness/operator-process.ts";
import { oneNode, TestUser, twoNodes, type Scenario } from "./harness/test-user.ts";
import {
  comeToRest,
  complaints,
  lastingComplaints,
  liveAll,
  type Lived,
  type Trial,
} from "./harness/trials.ts";

let harness: Harness;
let unharmed: readonly Lived[];
const cleanUp = new AsyncDisposableStack();

function trial(name: string, scenario: Scenario, more: Partial<Trial> = {}): Trial {
  return { namespace: name, nodes: scenario.nodes, scenario, ...more };
}

const references = [trial("one-node", oneNode), trial("two-nodes", twoNodes)];

beforeAll(async () => {
  harness = cleanUp.use(await Harness.start("faults"));
  unharmed = await liveAll(harness, references, cleanUp);
}, 120_000);

afterAll(async () => cleanUp.disposeAsync());

/** What is wrong with lives for good, compared to the references. */
async function wrongWith(
  lives: readonly (Pick<Lived, "trial"> & { readonly operator: Pick<KillableOperator, "writes"> })[],
): Promise<readonly string[]> {
  return lastingComplaints(() =>
    lives.flatMap((life) => {
      const reference = references.find(({ scenario }) => scenario === life.trial.scenario);
      if (reference === undefined) throw new Error(`no reference for ${life.trial.namespace}`);
      return complaints(harness, life.trial, reference, life.operator.writes);
    }),
  );
}

const faultKinds: readonly FaultKind[] = ["crash", "lost reply"];

/** Faults in one world: at writes far apart, so that it recovers in between. */
const faultsAWorld = 4;

/** Trials that together have a fault at every write of the reference. */
function trialsOf({ trial, operator }: Lived, kind: FaultKind): readonly Trial[] {
  const labels = operator.writes.map(({ label }) => label);
  const count = Math.ceil(labels.length / faultsAWorld);
  return Array.from({ length: count }, (_, index) => ({
    ...trial,
    namespace: `${trial.namespace}-${kind.replace(" ", "-")}-${index}`,
    fault: { kind, labels: labels.filter((_label, at) => at % count === index) },
  }));
}

test.concurrent("whichever write an operator dies after, or hears nothing of, the end and the effects are the same", async () => {
  const trials = unharmed.flatMap((life) => faultKinds.flatMap((kind) => trialsOf(life, kind)));
  const faulty = await liveAll(harness, trials, cleanUp);
  await comeToRest([...unharmed, ...faulty]);

  // How often status is written depends on which pod is seen when; everything else has happened, and had its fault.
  const missed = faulty.flatMap(({ trial, operator }) =>
    (trial.fault?.labels ?? []).filter(
      (label) => !operator.injected.has(label) && !label.includes("/status"),
    ),
  );
  expect(missed).toEqual([]);
  expect(await wrongWith(faulty)).toEqual([]);
}, 180_000);

test.concurrent("a process that SIGKILL ends twice comes to the same", async () => {
  const world = trial("killed", oneNode);
  await harness.make([world]);
  const killAt = ["apply deployments 1", "delete deployments 1"];
  await using operator = await KilledProcess.start(harness, world, killAt);
  await oneNode.live(new TestUser(harness, world));
  await comeToRest([{ operator }]);
  expect(operator.kills).toBe(2);
  expect(await wrongWith([{ trial: world, operator }])).toEqual([]);
}, 180_000);

/** Much longer than a pass takes, or the controllers that run the workloads. */
const lateMs = 800;

/** A life in which the events of watches come late. */
function delayed(name: string, scenario: Scenario, delayMs: (plural: string) => number): Trial {
  return trial(name, scenario, { around: (next) => lateEvents(delayMs, next) });
}

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
  const { status } = (await harness.client.get(pods, ref)) as {
    status?: { conditions?: { type: string }[] };
  };
  const conditions = (status?.conditions ?? []).map((condition) =>
    condition.type === "Ready" ? { ...condition, status: ready ? "True" : "False" } : condition,
  );
  await harness.client.mergePatch(pods, ref, { status: { conditions } }, { subresource: "status" });
}

test.concurrent("a group that has gone, unseen so far, is never kept in place of the one that is left", async () => {
  let holding = false;
  const world = { namespace: "victim", nodes: 4 };
  await harness.make([world]);
  const late = (plural: string) => (holding && plural === "leaderworkersets" ? 3000 : 0);
  await using operator = await KillableOperator.start(harness, {
    world,
    around: (next) => lateEvents(late, next),
  });
  const user = new TestUser(harness, world);
  const model = { name: "llama-3.1-405b-instruct" };
  await user.create({ model, quantization: { weights: "bf16" }, replicas: 2 });
  await user.ready();

  const groups = () => harness.history.live(world.namespace).filter(({ kind }) => kind === "LeaderWorkerSet");
  const left = groups().find(({ metadata }) => metadata.labels?.[slotLabel] === "0");
  const leader = harness.history.find("Pod", world.namespace, `${left?.metadata.name}-0`);
  if (leader === undefined) throw new Error("the group in slot 0 has no leader");
  holding = true;
  await user.change({ replicas: 1 });
  await harness.history.until("one group is deleted", () => (groups().length < 2 ? true : undefined), 20);
  // The operator hears of this at once, and of the deletion in three seconds.
  await setReady(leader, false);
  await sleep(4000);
  await setReady(leader, true);
  await user.ready();
  expect(operator.writes.filter(({ what }) => what === "delete leaderworkersets")).toHaveLength(1);
  expect(groups().map(({ metadata }) => metadata.uid)).toEqual([left?.metadata.uid]);
}, 180_000);

test.concurrent("an API server that refuses everything for seconds is left in peace, and then all goes on", async () => {
  const outage = new ApiOutage();
  const stormy = trial("outage", oneNode, { around: (next) => outage.around(next) });
  await harness.make([stormy]);
  await using operator = await KillableOperator.start(harness, { world: stormy, around: stormy.around });
  const living = oneNode.live(new TestUser(harness, stormy));
  await harness.history.until(
    "the first Deployment is made",
    () => harness.history.live("outage").find(({ kind }) => kind === "Deployment"),
    30,
  );
  outage.begin();
  await sleep(5000);
  outage.end();
  await living;
  // Each of eleven watches and the few writes under way ask about once a second.
  expect(outage.refused).toBeGreaterThan(0);
  expect(outage.refused).toBeLessThan(100);
  expect(await wrongWith([{ trial: stormy, operator }])).toEqual([]);
}, 180_000);

test.concurrent("events that come late, of one kind or of all, change neither the end nor the effects", async () => {
  const late = (scenario: Scenario, name: string, plural: string): Trial =>
    delayed(`${name}-${plural}`, scenario, (watched) => (watched === plural ? lateMs : 0));
  const random = (scenario: Scenario, name: string, seed: number): Trial => {
    const next = seeded(seed);
    return delayed(`${name}-random-${seed}`, scenario, () => next() * lateMs);
  };
  const lived = await liveAll(
    harness,
    [
      ...["llamadeployments", "pods", "deployments"].map((plural) => late(oneNode, "one-node", plural)),
      ...["pods", "leaderworkersets"].map((plural) => late(twoNodes, "two-nodes", plural)),
      random(oneNode, "one-node", 1),
      random(twoNodes, "two-nodes", 2),
    ],
    cleanUp,
  );
  await comeToRest(lived);
  expect(lived.flatMap(deletedTwice)).toEqual([]);
  expect(await wrongWith(lived)).toEqual([]);
}, 180_000);
