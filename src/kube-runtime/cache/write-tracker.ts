// Read-your-own-writes. A reconciler that acts on a cache which has not seen its last write does it again, or
// undoes it: the classic source of double creation and of random scale-down (KEP-5647; controller-runtime #3472).
// Instead, a key waits until the cache has reached what was last written for it.
//
// Guarantees
// - After `wroteAt`, `pending` names what is being waited for until the kind's informer has seen that write.
// - After `deleted`, the same until the informer no longer holds that object, or shows it on its way out: the API
//   server answers a deletion without a resourceVersion.
// - A store that was set back, or a kind that was removed, waits for nothing: old resourceVersions mean nothing then.
// Assumptions
// - Kinds that are written and not cached need no waiting: no reconciler reads them from the cache.
// - What is written falls under the informer's selector; otherwise only its bookmarks, about one a minute, tell.
import type { KubeObject, Live } from "../client/object.ts";
import { compareResourceVersions } from "../client/resource-version.ts";
import { resourceName, type ResourceType } from "../client/resource.ts";
import type { Cache } from "./cache.ts";
import type { Informer } from "./informer.ts";

interface Write {
  readonly informer: Pick<Informer<KubeObject>, "epoch" | "hasSeen" | "whenSeen">;
  readonly resourceVersion: string;
  readonly epoch: number;
}

interface Deletion {
  readonly informer: Pick<Informer<KubeObject>, "hasLost" | "whenLost">;
  readonly resource: string;
  readonly object: Live<KubeObject>;
}

/** A write that the cache has not seen yet. */
export interface PendingWrite {
  readonly resource: string;
  /** Of the write; of a deletion, of the object as it was seen before. */
  readonly resourceVersion: string;
  /** Calls back once, when the cache has caught up. */
  whenSeen(callback: () => void): void;
}

export class WriteTracker {
  readonly #cache: Pick<Cache, "find">;
  readonly #writes = new Map<string, Map<string, Write>>();
  readonly #deletions = new Map<string, readonly Deletion[]>();

  constructor(cache: Pick<Cache, "find">) {
    this.#cache = cache;
  }

  /** Notes what the API server answered to a write made for `key`. */
  wroteAt<T extends KubeObject>(key: string, type: ResourceType<T>, written: Live<KubeObject>): void {
    const informer = this.#cache.find(type);
    const { resourceVersion } = written.metadata;
    if (informer === undefined || informer.hasSeen(resourceVersion)) return;
    let writes = this.#writes.get(key);
    if (writes === undefined) {
      writes = new Map();
      this.#writes.set(key, writes);
    }
    const resource = resourceName(type);
    const { epoch } = informer;
    const known = writes.get(resource);
    if (known !== undefined && known.epoch === epoch) {
      if (compareResourceVersions(known.resourceVersion, resourceVersion) >= 0) return;
    }
    writes.set(resource, { informer, resourceVersion, epoch });
  }

  /** Notes that an object, as the cache has it, was deleted for `key`. */
  deleted<T extends KubeObject>(key: string, type: ResourceType<T>, object: Live<T>): void {
    const informer = this.#cache.find(type);
    if (informer === undefined || informer.hasLost(object)) return;
    const deletion = { informer, resource: resourceName(type), object };
    this.#deletions.set(key, [...(this.#deletions.get(key) ?? []), deletion]);
  }

  /** A write of `key` that the cache has yet to see; undefined when the key may be reconciled. */
  pending(key: string): PendingWrite | undefined {
    return this.#pendingWrite(key) ?? this.#pendingDeletion(key);
  }

  #pendingDeletion(key: string): PendingWrite | undefined {
    const deletions = this.#deletions.get(key);
    if (deletions === undefined) return undefined;
    const waiting = deletions.filter(({ informer, object }) => !informer.hasLost(object));
    const [first] = waiting;
    if (first === undefined) {
      this.#deletions.delete(key);
      return undefined;
    }
    this.#deletions.set(key, waiting);
    const { informer, resource, object } = first;
    return {
      resource,
      resourceVersion: object.metadata.resourceVersion,
      whenSeen: (callback) => informer.whenLost(object, callback),
    };
  }

  #pendingWrite(key: string): PendingWrite | undefined {
    const writes = this.#writes.get(key);
    if (writes === undefined) return undefined;
    for (const [resource, { informer, resourceVersion, epoch }] of writes) {
      if (informer.epoch === epoch && !informer.hasSeen(resourceVersion)) {
        return {
          resource,
          resourceVersion,
          whenSeen: (callback) => informer.whenSeen(resourceVersion, callback),
        };
      }
      writes.delete(resource);
    }
    this.#writes.delete(key);
    return undefined;
  }
}
