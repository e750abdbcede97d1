// Which manager owns which fields of one object, and what an apply or an update makes of that: the part of
// structured-merge-diff above the sets (merge/update.go). Worked out when first asked for, because most objects are
// made by controllers and never applied.
import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "../client/object.ts";
import {
  changedFields,
  conflictingFields,
  fieldsOf,
  mergeFields,
  subtractFields,
  unionFields,
  withoutFields,
  type FieldTree,
} from "./field-sets.ts";

/** `metadata.managedFields` as the API writes it. */
export type ManagedFields = readonly {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly fieldsV1?: FieldTree;
}[];

interface Owner {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly fields: FieldTree;
}

export class FieldOwners {
  static readonly none = new FieldOwners(() => []);
  readonly #compute: () => readonly Owner[];
  #computed: readonly Owner[] | undefined;

  private constructor(compute: () => readonly Owner[]) {
    this.#compute = compute;
  }

  /** Sets of status are left out: they are replaced whole. */
  static of(managed: ManagedFields): FieldOwners {
    return new FieldOwners(() =>
      managed.flatMap(({ manager = "unknown", operation, subresource, fieldsV1 = {} }): Owner[] =>
        subresource === undefined
          ? [{ manager, operation: operation === "Apply" ? "Apply" : "Update", fields: fieldsV1 }]
          : [],
      ),
    );
  }

  managedFields(): ManagedFields {
    return this.#owners.map(({ manager, operation, fields }) => ({ manager, operation, fieldsV1: fields }));
  }

  /** Who else owns what the intent would change, in the API server's manner. */
  conflicts(manager: string, live: KubeObject, intent: KubeObject): readonly string[] {
    const wanted = statedParts(intent);
    return this.#owners
      .filter((owner) => owner.manager !== manager || owner.operation === "Update")
      .flatMap((owner) =>
        conflictingFields(live, wanted, owner.fields).map((path) => `${path} of ${owner.manager}`),
      );
  }

  /** The owner of an object that was made by an apply. */
  static ofApplied(manager: string, intent: KubeObject): FieldOwners {
    return new FieldOwners(() => [{ manager, operation: "Apply", fields: fieldsOf(statedParts(intent)) }]);
  }

  /** What the object and its owners are once `manager` has applied the intent. */
  applied(
    manager: string,
    live: KubeObject,
    intent: KubeObject,
  ): { readonly object: KubeObject; readonly owners: FieldOwners; readonly isNewIntent: boolean } {
    const wanted = statedParts(intent);
    const fields = fieldsOf(wanted);
    const mine = this.#owners.find((owner) => owner.manager === manager && owner.operation === "Apply");
    const others = this.#owners.filter((owner) => owner !== mine);
    const merged = mergeFields(live, wanted);
    const keepers = [fields, ...others.map((owner) => owner.fields)];
    const left = mine === undefined ? merged : withoutFields(merged, mine.fields, keepers);
    return {
      object: left as KubeObject,
      isNewIntent: !isDeepStrictEqual(mine?.fields, fields),
      owners: new FieldOwners(() => [
        ...withoutChanged(others, changedFields(live, merged)),
        { manager, operation: "Apply", fields },
      ]),
    };
  }

  /** The owners once `manager` has replaced the object. */
  updated(manager: string, before: KubeObject | Record<string, never>, after: KubeObject): FieldOwners {
    return new FieldOwners(() => {
      const changed = changedFields(statedParts(before), statedParts(after));
      if (changed === undefined) return this.#owners;
      const mine = this.#owners.find((owner) => owner.manager === manager && owner.operation === "Update");
      const others = this.#owners.filter((owner) => owner !== mine);
      const fields = mine === undefined ? changed : unionFields(mine.fields, changed);
      return [...withoutChanged(others, changed), { manager, operation: "Update", fields }];
    });
  }

  get #owners(): readonly Owner[] {
    return (this.#computed ??= this.#compute());
  }
}

function withoutChanged(owners: readonly Owner[], changed: FieldTree | undefined): readonly Owner[] {
  if (changed === undefined) return owners;
  return owners.flatMap((owner): Owner[] => {
    const fields = subtractFields(owner.fields, changed);
    return fields === undefined ? [] : [{ ...owner, fields }];
  });
}

/** Without what identifies the object and what the server keeps: nobody owns that. */
function statedParts(object: KubeObject | Record<string, never>): Record<string, unknown> {
  const { apiVersion: _, kind: __, metadata = {}, ...rest } = object as KubeObject;
  const {
    name: _name,
    namespace: _namespace,
    uid: _uid,
    resourceVersion: _version,
    generation: _generation,
    creationTimestamp: _created,
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    ...stated
  } = metadata;
  return { metadata: stated, ...rest };
}
