// What a table of fields holds whose change costs a pool its nodes, or makes them anew. The SDKs of npm say nowhere which
// arguments force a replacement (no `replaceOnChanges`, and the providers' schemas are not in the packages), so that each
// cloud has tables, and each line of them a source. infra/clouds/replacing-fields.test.ts holds the tables against the
// providers' own lists.
import { isDeepStrictEqual } from "node:util";

/** An argument of a pool's resource, or of what the pool stands on, whose change its nodes do not outlive. */
export interface ReplacingField {
  /**
   * Path in the pool's arguments, such as `nodeConfig.taints`. `[]` stands for every element of a list:
   * `nodeConfig.guestAccelerators[].gpuDriverInstallationConfig`. All that lies below the path counts.
   */
  readonly field: string;
  /** What happens and why, as a clause that ends a sentence of the refusal. */
  readonly reason: string;
  /** Where that is written: `repository:path`, a page or an issue. */
  readonly source: string;
  /** Changes of it that do no harm: more zones, say, cost nobody a node. */
  readonly harmless?: (old: unknown, next: unknown) => boolean;
}

/** Of a list, in any order: that nothing of it goes. */
export const onlyMore = (old: unknown, next: unknown): boolean =>
  Array.isArray(old) &&
  Array.isArray(next) &&
  old.every((item) => next.some((other) => isDeepStrictEqual(item, other)));

/** A table of another resource that pools stand on, with paths from `name` on: `cluster.location`. */
export const fieldsOf = (name: string, fields: readonly ReplacingField[]): readonly ReplacingField[] =>
  fields.map((each) => ({ ...each, field: `${name}.${each.field}` }));
