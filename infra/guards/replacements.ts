// Which pools a change would replace, and how that is said. Pure.
import { isDeepStrictEqual } from "node:util";
import { counted } from "@llama-operator/llama/planning";
import type { PoolRecord, PoolRecords } from "./pool-record.ts";
import type { ReplacingField } from "./replacing-field.ts";

/** A field of a pool that was made with one value and is to have another. */
export interface FieldChange extends ReplacingField {
  readonly old: unknown;
  readonly new: unknown;
}

/** A pool that would be replaced, and for which fields. */
export interface Replacement {
  readonly pool: string;
  readonly changes: readonly FieldChange[];
}

/** A pool as it is to be. */
export interface WantedPool {
  readonly name: string;
  readonly record: PoolRecord;
  /** The table of its resource's type. */
  readonly fields: readonly ReplacingField[];
}

/**
 * Compares what pools were made with and what they are to be. A pool that was not there is no replacement, nor is one
 * that goes; of a field that one of the two records lacks, nothing is known. A state does not keep the order of keys.
 */
export function replacements(former: PoolRecords, wanted: readonly WantedPool[]): readonly Replacement[] {
  return wanted.flatMap(({ name, record, fields }) => {
    const before = former[name];
    if (before === undefined) return [];
    const changes = fields
      .filter(
        ({ field }) => field in before && field in record && !isDeepStrictEqual(before[field], record[field]),
      )
      .map((field) => ({ ...field, old: before[field.field], new: record[field.field] }));
    return changes.length === 0 ? [] : [{ pool: name, changes }];
  });
}

/** The refusal of replacements, or undefined where all are allowed. */
export function refusalOf(
  found: readonly Replacement[],
  allowReplace: readonly string[],
): string | undefined {
  const refused = found.filter(({ pool }) => !allowReplace.includes(pool));
  if (refused.length === 0) return undefined;
  const allowed = [...allowReplace, ...refused.map(({ pool }) => pool)].join(", ");
  return [
    `this change would replace ${counted(refused.length, "GPU pool")}; nothing was done`,
    ...refused.flatMap(({ pool, changes }) => describeReplacement(pool, changes)),
    `A replaced pool gives its nodes back, and gets new ones only where there is capacity. Undo the change, make a second pool with another name, or write allowReplace: [${allowed}]`,
  ].join("\n");
}

/** What is said, at each run, of a replacement that is allowed. */
export function noticeOf({ pool, changes }: Replacement): string {
  return [
    "a GPU pool will be replaced, as allowReplace says:",
    ...describeReplacement(pool, changes),
    `Take ${pool} out of allowReplace afterwards`,
  ].join("\n");
}

function describeReplacement(pool: string, changes: readonly FieldChange[]): readonly string[] {
  return changes.map(
    (change) =>
      `  ${pool}: ${change.field} ${shown(change.old)} -> ${shown(change.new)}: ${change.reason} (${change.source})`,
  );
}

const shown = (value: unknown): string => (value === null ? "not set" : JSON.stringify(value));
