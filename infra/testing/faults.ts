// Faults that a test plans and a provider double commits: the two are processes of their own, so that a plan is a
// folder of files. Each planned fault counts the calls that it matches by files that only one process can create.

import { mkdir, open, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProviderOperation } from "../local-engine/provider/interceptor.ts";

/** Where a double finds its plan; without it nothing goes wrong. */
export const faultsVariable = "LLAMA_OPERATOR_FAULTS";

export interface Fault {
  readonly operation: ProviderOperation;
  /** The resource's Pulumi type, such as `kubernetes:core/v1:Secret`; all types when absent. */
  readonly type?: string;
  /** The resource's Pulumi name; all names when absent. */
  readonly name?: string;
  /** Which of the matching calls, previews left out, is the first to fail: counts from 1. Default 1. */
  readonly nth?: number;
  /** How many calls in a row fail from there on. Default 1. */
  readonly times?: number;
  /**
   * - `refuse`: the provider answers with the message, and nothing has happened.
   * - `hang`: the provider never answers, and nothing has happened.
   * - `die`: the provider's process ends before it does anything.
   * - `dieAfterwards`: it does what was asked, then ends before it answers.
   * - `hangAfterwards`: it does what was asked, and never answers: an engine that is killed then leaves it unrecorded.
   * - `uninitialized`: what was asked is done and answered as made but not ready; for create and update.
   */
  readonly effect: "refuse" | "hang" | "die" | "dieAfterwards" | "hangAfterwards" | "uninitialized";
  /** What the provider says. */
  readonly message?: string;
}

/** What a double knows of a call when it asks for its fault. */
export interface FaultedCall {
  readonly operation: ProviderOperation;
  readonly type: string;
  readonly name: string;
}

/** Adds a fault to the plan in the folder. */
export async function planFault(folder: string, fault: Fault): Promise<void> {
  await mkdir(folder, { recursive: true });
  const planned = (await readdir(folder)).filter((name) => name.endsWith(planEnding));
  await writeFile(join(folder, `${planned.length + 1}${planEnding}`), JSON.stringify(fault));
}

/** The fault of this call, if one is planned for it. Counts the call. */
export async function faultOf(folder: string | undefined, call: FaultedCall): Promise<Fault | undefined> {
  if (folder === undefined) {
    return undefined;
  }
  let found: Fault | undefined;
  for (const name of (await readdir(folder).catch(() => [])).filter((file) => file.endsWith(planEnding))) {
    const fault = JSON.parse(await readFile(join(folder, name), "utf8")) as Fault;
    if (matches(fault, call)) {
      const position = await count(join(folder, name.slice(0, -planEnding.length)));
      const first = fault.nth ?? 1;
      if (position >= first && position < first + (fault.times ?? 1)) {
        found ??= fault;
      }
    }
  }
  return found;
}

/** How many calls the planned faults have counted: what a test waits for before it kills an engine in a call. */
export async function countedCalls(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => !name.endsWith(planEnding)).length;
}

const planEnding = ".json";

function matches(fault: Fault, call: FaultedCall): boolean {
  return (
    fault.operation === call.operation &&
    (fault.type === undefined || fault.type === call.type) &&
    (fault.name === undefined || fault.name === call.name)
  );
}

/** This call's position among those that have counted with the same prefix, from 1. */
async function count(prefix: string): Promise<number> {
  for (let position = 1; ; position += 1) {
    try {
      const file = await open(`${prefix}.${position}`, "wx");
      await file.close();
      return position;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) {
        throw error;
      }
    }
  }
}
