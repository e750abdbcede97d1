// One object of any kind on the API server: made, changed, waited for, deleted. Kinds are looked up where the server
// serves them, because a program may bring them.

import { setTimeout as sleep } from "node:timers/promises";

import {
  type KubeClient,
  isNotFound,
  type KubeObject,
  type Live,
  type ObjectRef,
  groupVersionPath,
  resourceType,
  type ResourceType,
} from "@llama-operator/kube-runtime/client";
import type { Await, LiveObject } from "./conditions.ts";

const pollMs = 100;

/** The waits between tries to make an object whose kind or namespace is still to come, as the real provider's. */
const creationRetriesMs = [1000, 2000, 4000, 8000];

/** The server does not serve the kind: no CRD, or not yet. */
export class NoSuchKindError extends Error {
  override readonly name = "NoSuchKindError";
  readonly kind: string;

  constructor(apiVersion: string, kind: string) {
    super(`no matches for kind "${kind}" in version "${apiVersion}"`);
    this.kind = `${apiVersion}/${kind}`;
  }
}

/** A wait that was not over in time; `live` is the object as it was then. */
export class AwaitError extends Error {
  override readonly name = "AwaitError";
  readonly live: Live<KubeObject>;

  constructor(message: string, live: Live<KubeObject>) {
    super(message);
    this.live = live;
  }
}

export interface WriteOptions {
  readonly fieldManager: string;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

export class ClusterObjects {
  readonly #client: KubeClient;
  readonly #types = new Map<string, ResourceType>();

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** @throws NoSuchKindError */
  async typeOf(apiVersion: string, kind: string, signal: AbortSignal): Promise<ResourceType> {
    const key = `${apiVersion}/${kind}`;
    const known = this.#types.get(key);
    if (known !== undefined) return known;
    const slash = apiVersion.indexOf("/");
    const group = slash < 0 ? "" : apiVersion.slice(0, slash);
    const version = apiVersion.slice(slash + 1);
    const type = { group, version, kind, plural: "", namespaced: false };
    const served = await this.#served(groupVersionPath(type), signal);
    const found = served.find((resource) => resource.kind === kind && !resource.name.includes("/"));
    if (found === undefined) throw new NoSuchKindError(apiVersion, kind);
    const complete = resourceType({ ...type, plural: found.name, namespaced: found.namespaced });
    this.#types.set(key, complete);
    return complete;
  }

  async #served(path: string, signal: AbortSignal): Promise<readonly ServedResource[]> {
    try {
      const list = JSON.parse(await this.#client.raw(path, { signal })) as {
        readonly resources: readonly ServedResource[];
      };
      return list.resources;
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  }

  /** Makes it; tries again for a while where its kind or its namespace is missing. */
  async create(object: KubeObject, options: WriteOptions): Promise<Live<KubeObject>> {
    for (const waitMs of [...(options.dryRun ? [] : creationRetriesMs), undefined]) {
      try {
        const type = await this.typeOf(object.apiVersion, object.kind, options.signal);
        return await this.#client.create(type, placed(object, type), options);
      } catch (error) {
        const mayCome = error instanceof NoSuchKindError || isNotFound(error);
        if (!mayCome || waitMs === undefined) throw error;
        await sleep(waitMs, undefined, { signal: options.signal });
      }
    }
    throw new Error("unreachable: the last try has no wait");
  }

  /** Server-side apply of the whole intent. */
  async apply(
    object: KubeObject,
    options: WriteOptions & { readonly force: boolean },
  ): Promise<Live<KubeObject>> {
    const type = await this.typeOf(object.apiVersion, object.kind, options.signal);
    return this.#client.apply(type, placed(object, type), options);
  }

