// The guard of a program's GPU pools: called before the first resource is registered, it fails the run, preview and
// `up` alike, where a change would replace a pool that `allowReplace` does not name.
//
// Guarantees
// - Works with plain `pulumi preview` and `pulumi up`, and with `--skip-preview`; destroy is not touched.
// - All pools and fields at once; nothing has been registered but the reading of the stack's own outputs.
//
// Caveats
// - It knows the pools of the last `up` that succeeded as a whole. A pool that a failed one has made is not guarded
//   until one succeeds, and one that a failed `up` has replaced counts as what it was: allowReplace stays until then.
// - It knows its table, and arguments that the program has as plain values: no Outputs, nothing that a provider decides itself. What the
//   cloud replaces beside that, Pulumi's preview shows; `protect` stops it.
// - A pool with another name is another pool: the old one is deleted, which `protect` stops.
import { RunError, log } from "@pulumi/pulumi";
import { formerOutputs } from "./former-outputs.ts";
import { poolRecord } from "./pool-record.ts";
import type { PoolArguments, PoolRecord, PoolRecords } from "./pool-record.ts";
import { noticeOf, refusalOf, replacements } from "./replacements.ts";
import type { ReplacingField } from "./replacing-field.ts";

/** A pool that is about to be registered. */
export interface GuardedPool {
  readonly name: string;
  /** Arguments of its resource, transforms applied. */
  readonly args: PoolArguments;
  /** The table of its resource's type. */
  readonly fields: readonly ReplacingField[];
}

/** The stack output that the records lie in: the program must export them under this name. */
export const recordsOutput = "poolRecords";

/**
 * Guards pools against being replaced.
 * @returns their records, to be exported as `poolRecords`
 * @throws RunError, which Pulumi shows without a stack trace, naming pool, field, old, new, reason and what to write
 */
export async function guardPools(
  pools: readonly GuardedPool[],
  allowReplace: readonly string[] = [],
): Promise<PoolRecords> {
  const wanted = pools.map(({ name, args, fields }) => ({ name, fields, record: poolRecord(args, fields) }));
  const found = replacements(recordsIn(await formerOutputs()), wanted);
  const refusal = refusalOf(found, allowReplace);
  if (refusal !== undefined) throw new RunError(refusal);
  for (const each of found) await log.warn(noticeOf(each));
  return Object.fromEntries(wanted.map(({ name, record }): [string, PoolRecord] => [name, record]));
}

/** The records of earlier outputs. What a person or another program has exported under the name is none. */
function recordsIn(outputs: Readonly<Record<string, unknown>>): PoolRecords {
  const records = outputs[recordsOutput];
  if (typeof records !== "object" || records === null) return {};
  return Object.fromEntries(
    Object.entries(records).filter(
      (entry): entry is [string, PoolRecord] => typeof entry[1] === "object" && entry[1] !== null,
    ),
  );
}
