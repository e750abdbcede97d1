// An API server in memory: objects of any kind, one sequence of resourceVersions, optimistic locking, server-side
// apply with field ownership, status apart from the rest, deletion with grace and finalizers, and a history for
// watches. Its calls are synchronous, so that a test and the controllers of a simulated cluster act in one turn;
// InMemoryKubeClient is the KubeClient in front of it.
//
// Differs from the real one
// - It validates nothing but what a kind's rules say, and knows no namespaces, RBAC, quotas or pagination.
// - Of field managers it keeps the sets beside the objects: nothing it returns has `managedFields`. An update makes its
//   manager the owner of what it changed, and of nothing that it left as it was.
// - A write of status by apply replaces the whole status: each kind's status has one writer here.
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { ApiError } from "../client/errors.ts";
import { objectKey, type KubeObject, type Live, type ObjectMeta, type ObjectRef } from "../client/object.ts";
import { compareResourceVersions } from "../client/resource-version.ts";
import { resourceName, type ResourceType } from "../client/resource.ts";
import type { WatchEvent } from "../connection/http/watch.ts";
import type { KindRules, RulesOfKinds } from "./kind-rules.ts";
import { FieldOwners, type ManagedFields } from "./field-owners.ts";
import { mergePatch } from "./merge-patch.ts";

/** Added, modified or deleted. */
export type ObjectEvent = Exclude<WatchEvent<KubeObject>, { readonly type: "BOOKMARK" }>;

export interface ServerChange {
  readonly resource: string;
  readonly event: ObjectEvent;
  /** What was stored before. */
  readonly before: Live<KubeObject> | undefined;
}

export interface InMemoryServerOptions {
  readonly rules?: RulesOfKinds;
  /** Milliseconds since 1970, for timestamps. */
  readonly now?: () => number;
  readonly newUid?: () => string;
}

export interface Deletion {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
  readonly propagationPolicy?: "Foreground" | "Background" | "Orphan" | undefined;
  readonly gracePeriodSeconds?: number | undefined;
}

export interface Apply {
  readonly manager: string;
  readonly force: boolean;
}

interface Stored {
  readonly object: Live<KubeObject>;
  readonly owners: FieldOwners;
}

export const foregroundFinalizer = "foregroundDeletion";

export class InMemoryApiServer {
  readonly #rules: RulesOfKinds;
  readonly #now: (() => number) | undefined;
  readonly #newUid: () => string;
  readonly #objects = new Map<string, Map<string, Stored>>();
  readonly #history: ServerChange[] = [];
  readonly #listeners = new Set<(change: ServerChange) => void>();
  readonly #unserved = new Set<string>();
  readonly #removalListeners = new Set<(resource: string) => void>();
  #resourceVersion = 0;

  constructor(options: InMemoryServerOptions = {}) {
    this.#rules = options.rules ?? {};
    this.#now = options.now;
    this.#newUid = options.newUid ?? randomUUID;
  }

