// The local copy of one kind, read by every reconciler and written by one informer.
//
// Guarantees
// - Reads cost no copy and no call: `get` is one lookup, `byIndex` is the objects themselves.
// - A change is visible in `get`, `list` and every index at once.
// - An event older than what is stored is ignored, so that a watch that repeats itself changes nothing.
// Assumptions
// - No caller changes an object that came out. They are shared, and not frozen: freezing doubles the cost of parsing.
// - Index functions are pure.
import { objectKey, refOf, type KubeObject, type Live, type ObjectRef } from "../client/object.ts";
import { compareResourceVersions } from "../client/resource-version.ts";

/** The values under which an object is found; none leaves it out of the index. */
export type IndexFunction<T extends KubeObject> = (object: Live<T>) => readonly string[];

export interface Store<T extends KubeObject> {
  get(ref: ObjectRef): Live<T> | undefined;
  /** All objects, or those of one namespace. */
  list(namespace?: string): readonly Live<T>[];
  /** @throws RangeError for an index that was not declared: it would otherwise look like "none". */
  byIndex(index: string, value: string): readonly Live<T>[];
  readonly size: number;
}

export type StoreChange<T extends KubeObject> =
  | { readonly type: "added"; readonly object: Live<T> }
  | { readonly type: "updated"; readonly object: Live<T>; readonly previous: Live<T> }
  /** `object` is the last state seen, which may be older than the one that was deleted. */
  | { readonly type: "deleted"; readonly object: Live<T> };

const namespaceIndex = "namespace";

class Index<T extends KubeObject> {
  readonly #valuesOf: IndexFunction<T>;
  readonly #buckets = new Map<string, Map<string, Live<T>>>();

  constructor(valuesOf: IndexFunction<T>) {
    this.#valuesOf = valuesOf;
  }

  add(key: string, object: Live<T>): void {
    for (const value of this.#valuesOf(object)) {
      let bucket = this.#buckets.get(value);
      if (bucket === undefined) {
        bucket = new Map();
        this.#buckets.set(value, bucket);
      }
      bucket.set(key, object);
    }
  }

  remove(key: string, object: Live<T>): void {
    for (const value of this.#valuesOf(object)) {
      const bucket = this.#buckets.get(value);
      bucket?.delete(key);
      if (bucket?.size === 0) this.#buckets.delete(value);
    }
  }

  find(value: string): readonly Live<T>[] {
    const bucket = this.#buckets.get(value);
    return bucket === undefined ? [] : [...bucket.values()];
  }
}

export class ObjectStore<T extends KubeObject> implements Store<T> {
  readonly #objects = new Map<string, Live<T>>();
  readonly #indexes = new Map<string, Index<T>>();

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#indexes.set(
      namespaceIndex,
      new Index(({ metadata }) => (metadata.namespace === undefined ? [] : [metadata.namespace])),
    );
    for (const [name, valuesOf] of Object.entries(indexes)) this.#indexes.set(name, new Index(valuesOf));
  }

  get size(): number {
    return this.#objects.size;
  }

  get(ref: ObjectRef): Live<T> | undefined {
    return this.#objects.get(objectKey(ref));
  }

  list(namespace?: string): readonly Live<T>[] {
    return namespace === undefined ? [...this.#objects.values()] : this.byIndex(namespaceIndex, namespace);
  }

  byIndex(index: string, value: string): readonly Live<T>[] {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new RangeError(`no index named ${index}`);
    return found.find(value);
  }

  /** Stores a newer state. Returns what changed: nothing for a state already known or older. */
  put(object: Live<T>): StoreChange<T> | undefined {
    const key = objectKey(refOf(object));
    const previous = this.#objects.get(key);
    if (previous === undefined) {
      this.#set(key, object);
      return { type: "added", object };
    }
    const { uid, resourceVersion } = previous.metadata;
    const isSame = object.metadata.uid === uid;
    if (isSame && compareResourceVersions(object.metadata.resourceVersion, resourceVersion) <= 0)
      return undefined;
    this.#set(key, object, previous);
    return { type: "updated", object, previous };
  }

  /** Forgets an object. A deletion older than what is stored (the name was used again) changes nothing. */
  remove(object: Live<T>): StoreChange<T> | undefined {
    const key = objectKey(refOf(object));
    const previous = this.#objects.get(key);
    if (previous === undefined) return undefined;
    const { uid, resourceVersion } = previous.metadata;
    if (
      object.metadata.uid !== uid &&
      compareResourceVersions(object.metadata.resourceVersion, resourceVersion) < 0
    ) {
      return undefined;
    }
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) index.remove(key, previous);
    return { type: "deleted", object };
  }

  /**
   * Makes the store equal to a fresh list. The list is right by definition: where etcd was restored from a
   * backup, its resourceVersions are the older ones and still replace what is stored.
   */
  replace(objects: Iterable<Live<T>>): readonly StoreChange<T>[] {
    const changes: StoreChange<T>[] = [];
    const listed = new Set<string>();
    for (const object of objects) {
      const key = objectKey(refOf(object));
      listed.add(key);
      const previous = this.#objects.get(key);
      if (previous === undefined) {
        this.#set(key, object);
        changes.push({ type: "added", object });
      } else if (!isSameState(previous, object)) {
        this.#set(key, object, previous);
        changes.push({ type: "updated", object, previous });
      }
    }
    for (const [key, object] of this.#objects) {
      if (listed.has(key)) continue;
      this.#objects.delete(key);
      for (const index of this.#indexes.values()) index.remove(key, object);
      changes.push({ type: "deleted", object });
    }
    return changes;
  }

  #set(key: string, object: Live<T>, previous?: Live<T>): void {
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) {
      if (previous !== undefined) index.remove(key, previous);
      index.add(key, object);
    }
  }
}

function isSameState(left: Live<KubeObject>, right: Live<KubeObject>): boolean {
  return (
    left.metadata.uid === right.metadata.uid &&
    left.metadata.resourceVersion === right.metadata.resourceVersion
  );
}
