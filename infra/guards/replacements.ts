// What a change does to the nodes of pools, and how that is said. Pure.
import { isDeepStrictEqual } from "node:util";
import { counted } from "@llama-operator/llama/planning";
import type { PoolRecord, PoolRecords } from "./pool-record.ts";
import type { ReplacingField } from "./replacing-field.ts";

/** A field of a pool that was made with one value and is to have another. */
export interface FieldChange extends ReplacingField {
  readonly old: unknown;
  readonly new: unknown;
}

/** A pool and the fields of a table that change. */
export interface PoolChange {
  readonly pool: string;
  readonly changes: readonly FieldChange[];
}

/** How the nodes of a pool are made anew one after the other. */
export interface Rollout {
  /** Fields whose change makes them anew. */
  readonly fields: readonly ReplacingField[];
  /** In which steps, as a clause: `one at a time, the old one first`. */
  readonly pace: string;
}

/** A pool as it is to be. */
export interface WantedPool {
  readonly name: string;
  readonly record: PoolRecord;
  /** The table of fields whose change costs the pool its nodes. */
  readonly fields: readonly ReplacingField[];
  readonly rollout?: Rollout;
}

/** The field of a record that says how many nodes a pool may have. */
export const nodesField = "nodes";

/**
 * Compares what pools were made with and what they are to be. A pool that was not there is no replacement, nor is one
 * that goes; of a field that one of the two records lacks, nothing is known. A state does not keep the order of keys.
 */
export function replacements(former: PoolRecords, wanted: readonly WantedPool[]): readonly PoolChange[] {
  return wanted.flatMap((pool) => changesOf(former, pool, pool.fields));
}

function changesOf(
  former: PoolRecords,
  { name, record }: WantedPool,
  fields: readonly ReplacingField[],
): readonly PoolChange[] {
  const before = former[name];
  if (before === undefined) return [];
  const changes = fields
    .filter(({ field, harmless }) => {
      if (!(field in before) || !(field in record)) return false;
      const [old, next] = [before[field], record[field]];
      return !isDeepStrictEqual(old, next) && harmless?.(old, next) !== true;
    })
    .map((field) => ({ ...field, old: before[field.field], new: record[field.field] }));
  return changes.length === 0 ? [] : [{ pool: name, changes }];
}

/** The refusal of replacements, or undefined where all are allowed. */
export function refusalOf(
  found: readonly PoolChange[],
  allowReplace: readonly string[],
  former: PoolRecords = {},
): string | undefined {
  const refused = found.filter(({ pool }) => !allowReplace.includes(pool));
  if (refused.length === 0) return undefined;
  const allowed = [...allowReplace, ...refused.map(({ pool }) => pool)].join(", ");
  const given = refused.flatMap(({ pool }) => {
    const nodes = nodesOf(former[pool]);
    return nodes === undefined ? [] : [`${pool}: ${nodes}`];
  });
  return [
    `this change would replace ${counted(refused.length, "GPU pool")}; nothing was done`,
    ...refused.flatMap(describeChange),
    `A replaced pool gives its nodes back${given.length === 0 ? "" : ` (${given.join(", ")})`}, and gets new ones only where there is capacity. Undo the change, make a second pool with another name, or write allowReplace: [${allowed}]`,
  ].join("\n");
}

/** What is said, at each run, of a replacement that is allowed. */
export function noticeOf(change: PoolChange): string {
  return [
    "a GPU pool will be replaced, as allowReplace says:",
    ...describeChange(change),
    `Take ${change.pool} out of allowReplace afterwards`,
  ].join("\n");
}

/** What is said, at each run, of nodes that are made anew in their pool, that go, or whose pool goes. */
export function notices(
  former: PoolRecords,
  wanted: readonly WantedPool[],
  replaced: readonly PoolChange[],
): readonly string[] {
  const staying = wanted.filter(({ name }) => !replaced.some(({ pool }) => pool === name));
  return [
    ...staying.flatMap((pool) => rolled(former, pool)),
    ...staying.flatMap((pool) => shrunk(former, pool)),
    ...gone(former, wanted),
  ];
}

function rolled(former: PoolRecords, pool: WantedPool): readonly string[] {
  const { rollout } = pool;
  if (rollout === undefined) return [];
  return changesOf(former, pool, rollout.fields).map((change) =>
    [
      `nodes of a GPU pool will be made anew, ${rollout.pace}: ${countedNodes(former[pool.name])} of ${pool.name}`,
      ...describeChange(change),
    ].join("\n"),
  );
}

function shrunk(former: PoolRecords, pool: WantedPool): readonly string[] {
  const { name, record } = pool;
  const [before, after] = [nodesOf(former[name]), nodesOf(record)];
  if (before === undefined || after === undefined || after >= before) return [];
  return [`a GPU pool shrinks: ${name} from up to ${counted(before, "node")} to ${after}`];
}

function gone(former: PoolRecords, wanted: readonly WantedPool[]): readonly string[] {
  return poolsThatGo(former, wanted).map(
    (name) => `a GPU pool goes, as it is configured no more: ${name} with ${countedNodes(former[name])}`,
  );
}

/** Pools that are there and wanted no more. */
export const poolsThatGo = (former: PoolRecords, wanted: readonly WantedPool[]): readonly string[] =>
  Object.keys(former).filter((name) => !wanted.some((pool) => pool.name === name));

/** Pools that may have fewer nodes than before. */
export const poolsThatShrink = <Pool extends WantedPool>(
  former: PoolRecords,
  wanted: readonly Pool[],
): readonly Pool[] => wanted.filter((pool) => shrunk(former, pool).length > 0);

/** How many nodes a pool may have, where its record says it: those of earlier versions do not. */
function nodesOf(record: PoolRecord | undefined): number | undefined {
  const nodes = record?.[nodesField];
  return typeof nodes === "number" ? nodes : undefined;
}

function countedNodes(record: PoolRecord | undefined): string {
  const nodes = nodesOf(record);
  return nodes === undefined ? "all nodes" : `up to ${counted(nodes, "node")}`;
}

function describeChange({ pool, changes }: PoolChange): readonly string[] {
  return changes.map(
    (change) =>
      `  ${pool}: ${change.field} ${shown(change.old)} -> ${shown(change.new)}: ${change.reason} (${change.source})`,
  );
}

const shown = (value: unknown): string => (value === null ? "not set" : JSON.stringify(value));