  get resourceVersion(): string {
    return String(this.#resourceVersion);
  }

  /** Calls back in the turn of each change; returns what ends that. */
  onChange(listener: (change: ServerChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls back when a kind is no longer served: its watches end. */
  onRemoval(listener: (resource: string) => void): () => void {
    this.#removalListeners.add(listener);
    return () => this.#removalListeners.delete(listener);
  }

  serves(type: ResourceType): boolean {
    return !this.#unserved.has(resourceName(type));
  }

  /** The kind's definition is installed, or removed with its objects. */
  serve(type: ResourceType, served: boolean): void {
    const resource = resourceName(type);
    if (served) {
      this.#unserved.delete(resource);
      return;
    }
    for (const object of this.list(type)) this.remove(type, refOfObject(object));
    this.#unserved.add(resource);
    for (const listener of this.#removalListeners) listener(resource);
  }

  get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Live<T> | undefined {
    // Each kind's map holds what was stored for it.
    return this.#stored(type, ref)?.object as Live<T> | undefined;
  }

  /** By creation. */
  list<T extends KubeObject>(type: ResourceType<T>, namespace?: string): readonly Live<T>[] {
    const objects: Live<T>[] = [];
    for (const { object } of this.#objects.get(resourceName(type))?.values() ?? []) {
      if (namespace === undefined || object.metadata.namespace === namespace) objects.push(object as Live<T>);
    }
    return objects;
  }

  /** Changes of a kind after a resourceVersion. */
  changesSince(resource: string, resourceVersion: string): readonly ServerChange[] {
    return this.#history.filter(
      (change) =>
        change.resource === resource &&
        compareResourceVersions(change.event.object.metadata.resourceVersion, resourceVersion) > 0,
    );
  }

  /** Who applied which fields of an object, by manager. */
  managedFields(type: ResourceType, ref: ObjectRef): ManagedFields | undefined {
    return this.#stored(type, ref)?.owners.managedFields();
  }

  /** Takes an object over from another server, as it is there: uid, resourceVersion, status and managers. */
  load<T extends KubeObject>(type: ResourceType<T>, object: Live<T>): void {
    const { managedFields, ...metadata } = object.metadata as Live<T>["metadata"] & {
      managedFields?: ManagedFields;
    };
    const resource = resourceName(type);
    const objects = this.#objects.get(resource) ?? new Map<string, Stored>();
    this.#objects.set(resource, objects);
    const key = objectKey(refOfObject(object));
    const before = objects.get(key)?.object;
    const loaded = { ...object, metadata };
    objects.set(key, { object: loaded, owners: FieldOwners.of(managedFields ?? []) });
    this.#resourceVersion = Math.max(this.#resourceVersion, Number(metadata.resourceVersion));
    this.#publish({
      resource,
      event: { type: before === undefined ? "ADDED" : "MODIFIED", object: loaded },
      before,
    });
  }

  /** Stores an object past all rules, as a new version of it. */
  put<T extends KubeObject>(type: ResourceType<T>, object: T): Live<T> {
    return this.#store(type, object, FieldOwners.none);
  }

  /** Removes an object past all rules. */
  remove(type: ResourceType, ref: ObjectRef): void {
    const resource = resourceName(type);
    const stored = this.#objects.get(resource)?.get(objectKey(ref));
    if (stored === undefined) return;
    this.#objects.get(resource)?.delete(objectKey(ref));
    const metadata = { ...stored.object.metadata, resourceVersion: this.#nextVersion() };
    this.#publish({
      resource,
      event: { type: "DELETED", object: { ...stored.object, metadata } },
      before: stored.object,
    });
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: T, manager = "unknown"): Live<T> {
    this.#mustServe(type);
    const ref = refOfObject(object);
    if (this.#stored(type, ref) !== undefined)
      throw refusal(type, ref, 409, "AlreadyExists", "already exists");
    const created = this.#admitted(type, this.#withStatusOf(type, object, undefined), undefined);
    return this.#store(type, created, FieldOwners.none.updated(manager, {}, created));
  }

  /** Replaces an object; conflicts unless its resourceVersion, where it has one, is the live one. */
  update<T extends KubeObject>(type: ResourceType<T>, object: T, manager = "unknown"): Live<T> {
    this.#mustServe(type);
    const ref = refOfObject(object);
    const stored = this.#must(type, ref);
    const { resourceVersion, uid } = object.metadata ?? {};
    const live = stored.object.metadata;
    if (
      (resourceVersion !== undefined && resourceVersion !== live.resourceVersion) ||
      (uid !== undefined && uid !== live.uid)
    ) {
      throw refusal(type, ref, 409, "Conflict", "the object has been modified");
    }
    const next = this.#admitted(type, this.#withStatusOf(type, object, stored.object), stored.object);
    return this.#replace(type, stored, next, stored.owners.updated(manager, stored.object, next));
  }

  /** RFC 7386. */
  patch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    options: {
      readonly manager?: string;
      readonly subresource?: string;
      readonly resourceVersion?: string;
    } = {},
  ): Live<T> {
    const { manager = "unknown", subresource, resourceVersion } = options;
    this.#mustServe(type);
    const stored = this.#must(type, ref);
    const { metadata, ...rest } = mergePatch(stored.object, patch) as Live<T>;
    const live = stored.object.metadata;
    if (
      (resourceVersion !== undefined && resourceVersion !== live.resourceVersion) ||
      metadata.resourceVersion !== live.resourceVersion ||
      metadata.uid !== live.uid
    ) {
      throw refusal(type, ref, 409, "Conflict", "the object has been modified");
    }
    const patched = { ...rest, metadata } as unknown as T;
    if (subresource !== undefined && this.#rulesOf(type).statusSubresource === true) {
      return this.setStatus(type, ref, (patched as { status?: unknown }).status, patched.metadata);
    }
    const next = this.#admitted(type, this.#withStatusOf(type, patched, stored.object), stored.object);
    return this.#replace(type, stored, next, stored.owners.updated(manager, stored.object, next));
  }

