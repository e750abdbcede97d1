// A KubeClient without a server, for tests of what uses one: objects in memory, optimistic locking, watches, and calls
// that can be made to fail. It validates nothing and runs no garbage collector; the real API server is for that.
import type {
  ApplyOptions,
  CallOptions,
  DeleteOptions,
  KubeClient,
  ListPage,
  PageOptions,
  PatchOptions,
  StatusOf,
  SubresourceOptions,
  WatchOptions,
  WriteOptions,
} from "../client/client.ts";
import { ApiError } from "../client/errors.ts";
import { objectKey, type KubeObject, type Live, type ObjectRef } from "../client/object.ts";
import { compareResourceVersions } from "../client/resource-version.ts";
import { resourceName, type ResourceType } from "../client/resource.ts";
import type { WatchEvent } from "../connection/http/watch.ts";

export interface Call {
  readonly verb: "get" | "list" | "watch" | "create" | "apply" | "replace" | "patch" | "delete";
  readonly resource: string;
  readonly name: string | undefined;
  readonly subresource?: string | undefined;
  /** The object or patch that was sent. */
  readonly body?: unknown;
}

/** Throws, or returns a promise, to refuse or hold up a call. */
export type Interceptor = (call: Call) => void | Promise<void>;

interface Listener {
  readonly resource: string;
  readonly namespace: string | undefined;
  push(event: WatchEvent<KubeObject>): void;
}

export class InMemoryKubeClient implements KubeClient {
  readonly calls: Call[] = [];
  intercept: Interceptor = () => undefined;
  readonly #objects = new Map<string, Map<string, Live<KubeObject>>>();
  readonly #history: { readonly resource: string; readonly event: WatchEvent<KubeObject> }[] = [];
  readonly #listeners = new Set<Listener>();
  #resourceVersion = 0;
  #uid = 0;

  /** The writes so far, as `verb resource name`. */
  get writes(): readonly string[] {
    return this.calls
      .filter(({ verb }) => verb !== "get" && verb !== "list" && verb !== "watch")
      .map(({ verb, resource, name, subresource }) =>
        [verb, subresource === undefined ? resource : `${resource}/${subresource}`, name].join(" "),
      );
  }

  get openWatches(): number {
    return this.#listeners.size;
  }

  /** Stores an object as another client would, without a call being noted. */
  put<T extends KubeObject>(type: ResourceType<T>, object: T): Live<T> {
    return this.#store(type, object);
  }

  /** Removes an object as another client would. */
  remove(type: ResourceType, ref: ObjectRef): void {
    const objects = this.#objects.get(resourceName(type));
    const object = objects?.get(objectKey(ref));
    if (object === undefined) return;
    objects?.delete(objectKey(ref));
    const metadata = { ...object.metadata, resourceVersion: this.#nextResourceVersion() };
    this.#publish(resourceName(type), { type: "DELETED", object: { ...object, metadata } });
  }

  peek<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Live<T> | undefined {
    // Each kind's map holds what was stored for it.
    return this.#objects.get(resourceName(type))?.get(objectKey(ref)) as Live<T> | undefined;
  }

  async get<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: SubresourceOptions = {},
  ): Promise<Live<T>> {
    await this.#note({ verb: "get", resource: resourceName(type), name: ref.name }, options);
    return this.#find(type, ref);
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: PageOptions = {}): Promise<ListPage<T>> {
    await this.#note({ verb: "list", resource: resourceName(type), name: undefined }, options);
    const all = [...(this.#objects.get(resourceName(type))?.values() ?? [])] as Live<T>[];
    const items = all.filter(
      ({ metadata }) => options.namespace === undefined || metadata.namespace === options.namespace,
    );
    return { items, resourceVersion: String(this.#resourceVersion) };
  }

  async *pages<T extends KubeObject>(
    type: ResourceType<T>,
    options: PageOptions = {},
  ): AsyncGenerator<ListPage<T>, void, undefined> {
    yield await this.list(type, options);
  }

  async *watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const resource = resourceName(type);
    await this.#note({ verb: "watch", resource, name: undefined }, options);
    const { signal, namespace, resourceVersion } = options;
    const pending: WatchEvent<KubeObject>[] = this.#history
      .filter((entry) => entry.resource === resource && isAfter(entry.event, resourceVersion))
      .map(({ event }) => event);
    let wake = (): void => undefined;
    const listener: Listener = {
      resource,
      namespace,
      push: (event) => {
        pending.push(event);
        wake();
      },
    };
    this.#listeners.add(listener);
    const stop = (): void => wake();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      for (;;) {
        signal?.throwIfAborted();
        const event = pending.shift();
        if (event === undefined) {
          const { promise, resolve } = Promise.withResolvers<void>();
          wake = resolve;
          await promise;
        } else {
          yield event as WatchEvent<T>;
        }
      }
    } finally {
      this.#listeners.delete(listener);
      signal?.removeEventListener("abort", stop);
    }
  }

  async create<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<Live<T>> {
    const ref = refOfIntent(object);
    await this.#note({ verb: "create", resource: resourceName(type), name: ref.name, body: object }, options);
    if (this.peek(type, ref) !== undefined) throw refusal(409, "AlreadyExists");
    return this.#store(type, object);
  }

  async apply<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    options: ApplyOptions,
  ): Promise<Live<T>> {
    const ref = refOfIntent(object);
    const { subresource } = options;
    await this.#note(
      { verb: "apply", resource: resourceName(type), name: ref.name, subresource, body: object },
      options,
    );
    const live = this.peek(type, ref);
    const uid = object.metadata?.uid;
    if (uid !== undefined && uid !== live?.metadata.uid) throw refusal(409, "Conflict");
    if (live === undefined && subresource !== undefined) throw refusal(404, "NotFound");
    return this.#storeIfChanged(type, live, merge(live, object) as T);
  }