  /** The whole object instead of the live one. */
  async replace(object: KubeObject, options: WriteOptions): Promise<Live<KubeObject>> {
    const type = await this.typeOf(object.apiVersion, object.kind, options.signal);
    const { resourceVersion } = (await this.#client.get(type, referenceOf(object, type), options)).metadata;
    const replacing = { ...object, metadata: { ...object.metadata, resourceVersion } };
    return this.#client.replace(type, placed(replacing, type), options);
  }

  /** The object as it is, where its fields still belong to its creation by this manager. */
  async createdBy(
    object: KubeObject,
    fieldManager: string,
    signal: AbortSignal,
  ): Promise<CreatedObject | undefined> {
    const live: Live<ManagedObject> | undefined = await this.get(object, signal);
    const entry = live?.metadata.managedFields?.find(
      ({ manager, operation, subresource }) =>
        manager === fieldManager && operation === "Update" && (subresource ?? "") === "",
    );
    return live === undefined || entry === undefined ? undefined : { live, entry };
  }

  /**
   * Makes what the creation has set the applier's own: a creation counts as an update, and without this an apply could
   * never take a field away again.
   */
  async ownCreatedFields({ live, entry }: CreatedObject, signal: AbortSignal): Promise<void> {
    const type = await this.typeOf(live.apiVersion, live.kind, signal);
    const managedFields = live.metadata.managedFields?.map((other) =>
      other === entry ? { ...other, operation: "Apply" } : other,
    );
    const { resourceVersion } = live.metadata;
    const patch = { metadata: { managedFields } };
    await this.#client.mergePatch(type, referenceOf(live, type), patch, { resourceVersion, signal });
  }

  /** Undefined where it is gone, its kind included. */
  async get(object: KubeObject, signal: AbortSignal): Promise<Live<KubeObject> | undefined> {
    try {
      const type = await this.typeOf(object.apiVersion, object.kind, signal);
      return await this.#client.get(type, referenceOf(object, type), { signal });
    } catch (error) {
      if (isNotFound(error) || error instanceof NoSuchKindError) return undefined;
      throw error;
    }
  }

  /**
   * Returns the live object once everything awaited is there.
   * @throws AwaitError after the time, with what is missing
   */
  async ready(
    object: KubeObject,
    awaits: readonly Await[],
    timeoutSeconds: number,
    signal: AbortSignal,
  ): Promise<Live<KubeObject>> {
    const type = await this.typeOf(object.apiVersion, object.kind, signal);
    const deadline = AbortSignal.timeout(timeoutSeconds * 1000);
    for (;;) {
      const live = await this.#client.get(type, referenceOf(object, type), { signal });
      const missing = awaits.flatMap((missingIn) => missingIn(live as LiveObject) ?? []);
      if (missing.length === 0) return live;
      if (deadline.aborted || signal.aborted) {
        const why = signal.aborted ? "cancelled" : `timed out after ${timeoutSeconds} s`;
        throw new AwaitError(
          `${why} waiting for ${object.kind} ${object.metadata?.name}: ${missing.join("; ")}`,
          live,
        );
      }
      // A cancelled wait looks once more, so that the state gets what is there.
      await sleep(pollMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Deletes it with what it owns, and returns when it is gone. Not to be there is as good. */
  async delete(
    object: KubeObject,
    timeoutSeconds: number,
    awaitGone: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const live = await this.get(object, signal);
    if (live === undefined) return;
    const type = await this.typeOf(object.apiVersion, object.kind, signal);
    await this.#client.delete(type, referenceOf(object, type), { propagationPolicy: "Foreground", signal });
    if (!awaitGone) return;
    const deadline = AbortSignal.timeout(timeoutSeconds * 1000);
    for (;;) {
      const left = await this.get(object, signal);
      // Another object of the same name is not the one that was to go.
      if (left === undefined || left.metadata.uid !== live.metadata.uid) return;
      if (deadline.aborted) {
        const finalizers = left.metadata.finalizers ?? [];
        const held = finalizers.length === 0 ? "" : `; finalizers: ${finalizers.join(", ")}`;
        throw new AwaitError(
          `timed out after ${timeoutSeconds} s waiting for the end of ${object.kind} ${object.metadata?.name}${held}`,
          left,
        );
      }
      await sleep(pollMs, undefined, { signal });
    }
  }
}

interface ServedResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
}

interface ManagedObject extends KubeObject {
  metadata?: KubeObject["metadata"] & { readonly managedFields?: readonly ManagedFields[] };
}

/** A live object and the entry of its managed fields that its creation has left. */
export interface CreatedObject {
  readonly live: Live<ManagedObject>;
  readonly entry: ManagedFields;
}

function referenceOf(object: KubeObject, type: ResourceType): ObjectRef {
  const { name, namespace } = placed(object, type).metadata ?? {};
  if (name === undefined) throw new TypeError(`${object.kind} has no metadata.name`);
  return namespace === undefined ? { name } : { name, namespace };
}

/** A cluster-scoped kind takes no namespace: where a program gives one, the real provider drops it. */
function placed(object: KubeObject, type: ResourceType): KubeObject {
  if (type.namespaced || object.metadata?.namespace === undefined) return object;
  const { namespace: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
