// The guard of a program's GPU pools: called before the first resource is registered, it fails the run, preview and
// `up` alike, where a change would replace a pool that `allowReplace` does not name, and says what happens to the nodes
// of the others.
//
// Guarantees
// - Works with plain `pulumi preview` and `pulumi up`, and with `--skip-preview`; destroy is not touched.
// - All pools and fields at once; nothing has been registered, and only the stack's own state was read.
// - What it compares with is what is there: a pool that could not be made is forgotten, one that an `up` that failed
//   has replaced counts as what it is now.
//
// Caveats
// - It knows its tables, and arguments that the program has as plain values: no Outputs, nothing that a provider decides
//   itself. What the engine replaces beside that, its own preview shows, which `npm run infra` asks; `protect` stops it.
// - A pool that was deleted to be replaced, and whose successor could not be made, counts as the one that it was.
// - A pool with another name is another pool: the old one is deleted, which `protect` stops.
import { RunError, log } from "@pulumi/pulumi";
import type { Resource } from "@pulumi/pulumi";
import { inUseRefusal, takesNodes } from "./pools-in-use.ts";
import type { ServedModel } from "./pools-in-use.ts";
import { PoolMemory, poolsRemembered } from "./pool-memory.ts";
import { poolRecord } from "./pool-record.ts";
import type { PoolArguments, PoolRecord, PoolRecords } from "./pool-record.ts";
import { nodesField, noticeOf, notices, refusalOf, replacements } from "./replacements.ts";
import type { Rollout } from "./replacements.ts";
import type { ReplacingField } from "./replacing-field.ts";
import { stateOfThisStack } from "./stack-state.ts";

/** A pool that is about to be registered. */
export interface GuardedPool {
  readonly name: string;
  /** Arguments of its resource, transforms applied, and of what it stands on: `cluster`, `network`, `launchTemplate`. */
  readonly args: PoolArguments;
  /** The table of fields whose change costs the pool its nodes. */
  readonly fields: readonly ReplacingField[];
  /** Nodes that it may have. */
  readonly nodes?: number;
  readonly gpusPerNode?: number;
  /** What makes its nodes anew without costing it any. */
  readonly rollout?: Rollout;
}

export interface GuardOptions {
  /** Pools that a change may replace. */
  readonly allowReplace?: readonly string[];
  /** The models that run on the pools: asked where a change takes nodes away. */
  readonly served?: () => Promise<readonly ServedModel[]>;
}

/** What comes of guarding pools. */
export interface PoolGuard {
  /** Pools that are there, as they were made. */
  readonly former: PoolRecords;
  /** Remembers, for the next run, what a pool is made with: called with the pool's resource. */
  remember(name: string, pool: Resource): void;
}

/**
 * Guards pools against being replaced, and against going while models run on them.
 * @throws RunError, which Pulumi shows without a stack trace, naming pool, field, old, new, reason and what to write
 */
export async function guardPools(
  pools: readonly GuardedPool[],
  { allowReplace = [], served }: GuardOptions = {},
): Promise<PoolGuard> {
  const wanted = pools.map((pool) => ({ ...pool, record: recordOf(pool) }));
  const former = poolsRemembered(await stateOfThisStack());
  const found = replacements(former, wanted);
  const refusal = refusalOf(found, allowReplace, former);
  if (refusal !== undefined) throw new RunError(refusal);
  if (served !== undefined && takesNodes(former, wanted)) {
    const inUse = inUseRefusal(former, wanted, await served());
    if (inUse !== undefined) throw new RunError(inUse);
  }
  for (const notice of [...found.map(noticeOf), ...notices(former, wanted, found)]) await log.warn(notice);
  return {
    former,
    remember(name, pool) {
      const known = wanted.find((each) => each.name === name);
      if (known === undefined) throw new Error(`the pool ${name} was not guarded`);
      void new PoolMemory(name, known.record, pool);
    },
  };
}

/** What is remembered of a pool. */
export function recordOf({ args, fields, nodes, rollout }: GuardedPool): PoolRecord {
  return {
    ...poolRecord(args, [...fields, ...(rollout?.fields ?? [])]),
    ...(nodes === undefined ? {} : { [nodesField]: nodes }),
  };
}
