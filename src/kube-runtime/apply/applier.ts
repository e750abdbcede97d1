// Makes children what a reconciler wants, with as few requests as that takes: none at rest.
//
// Guarantees
// - A child is written only if it is missing, wanted otherwise than before, or changed by another client (intent.ts).
// - A child whose controller is another object, or none, is never written: it is reported as foreign. Where the
//   cache knows nothing of a child, it is applied without force, so that an object of that name, unseen so far,
//   is a conflict and not taken over; otherwise with the UID that was seen.
// - Where the server finds nothing to change after all (it normalises a value in a way that drift.ts does not know),
//   that is remembered until the child changes: a difference of spelling cannot become a loop of writes.
// - Of what the API server answers only the metadata is asked for and read: the watch brings the rest.
// - Every write, deletions too, is noted in the WriteTracker, so that the next reconcile waits for the cache to show it.
// Assumptions
// - Children are cached untrimmed in what is applied.
import type { KubeClient, StatusOf } from "../client/client.ts";
import { findDrift } from "./drift.ts";
import { ApiError, isInvalid, isNotFound } from "../client/errors.ts";
import { needsApply, withIntentHash, type ApplyReason } from "./intent.ts";
import {
  isTerminating,
  controllerOf,
  objectKey,
  refOf,
  type KubeObject,
  type Live,
  type ObjectRef,
} from "../client/object.ts";
import { resourceName, type ResourceType } from "../client/resource.ts";
import type { Cache } from "../cache/cache.ts";
import type { WriteTracker } from "../cache/write-tracker.ts";

export type Applied<T extends KubeObject> =
  | { readonly outcome: "unchanged"; readonly object: Live<T> }
  | { readonly outcome: "created" }
  | { readonly outcome: "changed"; readonly reason: ApplyReason }
  /** Another owner's, or of an earlier owner of the same name that is being collected. Left alone. */
  | { readonly outcome: "foreign"; readonly object: Live<T> }
  /** Ours and on its way out; its end will wake the reconciler. Left alone. */
  | { readonly outcome: "terminating"; readonly object: Live<T> };

export interface ApplierOptions {
  readonly client: KubeClient;
  readonly cache: Cache;
  readonly tracker: WriteTracker;
  /** One per controller, and the same for ever: another name would never take its fields back. */
  readonly fieldManager: string;
  /** The annotation that holds the intent's hash, e.g. `example.dev/intent`. */
  readonly intentAnnotation: string;
}

export interface ApplyContext {
  /** The object being reconciled, on whose behalf this is written. */
  readonly request: ObjectRef;
  readonly signal: AbortSignal;
}

const answer = "metadata";

export class Applier {
  readonly #options: ApplierOptions;
  /** Intents already hashed, by identity: planners hand out the same object while nothing has changed. */
  readonly #hashed = new WeakMap<KubeObject, KubeObject>();
  /** Live states that the server left as they are when this intent, or this status, was applied to them. */
  readonly #settled = new WeakMap<KubeObject, string | undefined>();

  /** The resourceVersions of statuses that were written and have not come back by the watch, by kind and object. */
  readonly #ownStatuses = new Map<string, string>();

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /**
   * Whether this version of an object is the one that `applyStatus` made last; asked once, when the watch brings it. Any
   * other may be somebody else's edit. May be false of an own write whose answer comes after its event: one pass more.
   */
  isOwnStatus(type: ResourceType, object: Live<KubeObject>): boolean {
    const key = keyOf(type, object);
    const isOwn = this.#ownStatuses.get(key) === object.metadata.resourceVersion;
    if (isOwn) this.#ownStatuses.delete(key);
    return isOwn;
  }

