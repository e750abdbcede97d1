// What the guard remembers of a pool: a component of its own in the stack's state, whose outputs are written when the
// pool itself is made. A pool that could not be made leaves none, and each pool's is as old as that pool.
import { ComponentResource, CustomResource } from "@pulumi/pulumi";
import type { Resource } from "@pulumi/pulumi";
import type { PoolRecord, PoolRecords } from "./pool-record.ts";
import type { StateEntry } from "./stack-state.ts";

const recordType = "llama-operator:guards:PoolRecord";
const stackType = "pulumi:pulumi:Stack";

/** The record of a pool's resource. */
export class PoolMemory extends ComponentResource {
  constructor(name: string, record: PoolRecord, pool: Resource) {
    super(recordType, name);
    const made = CustomResource.isInstance(pool) ? pool.id : pool.urn;
    this.registerOutputs({
      pool: pool.urn,
      // Until the pool is there it is not known, and what was known before stays.
      record: made.apply(() => record),
    });
  }
}

/** The records of the pools that are there. */
export function poolsRemembered(state: ReadonlyMap<string, StateEntry>): PoolRecords {
  const remembered = [...state].flatMap(
    ([urn, { type, outputs }]): readonly (readonly [string, PoolRecord])[] => {
      const { pool, record } = outputs;
      if (type !== recordType || typeof pool !== "string" || !state.has(pool) || !isRecord(record)) return [];
      return [[nameOf(urn), record]];
    },
  );
  return { ...recordsOfWholeStacks(state), ...Object.fromEntries(remembered) };
}

/** As earlier versions kept them: in one output of the stack, which the next `up` takes away. */
function recordsOfWholeStacks(state: ReadonlyMap<string, StateEntry>): PoolRecords {
  const stack = [...state.values()].find(({ type }) => type === stackType);
  const records = stack?.outputs["poolRecords"];
  if (!isRecord(records)) return {};
  return Object.fromEntries(
    Object.entries(records).filter((entry): entry is [string, PoolRecord] => isRecord(entry[1])),
  );
}

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
