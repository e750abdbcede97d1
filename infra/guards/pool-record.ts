// What a pool was made with, as far as a change of it would replace the pool: plain data for the stack's outputs.
import { Output } from "@pulumi/pulumi";
import type { ReplacingField } from "./replacing-field.ts";

/** Arguments of a pool's resource. */
export type PoolArguments = Readonly<Record<string, unknown>>;

/**
 * The value of each replacing field by its path; null where it was not set. A field is absent where its value was
 * not known, or where the table did not have it yet.
 */
export type PoolRecord = Readonly<Record<string, unknown>>;

/** The records of a stack's pools by their names. */
export type PoolRecords = Readonly<Record<string, PoolRecord>>;

/**
 * The record of a pool. A field that holds an Output is left out: it follows another resource, which a preview may not
 * know yet.
 */
export function poolRecord(args: PoolArguments, fields: readonly ReplacingField[]): PoolRecord {
  return Object.fromEntries(
    fields.flatMap(({ field }) => {
      const value = valueAt(args, segmentsOf(field));
      return holdsOutput(value) ? [] : [[field, settled(value) ?? null]];
    }),
  );
}

/** Names of a path; a list's `[]` is a segment of its own. */
const segmentsOf = (field: string): readonly string[] => field.replaceAll("[]", ".[]").split(".");

function valueAt(value: unknown, segments: readonly string[]): unknown {
  const [first, ...rest] = segments;
  if (first === undefined || Output.isInstance(value)) return value;
  if (first === "[]") return Array.isArray(value) ? value.map((each) => valueAt(each, rest)) : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  return valueAt((value as Readonly<Record<string, unknown>>)[first], rest);
}

function holdsOutput(value: unknown): boolean {
  if (Output.isInstance(value) || value instanceof Promise) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsOutput);
}

/** The value without members that are not set, its keys in order: so that equal values have equal JSON. */
function settled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => settled(item) ?? null);
  if (typeof value !== "object" || value === null) return value ?? undefined;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, inner]) => [name, settled(inner)] as const)
      .filter(([, inner]) => inner !== undefined)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}