  /** Server-side apply. */
  apply<T extends KubeObject>(type: ResourceType<T>, intent: T, { manager, force }: Apply): Live<T> {
    this.#mustServe(type);
    const ref = refOfObject(intent);
    const stored = this.#stored(type, ref);
    const uid = intent.metadata?.uid;
    if (stored === undefined) {
      if (uid !== undefined)
        throw refusal(type, ref, 409, "Conflict", "uid mismatch: there is no such object");
      const created = this.#admitted(type, this.#withStatusOf(type, intent, undefined), undefined);
      return this.#store(type, created, FieldOwners.ofApplied(manager, intent));
    }
    if (uid !== undefined && uid !== stored.object.metadata.uid) {
      const causes = [{ field: "metadata.uid", message: "field is immutable" }];
      throw new ApiError(`apply ${type.plural} ${ref.name}`, { code: 422, reason: "Invalid", causes });
    }
    const wanted = this.#withStatusOf(type, intent, undefined);
    if (!force) {
      const conflicts = stored.owners.conflicts(manager, stored.object, wanted);
      if (conflicts.length > 0) {
        throw refusal(type, ref, 409, "Conflict", `Apply failed with conflicts: ${conflicts.join(", ")}`);
      }
    }
    const { object, owners, isNewIntent } = stored.owners.applied(manager, stored.object, wanted);
    const next = this.#admitted(type, object as T, stored.object);
    return this.#replace(type, stored, next, owners, isNewIntent);
  }

