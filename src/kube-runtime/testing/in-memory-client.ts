// A KubeClient without a network, for tests of what uses one: in front of an API server in memory, of its own or shared
// with others, with calls that can be made to fail, answers that never come, and watches that come late.
//
// Differs from the real one
// - Lists come in one page and no call takes time; selectors are not read.
// - A watch never ends by its own timeout; where there is a clock, it sends bookmarks once a minute.
import type { Clock } from "../clock.ts";
import type {
  ApplyOptions,
  CallOptions,
  DeleteOptions,
  KubeClient,
  ListPage,
  PageOptions,
  PatchOptions,
  StatusApplyOptions,
  StatusOf,
  SubresourceOptions,
  WatchOptions,
  WriteOptions,
} from "../client/client.ts";
import { ApiError, ConnectionError } from "../client/errors.ts";
import type { KubeObject, Live, ObjectRef } from "../client/object.ts";
import { resourceName, type ResourceType } from "../client/resource.ts";
import type { WatchEvent } from "../connection/http/watch.ts";
import { InMemoryApiServer, refOfObject } from "./in-memory-server.ts";

export interface Call {
  readonly verb: "get" | "list" | "watch" | "create" | "apply" | "replace" | "patch" | "delete";
  readonly resource: string;
  readonly name: string | undefined;
  readonly namespace?: string | undefined;
  readonly subresource?: string | undefined;
  /** The object or patch that was sent. */
  readonly body?: unknown;
}

/** Throws, or returns a promise, to refuse or hold up a call. */
export type Interceptor = (call: Call) => void | Promise<void>;

/** A write that the server has carried out, before its answer is handed on. */
export interface Write {
  readonly call: Call;
  readonly before: Live<KubeObject> | undefined;
  /** Undefined for what is gone. */
  readonly after: Live<KubeObject> | undefined;
}

export interface InMemoryClientOptions {
  readonly server?: InMemoryApiServer;
  /** For late events and bookmarks. */
  readonly clock?: Clock;
  /** By how much the events of a kind come late; read for each event. Needs a clock. */
  readonly watchDelayMs?: (resource: string) => number;
  /** Told of each write that was carried out; the answer waits for it. */
  readonly onWrite?: (write: Write) => Promise<void> | undefined;
}

const bookmarkPeriodMs = 60_000;

export class InMemoryKubeClient implements KubeClient {
  readonly calls: Call[] = [];
  intercept: Interceptor = () => undefined;
  readonly server: InMemoryApiServer;
  readonly #options: InMemoryClientOptions;
  readonly #watches = new Set<() => void>();
  #closed = false;

  constructor(options: InMemoryClientOptions = {}) {
    this.#options = options;
    this.server = options.server ?? new InMemoryApiServer();
  }