  async applyStatus<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    status: StatusOf<T>,
    options: Omit<ApplyOptions, "subresource">,
  ): Promise<Live<T>> {
    const call = { verb: "apply", resource: resourceName(type), name: ref.name } as const;
    await this.#note({ ...call, subresource: "status", body: status }, options);
    const live = this.#find(type, ref);
    return this.#storeIfChanged(type, live, { ...live, status });
  }

  async replace<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<Live<T>> {
    const ref = refOfIntent(object);
    await this.#note(
      { verb: "replace", resource: resourceName(type), name: ref.name, body: object },
      options,
    );
    const live = this.#find(type, ref);
    if (object.metadata?.resourceVersion !== live.metadata.resourceVersion) throw refusal(409, "Conflict");
    return this.#store(type, object);
  }

  async mergePatch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    options: PatchOptions = {},
  ): Promise<Live<T>> {
    const { subresource, resourceVersion } = options;
    await this.#note(
      { verb: "patch", resource: resourceName(type), name: ref.name, subresource, body: patch },
      options,
    );
    const live = this.#find(type, ref);
    if (resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion) {
      throw refusal(409, "Conflict");
    }
    return this.#storeIfChanged(type, live, merge(live, patch) as T);
  }

  async delete<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: DeleteOptions = {},
  ): Promise<boolean> {
    await this.#note({ verb: "delete", resource: resourceName(type), name: ref.name }, options);
    const live = this.peek(type, ref);
    if (live === undefined) return false;
    const uid = options.preconditions?.uid;
    if (uid !== undefined && uid !== live.metadata.uid) throw refusal(409, "Conflict");
    this.remove(type, ref);
    return true;
  }

  async raw(path: string, options: CallOptions = {}): Promise<string> {
    await this.#note({ verb: "get", resource: path, name: undefined }, options);
    return path === "/version" ? '{"major":"1","minor":"35","gitVersion":"v1.35.4"}' : "ok";
  }

  async serves(): Promise<boolean> {
    return true;
  }

  async #note(call: Call, options: CallOptions): Promise<void> {
    options.signal?.throwIfAborted();
    this.calls.push(call);
    await this.intercept(call);
    options.signal?.throwIfAborted();
  }

  #find<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Live<T> {
    const live = this.peek(type, ref);
    if (live === undefined) throw refusal(404, "NotFound");
    return live;
  }

  #storeIfChanged<T extends KubeObject>(type: ResourceType<T>, live: Live<T> | undefined, next: T): Live<T> {
    if (live !== undefined && JSON.stringify(live) === JSON.stringify(next)) return live;
    return this.#store(type, next);
  }

  #store<T extends KubeObject>(type: ResourceType<T>, object: T): Live<T> {
    const resource = resourceName(type);
    const objects = this.#objects.get(resource) ?? new Map<string, Live<KubeObject>>();
    this.#objects.set(resource, objects);
    const ref = refOfIntent(object);
    const previous = objects.get(objectKey(ref));
    this.#uid += 1;
    const stored: Live<T> = {
      ...object,
      metadata: {
        ...object.metadata,
        name: ref.name,
        uid: previous?.metadata.uid ?? object.metadata?.uid ?? `uid-${this.#uid}`,
        resourceVersion: this.#nextResourceVersion(),
      },
    };
    objects.set(objectKey(ref), stored);
    this.#publish(resource, { type: previous === undefined ? "ADDED" : "MODIFIED", object: stored });
    return stored;
  }

  #publish(resource: string, event: WatchEvent<KubeObject>): void {
    this.#history.push({ resource, event });
    for (const listener of this.#listeners) if (listener.resource === resource) listener.push(event);
  }

  #nextResourceVersion(): string {
    this.#resourceVersion += 1;
    return String(this.#resourceVersion);
  }
}

function isAfter(event: WatchEvent<KubeObject>, resourceVersion: string): boolean {
  if (event.type === "BOOKMARK") return false;
  return compareResourceVersions(event.object.metadata.resourceVersion, resourceVersion) > 0;
}

function refOfIntent(object: KubeObject): ObjectRef {
  const { name, namespace } = object.metadata ?? {};
  if (name === undefined) throw new TypeError(`${object.kind} has no metadata.name`);
  return namespace === undefined ? { name } : { name, namespace };
}

function refusal(code: number, reason: string): ApiError {
  return new ApiError("in memory", { code, reason });
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === "object" && target !== null && !Array.isArray(target) ? target : {};
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = merge(merged[name], value);
  }
  return merged;
}