  /** Replaces the status. */
  setStatus<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    status: unknown,
    metadata?: ObjectMeta,
  ): Live<T> {
    this.#mustServe(type);
    const stored = this.#must(type, ref);
    const finalizers = metadata?.finalizers ?? stored.object.metadata.finalizers;
    const next = {
      ...stored.object,
      metadata: { ...stored.object.metadata, ...(finalizers === undefined ? {} : { finalizers }) },
      status,
    } as unknown as T;
    return this.#replace(type, stored, this.#admitted(type, next, stored.object), stored.owners);
  }

  /** False where there was nothing to delete. */
  delete(type: ResourceType, ref: ObjectRef, options: Deletion = {}): boolean {
    this.#mustServe(type);
    const stored = this.#stored(type, ref);
    if (stored === undefined) return false;
    const { object } = stored;
    const { uid, resourceVersion } = options.preconditions ?? {};
    if (
      (uid !== undefined && uid !== object.metadata.uid) ||
      (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion)
    ) {
      throw refusal(type, ref, 409, "Conflict", "precondition failed");
    }
    const wantedGrace = this.#rulesOf(type).graceSeconds?.(object);
    const graceSeconds =
      wantedGrace === undefined || wantedGrace === 0 ? 0 : (options.gracePeriodSeconds ?? wantedGrace);
    const finalizers = [...(object.metadata.finalizers ?? [])];
    if (options.propagationPolicy === "Foreground" && !finalizers.includes(foregroundFinalizer)) {
      finalizers.push(foregroundFinalizer);
    }
    if (graceSeconds === 0 && finalizers.length === 0) {
      this.remove(type, ref);
      return true;
    }
    const known = object.metadata.deletionGracePeriodSeconds ?? Number.POSITIVE_INFINITY;
    const shorter = Math.min(known, graceSeconds);
    const { generation } = object.metadata;
    const isNew = object.metadata.deletionTimestamp === undefined;
    const metadata = {
      ...object.metadata,
      ...(finalizers.length === 0 ? {} : { finalizers }),
      ...(isNew || shorter < known
        ? { deletionTimestamp: this.#timestamp(shorter) ?? "1970-01-01T00:00:00Z" }
        : {}),
      deletionGracePeriodSeconds: shorter,
      ...(isNew && generation !== undefined ? { generation: generation + 1 } : {}),
    };
    this.#replace(type, stored, { ...object, metadata }, stored.owners);
    return true;
  }

  /** Status aside where it is a subresource: the live one stays. */
  #withStatusOf<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    live: Live<KubeObject> | undefined,
  ): T {
    const { statusSubresource, statusOnCreate } = this.#rulesOf(type);
    if (statusSubresource !== true || (statusOnCreate === true && live === undefined)) return object;
    const { status: _, ...rest } = object as T & { status?: unknown };
    const status = (live as { status?: unknown } | undefined)?.status;
    return (status === undefined ? rest : { ...rest, status }) as unknown as T;
  }

  #admitted<T extends KubeObject>(type: ResourceType<T>, object: T, live: Live<KubeObject> | undefined): T {
    const { admit } = this.#rulesOf(type);
    return admit === undefined ? object : (admit(object, live) as T);
  }

  #replace<T extends KubeObject>(
    type: ResourceType<T>,
    stored: Stored,
    next: T,
    owners: FieldOwners,
    /** A new version though nothing else changes: another owner, or other fields of one. */
    isNewOwner = false,
  ): Live<T> {
    const { object } = stored;
    const { uid, resourceVersion, creationTimestamp, deletionTimestamp } = object.metadata;
    const kept = { uid, resourceVersion, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) };
    const deletion = next.metadata?.deletionTimestamp ?? deletionTimestamp;
    const metadata = {
      ...next.metadata,
      ...kept,
      ...(deletion === undefined ? {} : { deletionTimestamp: deletion }),
    };
    const candidate = { ...next, metadata } as unknown as Live<T>;
    const isOver =
      deletion !== undefined &&
      (metadata.finalizers ?? []).length === 0 &&
      (metadata.deletionGracePeriodSeconds ?? 0) === 0;
    if (isOver) {
      this.remove(type, refOfObject(object));
      return candidate;
    }
    if (!isNewOwner && isDeepStrictEqual(object, candidate)) return object as Live<T>;
    return this.#store<T>(type, candidate, owners);
  }

  #store<T extends KubeObject>(type: ResourceType<T>, object: T, owners: FieldOwners): Live<T> {
    const resource = resourceName(type);
    const objects = this.#objects.get(resource) ?? new Map<string, Stored>();
    this.#objects.set(resource, objects);
    const ref = refOfObject(object);
    const before = objects.get(objectKey(ref))?.object;
    const creationTimestamp =
      before?.metadata.creationTimestamp ?? object.metadata?.creationTimestamp ?? this.#timestamp(0);
    const generation = this.#generation(type, object, before);
    const stored = {
      ...object,
      metadata: {
        ...object.metadata,
        name: ref.name,
        uid: before?.metadata.uid ?? object.metadata?.uid ?? this.#newUid(),
        resourceVersion: this.#nextVersion(),
        ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
        ...(generation === undefined ? {} : { generation }),
      },
    } as unknown as Live<T>;
    objects.set(objectKey(ref), { object: stored, owners });
    this.#publish({
      resource,
      event: { type: before === undefined ? "ADDED" : "MODIFIED", object: stored },
      before,
    });
    return stored;
  }

  #generation(
    type: ResourceType,
    object: KubeObject,
    before: Live<KubeObject> | undefined,
  ): number | undefined {
    const stated = object.metadata?.generation;
    if (this.#rulesOf(type).generation !== true) return stated;
    if (before === undefined) return stated ?? 1;
    const known = Math.max(stated ?? 1, before.metadata.generation ?? 1);
    return isDeepStrictEqual(specOf(before), specOf(object)) ? known : (before.metadata.generation ?? 1) + 1;
  }

  #publish(change: ServerChange): void {
    this.#history.push(change);
    for (const listener of this.#listeners) listener(change);
  }

  #stored(type: ResourceType, ref: ObjectRef): Stored | undefined {
    return this.#objects.get(resourceName(type))?.get(objectKey(ref));
  }

  #must(type: ResourceType, ref: ObjectRef): Stored {
    const stored = this.#stored(type, ref);
    if (stored === undefined) throw refusal(type, ref, 404, "NotFound", "not found");
    return stored;
  }

  #mustServe(type: ResourceType): void {
    if (this.serves(type)) return;
    const message = "the server could not find the requested resource";
    throw new ApiError(type.plural, { code: 404, reason: "NotFound", message });
  }

  #rulesOf(type: ResourceType): KindRules {
    return this.#rules[resourceName(type)] ?? {};
  }

  #timestamp(inSeconds: number): string | undefined {
    if (this.#now === undefined) return undefined;
    return new Date(this.#now() + inSeconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  }

  #nextVersion(): string {
    this.#resourceVersion += 1;
    return String(this.#resourceVersion);
  }
}

/** @throws TypeError for an object without a name */
export function refOfObject(object: KubeObject): ObjectRef {
  const { name, namespace } = object.metadata ?? {};
  if (name === undefined) throw new TypeError(`${object.kind} has no metadata.name`);
  return namespace === undefined ? { name } : { name, namespace };
}

function refusal(
  type: ResourceType,
  ref: ObjectRef,
  code: number,
  reason: string,
  message: string,
): ApiError {
  return new ApiError(`${type.plural} ${objectKey(ref)}`, { code, reason, message });
}

function specOf(object: KubeObject): unknown {
  const { metadata: _, status: __, ...rest } = object as KubeObject & { status?: unknown };
  return rest;
}