  /**
   * Applies one child. `intent` is what this manager owns of it and must not change afterwards; where it names a
   * controller in its ownerReferences, only a child of that controller is touched.
   */
  async apply<T extends KubeObject>(
    type: ResourceType<T>,
    intent: T,
    context: ApplyContext,
  ): Promise<Applied<T>> {
    const { client, cache, tracker, fieldManager, intentAnnotation } = this.#options;
    const name = intent.metadata?.name;
    if (name === undefined) throw new TypeError(`${type.kind} without metadata.name`);
    const live = cache.of(type).store.get({ namespace: intent.metadata?.namespace, name });
    if (live !== undefined) {
      if (!isOurs(intent, live)) return { outcome: "foreign", object: live };
      if (isTerminating(live)) return { outcome: "terminating", object: live };
    }
    const hashed = this.#withHash(intent);
    const reason = needsApply(hashed, live, intentAnnotation);
    if (reason === undefined && live !== undefined) return { outcome: "unchanged", object: live };
    const intended = hashed.metadata?.annotations?.[intentAnnotation];
    if (live !== undefined && this.#settled.get(live) === intended)
      return { outcome: "unchanged", object: live };
    const body = live === undefined ? hashed : withUid(hashed, live.metadata.uid);
    const { signal } = context;
    const written = await client
      .apply(type, body, { fieldManager, force: live !== undefined, answer, signal })
      .catch((error: unknown) => {
        throw asConflict(error);
      });
    tracker.wroteAt(objectKey(context.request), type, written);
    if (written.metadata.resourceVersion === live?.metadata.resourceVersion)
      this.#settled.set(live, intended);
    return reason === undefined || live === undefined
      ? { outcome: "created" }
      : { outcome: "changed", reason };
  }

  /**
   * Changes single members of an object that another controller made, such as an annotation of a pod; only while it is
   * the one that was seen. Nothing is owned by it, and nothing repaired. One that is gone is left gone.
   */
  async patch<T extends KubeObject>(
    type: ResourceType<T>,
    live: Live<T>,
    patch: Readonly<Record<string, unknown>> & { readonly metadata?: Readonly<Record<string, unknown>> },
    context: ApplyContext,
  ): Promise<void> {
    const { client, tracker, fieldManager } = this.#options;
    const body = { ...patch, metadata: { ...patch.metadata, uid: live.metadata.uid } };
    const { signal } = context;
    try {
      const patched = await client.mergePatch(type, refOf(live), body, { fieldManager, signal });
      tracker.wroteAt(objectKey(context.request), type, patched);
    } catch (error) {
      if (!isNotFound(error)) throw asConflict(error);
    }
  }

  /** Deletes a child and, in the background, what it owns; only while it is the one that was seen. */
  async delete<T extends KubeObject>(
    type: ResourceType<T>,
    live: Live<T>,
    context: ApplyContext,
  ): Promise<void> {
    const { client, tracker } = this.#options;
    await client.delete(type, refOf(live), {
      preconditions: { uid: live.metadata.uid },
      propagationPolicy: "Background",
      signal: context.signal,
    });
    tracker.deleted(objectKey(context.request), type, live);
  }

  /**
   * Writes the whole status of the object being reconciled, if it differs from the cached one.
   * @returns whether it was written
   */
  async applyStatus<T extends KubeObject>(
    type: ResourceType<T>,
    live: Live<T>,
    status: StatusOf<T>,
    context: ApplyContext,
  ): Promise<boolean> {
    const current = (live as { readonly status?: unknown }).status;
    // Both ways: a member that is no longer wanted must go.
    if (findDrift(status, current) === undefined && findDrift(current, status) === undefined) return false;
    // A member that the CRD of the cluster does not know is dropped by the server: written again, it would be a loop.
    const wanted = JSON.stringify(status);
    if (this.#settled.get(live) === wanted) return false;
    const { client, tracker, fieldManager } = this.#options;
    const { namespace, name } = live.metadata;
    const { signal } = context;
    const written = await client.applyStatus(type, { namespace, name }, status, {
      fieldManager,
      answer,
      signal,
    });
    tracker.wroteAt(objectKey(context.request), type, written);
    if (written.metadata.resourceVersion === live.metadata.resourceVersion) {
      this.#settled.set(live, wanted);
      return false;
    }
    this.#ownStatuses.set(keyOf(type, live), written.metadata.resourceVersion);
    return true;
  }

  #withHash<T extends KubeObject>(intent: T): T {
    const known = this.#hashed.get(intent);
    if (known !== undefined) return known as T;
    const hashed = withIntentHash(intent, this.#options.intentAnnotation);
    this.#hashed.set(intent, hashed);
    return hashed;
  }
}

function keyOf(type: ResourceType, { metadata }: Live<KubeObject>): string {
  return `${resourceName(type)} ${objectKey(metadata)}`;
}

function isOurs(intent: KubeObject, live: KubeObject): boolean {
  const wanted = controllerOf(intent);
  return wanted === undefined || controllerOf(live)?.uid === wanted.uid;
}

/** The API server calls a child of another UID invalid, as if the intent could never be; it is a lost race. */
function asConflict(error: unknown): unknown {
  if (!isInvalid(error) || !error.causes.some(({ field }) => field === "metadata.uid")) return error;
  const message = "the object was replaced by another of the same name";
  return new ApiError(error.request, { code: 409, reason: "Conflict", message });
}

function withUid<T extends KubeObject>(intent: T, uid: string): T {
  return { ...intent, metadata: { ...intent.metadata, uid } };
}