  /** The writes so far, as `verb resource name`. */
  get writes(): readonly string[] {
    return this.calls
      .filter(({ verb }) => verb !== "get" && verb !== "list" && verb !== "watch")
      .map(({ verb, resource, name, subresource }) =>
        [verb, subresource === undefined ? resource : `${resource}/${subresource}`, name].join(" "),
      );
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  /** From now on nothing is answered and nothing delivered, as if the process that uses the client had died. */
  close(): void {
    this.#closed = true;
    for (const end of this.#watches) end();
    this.#watches.clear();
  }

  /** Stores an object as another client would, without a call being noted. */
  put<T extends KubeObject>(type: ResourceType<T>, object: T): Live<T> {
    return this.server.put(type, object);
  }

  /** Removes an object as another client would. */
  remove(type: ResourceType, ref: ObjectRef): void {
    this.server.remove(type, ref);
  }

  peek<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef): Live<T> | undefined {
    return this.server.get(type, ref);
  }

  async get<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: SubresourceOptions = {},
  ): Promise<Live<T>> {
    await this.#note({ verb: "get", resource: resourceName(type), ...named(ref) }, options);
    const live = this.server.get(type, ref);
    if (live === undefined || !this.server.serves(type)) throw refusal(404, "NotFound");
    return copy(live);
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: PageOptions = {}): Promise<ListPage<T>> {
    await this.#note({ verb: "list", resource: resourceName(type), name: undefined }, options);
    if (!this.server.serves(type)) throw refusal(404, "NotFound");
    return {
      items: this.server.list(type, options.namespace).map(copy),
      resourceVersion: this.server.resourceVersion,
    };
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
    if (!this.server.serves(type)) throw refusal(404, "NotFound");
    const { signal, namespace } = options;
    const feed = new Feed(this.#options, resource);
    for (const { event } of this.server.changesSince(resource, options.resourceVersion)) feed.push(event);
    const endings = [
      this.server.onChange(({ resource: changed, event }) => {
        const isElsewhere = namespace !== undefined && event.object.metadata.namespace !== namespace;
        if (changed === resource && !isElsewhere) feed.push(event);
      }),
      this.server.onRemoval((removed) => {
        if (removed === resource) feed.end();
      }),
      this.#bookmarks(feed),
    ];
    const unsubscribe = (): void => {
      for (const end of endings) end();
    };
    this.#watches.add(unsubscribe);
    const stop = (): void => feed.wake();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      for (;;) {
        signal?.throwIfAborted();
        const event = feed.next();
        if (event !== undefined)
          yield (
            event.type === "BOOKMARK" ? event : { ...event, object: copy(event.object) }
          ) as WatchEvent<T>;
        else if (feed.ended) return;
        else await feed.news();
      }
    } finally {
      unsubscribe();
      this.#watches.delete(unsubscribe);
      signal?.removeEventListener("abort", stop);
    }
  }

  async create<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<Live<T>> {
    const ref = refOfObject(object);
    const call: Call = { verb: "create", resource: resourceName(type), ...named(ref), body: object };
    return this.#write(type, ref, call, options, () =>
      this.server.create(type, asJson(object), options.fieldManager),
    );
  }

  async apply<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    options: ApplyOptions,
  ): Promise<Live<T>> {
    const ref = refOfObject(object);
    const { subresource, fieldManager: manager, force = true } = options;
    const call: Call = {
      verb: "apply",
      resource: resourceName(type),
      ...named(ref),
      subresource,
      body: object,
    };
    return this.#write(type, ref, call, options, () => {
      if (subresource === undefined) return this.server.apply(type, asJson(object), { manager, force });
      return this.server.patch(type, ref, asJson(object) as unknown as Record<string, unknown>, {
        manager,
        subresource,
      });
    });
  }

  async applyStatus<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    status: StatusOf<T>,
    options: StatusApplyOptions,
  ): Promise<Live<T>> {
    const call: Call = {
      verb: "apply",
      resource: resourceName(type),
      ...named(ref),
      subresource: "status",
      body: status,
    };
    return this.#write(type, ref, call, options, () => this.server.setStatus(type, ref, asJson(status)));
  }

  async replace<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<Live<T>> {
    const ref = refOfObject(object);
    const call: Call = { verb: "replace", resource: resourceName(type), ...named(ref), body: object };
    return this.#write(type, ref, call, options, () => {
      if (object.metadata?.resourceVersion === undefined) throw refusal(409, "Conflict");
      return this.server.update(type, asJson(object), options.fieldManager);
    });
  }

  async mergePatch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    options: PatchOptions = {},
  ): Promise<Live<T>> {
    const { subresource, resourceVersion, fieldManager: manager } = options;
    const call: Call = {
      verb: "patch",
      resource: resourceName(type),
      ...named(ref),
      subresource,
      body: patch,
    };
    return this.#write(type, ref, call, options, () =>
      this.server.patch(type, ref, asJson(patch), {
        ...(manager === undefined ? {} : { manager }),
        ...(subresource === undefined ? {} : { subresource }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      }),
    );
  }

  async delete<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: DeleteOptions = {},
  ): Promise<boolean> {
    const call: Call = { verb: "delete", resource: resourceName(type), ...named(ref) };
    await this.#note(call, options);
    const before = this.server.get(type, ref);
    const found = this.server.delete(type, ref, options);
    const told = this.#written({ call, before, after: this.server.get(type, ref) });
    if (told !== undefined) await told;
    return found;
  }

  async raw(path: string, options: CallOptions = {}): Promise<string> {
    await this.#note({ verb: "get", resource: path, name: undefined }, options);
    return path === "/version" ? '{"major":"1","minor":"35","gitVersion":"v1.35.4"}' : "ok";
  }

  async serves(type: ResourceType): Promise<boolean> {
    return this.server.serves(type);
  }

  async #write<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    call: Call,
    options: CallOptions & Pick<ApplyOptions, "answer">,
    carryOut: () => Live<T>,
  ): Promise<Live<T>> {
    await this.#note(call, options);
    const before = this.server.get(type, ref);
    const after = carryOut();
    const told = this.#written({ call, before, after });
    if (told !== undefined) await told;
    options.signal?.throwIfAborted();
    return copy(options.answer === "metadata" ? metadataOf(after) : after);
  }

  /** What the answer waits for; nothing, as a rule, so that an answer comes before the watch's event. */
  #written(write: Write): Promise<void> | undefined {
    const told = this.#options.onWrite?.(write);
    return told ?? (this.#closed ? never() : undefined);
  }

  async #note(call: Call, options: CallOptions): Promise<void> {
    options.signal?.throwIfAborted();
    if (this.#closed) await never();
    this.calls.push(call);
    await this.intercept(call);
    options.signal?.throwIfAborted();
  }

  #bookmarks(feed: Feed): () => void {
    const { clock } = this.#options;
    if (clock === undefined) return () => undefined;
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = clock.setTimeout(() => {
        feed.push({ type: "BOOKMARK", resourceVersion: this.server.resourceVersion });
        next();
      }, bookmarkPeriodMs);
    };
    next();
    return () => cancel();
  }
}

