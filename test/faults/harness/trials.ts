// Lives of one scenario each, side by side: first one without a fault, for reference, then those with faults.
import { setTimeout as sleep } from "node:timers/promises";
import type { Harness } from "./harness.ts";
import { differences, endState, type EndState } from "./end-state.ts";
import type { Write } from "./faults.ts";
import { KillableOperator, type Fault, type KillableOperatorOptions } from "./killable-operator.ts";
import { TestUser, type Scenario } from "./test-user.ts";
import { violations } from "./safety.ts";
import type { World } from "./world.ts";

export interface Trial extends World {
  readonly scenario: Scenario;
  readonly fault?: Fault | undefined;
  readonly around?: KillableOperatorOptions["around"];
}

/** A trial that has been lived through; the operator still runs. */
export interface Lived {
  readonly trial: Trial;
  readonly operator: KillableOperator;
}

/** Worlds that live at the same time: more only wait for the same two or three processors. */
const worldsAtATime = 12;

/** Lives through all of them. The operators run until `cleanUp` is disposed of. */
export async function liveAll(
  harness: Harness,
  trials: readonly Trial[],
  cleanUp: AsyncDisposableStack,
): Promise<readonly Lived[]> {
  await harness.make(trials);
  const waiting = [...trials];
  const lived: Lived[] = [];
  const worker = async (): Promise<void> => {
    for (let trial = waiting.shift(); trial !== undefined; trial = waiting.shift()) {
      const { fault, around } = trial;
      const operator = cleanUp.use(await KillableOperator.start(harness, { world: trial, fault, around }));
      await trial.scenario.live(new TestUser(harness, trial));
      lived.push({ trial, operator });
    }
  };
  await Promise.all(Array.from({ length: worldsAtATime }, worker));
  return lived;
}

/** Quiet for this long counts as rest. */
const restMs = 1500;

/** Waits until nothing is written any more: at rest there are no writes. @throws when that does not come */
export async function comeToRest(
  lives: readonly { readonly operator: { readonly writes: readonly Write[] } }[],
): Promise<void> {
  const written = () => lives.reduce((sum, { operator }) => sum + operator.writes.length, 0);
  const deadline = performance.now() + settleSeconds * 1000;
  for (let before = -1; before !== written(); await sleep(restMs)) {
    if (performance.now() > deadline) throw new Error(`still writing after ${settleSeconds} s`);
    before = written();
  }
}

/** How long what others do after the last change may take: the garbage collector knows a new kind after 30 s. */
const settleSeconds = 40;

/** Looks until there is nothing to complain of, and answers with what is left. */
export async function lastingComplaints(look: () => readonly string[]): Promise<readonly string[]> {
  for (const startedAtMs = performance.now(); ;) {
    const found = look();
    if (found.length === 0 || performance.now() - startedAtMs > settleSeconds * 1000) return found;
    await sleep(1000);
  }
}

/** What is wrong with a life, compared to the reference of its scenario; empty where nothing is. */
export function complaints(
  harness: Harness,
  world: World,
  reference: World,
  writes: readonly Write[],
): readonly string[] {
  const createdTwice = writes
    .filter(({ status }) => status === 201)
    .map(({ what, name }) => `${what} ${name}`)
    .filter((write, index, all) => all.indexOf(write) !== index);
  return [
    ...differences(stateOf(harness, reference), stateOf(harness, world)),
    ...violations(harness.history.of(world.namespace)),
    ...createdTwice.map((write) => `created twice: ${write}`),
  ].map((complaint) => `${world.namespace}: ${complaint}`);
}

function stateOf({ history }: Harness, { namespace }: World): EndState {
  return endState(namespace, history.live(namespace), history.of(namespace));
}