/** The events of one watch on their way, in order, each as late as its kind is. */
class Feed {
  readonly #options: InMemoryClientOptions;
  readonly #resource: string;
  readonly #arrived: WatchEvent<KubeObject>[] = [];
  #news = Promise.withResolvers<void>();
  #lastAtMs = 0;
  #ended = false;

  constructor(options: InMemoryClientOptions, resource: string) {
    this.#options = options;
    this.#resource = resource;
  }

  get ended(): boolean {
    return this.#ended;
  }

  push(event: WatchEvent<KubeObject>): void {
    const { clock, watchDelayMs } = this.#options;
    const now = clock?.monotonic() ?? 0;
    const atMs = Math.max(this.#lastAtMs, now + (watchDelayMs?.(this.#resource) ?? 0));
    this.#lastAtMs = atMs;
    if (clock === undefined || atMs <= now) this.#arrive(event);
    else clock.setTimeout(() => this.#arrive(event), atMs - now);
  }

  next(): WatchEvent<KubeObject> | undefined {
    return this.#arrived.shift();
  }

  end(): void {
    this.#ended = true;
    this.wake();
  }

  wake(): void {
    this.#news.resolve();
  }

  async news(): Promise<void> {
    await this.#news.promise;
    this.#news = Promise.withResolvers();
  }

  #arrive(event: WatchEvent<KubeObject>): void {
    this.#arrived.push(event);
    this.wake();
  }
}

function named({ name, namespace }: ObjectRef): Pick<Call, "name" | "namespace"> {
  return namespace === undefined ? { name } : { name, namespace };
}

/** As it would have come over the wire: what is undefined is not there, and nothing is shared. */
function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Readers may change metadata of what they were given; what lies deeper is shared. */
function copy<T extends KubeObject>(object: Live<T>): Live<T> {
  return { ...object, metadata: { ...object.metadata } };
}

async function never(): Promise<void> {
  await new Promise(() => undefined);
}

function refusal(code: number, reason: string): ApiError {
  return new ApiError("in memory", { code, reason });
}

/** An answer that was lost on its way: whether the write was carried out is not known. */
export function lostAnswer({ verb, resource }: Pick<Call, "verb" | "resource">): ConnectionError {
  return new ConnectionError("reset", `${verb} ${resource}`);
}

/** As the API server answers who asks for metadata alone. */
function metadataOf<T extends KubeObject>({ metadata }: Live<T>): Live<T> {
  return { apiVersion: "meta.k8s.io/v1", kind: "PartialObjectMetadata", metadata } as Live<T>;
}
