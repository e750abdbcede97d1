// The KubeClient that talks HTTP. It adds to each call what every caller would forget: paging, the bounded retry
// that the server asks for, and the fence that keeps a process that lost its leadership from writing.
//
// Guarantees
// - A 429 is tried again after its Retry-After; so are, for calls that can be repeated safely, 503 and 504.
// - A fenced write is checked in the turn in which it leaves, after any wait for a connection or a retry.
// Caveats
// - A write that ends in a ConnectionError may have taken effect. Writes are not repeated here for that: the
//   reconciler that sent it reads what is there and decides.
import type {
  ApplyOptions,
  CallOptions,
  DeleteOptions,
  KubeClient,
  ListPage,
  PageOptions,
  PatchOptions,
  Selection,
  StatusApplyOptions,
  StatusOf,
  SubresourceOptions,
  WatchOptions,
  WriteOptions,
} from "../../client/client.ts";
import type { KubeConnection, Lane } from "./connection.ts";
import { ConnectionError, isExpired, isNotFound, type ApiError } from "../../client/errors.ts";
import type { HttpRequest, HttpResponse } from "./exchange.ts";
import type { KubeObject, Live, ObjectRef } from "../../client/object.ts";
import { apiVersionOf, groupVersionPath, resourcePath, type ResourceType } from "../../client/resource.ts";
import { systemClock } from "../../clock.ts";
import { decodeStatus } from "./status.ts";
import { decodeWatch, type WatchEvent } from "./watch.ts";

/** Asked before every write; throws FencedError to stop it. */
export interface WriteFence {
  check(): void;
}

export interface HttpClientOptions {
  readonly fence?: WriteFence | undefined;
  /** Default `requests`. */
  readonly lane?: Lane | undefined;
  /** Bounds one attempt, from the first byte sent to the last one read. Default 15 s. */
  readonly requestTimeoutMs?: number | undefined;
  /** Bounds all waiting between the attempts of one call. 0 turns retries off. Default 30 s. */
  readonly maxRetryWaitMs?: number | undefined;
  /** Waits between attempts; rejects with the signal's reason. */
  readonly sleep?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;
}

/** Objects of the first page, from which the size of the next ones follows. */
const firstPageLimit = 50;
const maxPageLimit = 500;
/** Parsing a page is one turn of the event loop: about 5 ms for half a megabyte. Pods have 10 kB and more. */
const pageBytes = 0.5e6;
const maxListRestarts = 3;
/** The whole object where the server, or a proxy with an API of its own, cannot cut it down. */
const acceptMetadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
/** Without a Retry-After the server is asked again after this. */
const defaultRetryWaitMs = 1000;

interface Call {
  readonly method: HttpRequest["method"];
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class HttpKubeClient implements KubeClient {
  readonly #connection: KubeConnection;
  readonly #lane: Lane;
  readonly #beforeWrite: (() => void) | undefined;
  readonly #requestTimeoutMs: number;
  readonly #maxRetryWaitMs: number;
  readonly #sleep: (ms: number, signal?: AbortSignal) => Promise<void>;

  constructor(connection: KubeConnection, options: HttpClientOptions = {}) {
    const { fence } = options;
    this.#connection = connection;
    this.#lane = options.lane ?? "requests";
    this.#beforeWrite = fence === undefined ? undefined : () => fence.check();
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 15_000;
    this.#maxRetryWaitMs = options.maxRetryWaitMs ?? 30_000;
    this.#sleep = options.sleep ?? ((ms, signal) => systemClock.sleep(ms, signal));
  }

  async get<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: SubresourceOptions = {},
  ): Promise<Live<T>> {
    const path = resourcePath(type, { ...ref, subresource: options.subresource });
    return this.#json({ method: "GET", path, signal: options.signal });
  }

  async list<T extends KubeObject>(type: ResourceType<T>, options: PageOptions = {}): Promise<ListPage<T>> {
    for (let restarts = 0; ; restarts += 1) {
      const items: Live<T>[] = [];
      let resourceVersion = "";
      try {
        for await (const page of this.pages(type, options)) {
          for (const item of page.items) items.push(item);
          resourceVersion = page.resourceVersion;
        }
        return { items, resourceVersion };
      } catch (error) {
        if (!isExpired(error) || restarts >= maxListRestarts) throw error;
      }
    }
  }

  async *pages<T extends KubeObject>(
    type: ResourceType<T>,
    options: PageOptions = {},
  ): AsyncGenerator<ListPage<T>, void, undefined> {
    const path = resourcePath(type, { namespace: options.namespace });
    let limit = options.limit ?? firstPageLimit;
    const apiVersion = apiVersionOf(type);
    let next: string | undefined;
    do {
      const query = { ...selectors(options), limit, continue: next };
      const { page, bytes } = await this.#page<T>({ method: "GET", path, query, signal: options.signal });
      const items = page.items ?? [];
      limit = options.limit ?? pageLimit(items.length, bytes);
      for (const item of items) {
        // Lists of built-in kinds leave these out of their items; watches do not.
        item.apiVersion = apiVersion;
        item.kind = type.kind;
      }
      yield { items, resourceVersion: page.metadata?.resourceVersion ?? "" };
      next = page.metadata?.continue === "" ? undefined : page.metadata?.continue;
    } while (next !== undefined);
  }

  async *watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const call: Call = {
      method: "GET",
      path: resourcePath(type, { namespace: options.namespace }),
      query: {
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: options.resourceVersion,
        timeoutSeconds: options.timeoutSeconds,
        ...selectors(options),
      },
      signal: options.signal,
    };
    const stream = await this.#connection.stream("watches", this.#request(call));
    if (stream.status !== 200) {
      const parts: Buffer[] = [];
      for await (const part of stream.chunks) parts.push(part);
      throw decodeStatus(label(call), { ...stream, body: Buffer.concat(parts).toString("utf8") });
    }
    yield* decodeWatch<T>(label(call), stream.chunks);
  }

  async create<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<Live<T>> {
    const { namespace, name } = object.metadata ?? {};
    const { subresource } = options;
    return this.#json({
      method: "POST",
      path: resourcePath(type, { namespace, ...(subresource === undefined ? {} : { name, subresource }) }),
      query: writeQuery(options),
      body: object,
      signal: options.signal,
    });
  }

  async apply<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    options: ApplyOptions,
  ): Promise<Live<T>> {
    return this.#json({
      method: "PATCH",
      path: resourcePath(type, { ...namedRef(object), subresource: options.subresource }),
      query: { ...writeQuery(options), force: options.force ?? true },
      body: object,
      // Declared as YAML, of which JSON is a subset.
      contentType: "application/apply-patch+yaml",
      accept: options.answer === "metadata" ? acceptMetadata : undefined,
      signal: options.signal,
    });
  }

  async applyStatus<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    status: StatusOf<T>,
    options: StatusApplyOptions,
  ): Promise<Live<T>> {
    const intent = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: { ...ref }, status };
    return this.apply(type, intent as unknown as T, { ...options, subresource: "status" });
  }

  async replace<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<Live<T>> {
    return this.#json({
      method: "PUT",
      path: resourcePath(type, { ...namedRef(object), subresource: options.subresource }),
      query: writeQuery(options),
      body: object,
      signal: options.signal,
    });
  }

  async mergePatch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    options: PatchOptions = {},
  ): Promise<Live<T>> {
    const { resourceVersion } = options;
    const metadata = { ...(patch["metadata"] as object | undefined), resourceVersion };
    return this.#json({
      method: "PATCH",
      path: resourcePath(type, { ...ref, subresource: options.subresource }),
      query: writeQuery(options),
      body: resourceVersion === undefined ? patch : { ...patch, metadata },
      contentType: "application/merge-patch+json",
      signal: options.signal,
    });
  }

  async delete<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: DeleteOptions = {},
  ): Promise<boolean> {
    const { preconditions, propagationPolicy, gracePeriodSeconds, dryRun } = options;
    try {
      await this.#send({
        method: "DELETE",
        path: resourcePath(type, ref),
        body: {
          apiVersion: "v1",
          kind: "DeleteOptions",
          preconditions,
          propagationPolicy,
          gracePeriodSeconds,
          ...(dryRun === true ? { dryRun: ["All"] } : {}),
        },
        signal: options.signal,
      });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async raw(path: string, options: CallOptions = {}): Promise<string> {
    return (await this.#send({ method: "GET", path, signal: options.signal })).body;
  }

  async serves(type: ResourceType, options: CallOptions = {}): Promise<boolean> {
    try {
      const found: { resources?: readonly { name?: string }[] } = await this.#json({
        method: "GET",
        path: groupVersionPath(type),
        signal: options.signal,
      });
      return found.resources?.some((resource) => resource.name === type.plural) ?? false;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #json<R>(call: Call): Promise<R> {
    const { body } = await this.#send(call);
    return parse(call, body) as R;
  }

  async #page<T extends KubeObject>(call: Call): Promise<{ page: RawList<T>; bytes: number }> {
    const { body } = await this.#send(call);
    return { page: parse(call, body) as RawList<T>, bytes: body.length };
  }

  async #send(call: Call): Promise<HttpResponse & { readonly body: string }> {
    const request = this.#request(call);
    for (let waitedMs = 0, connected = false; ;) {
      let failure: ApiError;
      try {
        const response = await this.#connection.send(this.#lane, request);
        if (response.status < 300) return response;
        failure = decodeStatus(label(call), response);
      } catch (error) {
        // An idle connection that the server had already closed: once, and only where nothing can happen twice.
        if (!(error instanceof ConnectionError) || error.code !== "reset") throw error;
        if (call.method !== "GET" || connected || this.#maxRetryWaitMs === 0) throw error;
        connected = true;
        continue;
      }
      const waitMs = retryWaitMs(call, failure);
      if (waitMs === undefined || waitedMs + waitMs > this.#maxRetryWaitMs) throw failure;
      await this.#sleep(waitMs, call.signal);
      waitedMs += waitMs;
    }
  }

  #request(call: Call): HttpRequest {
    const headers: Record<string, string> = { accept: call.accept ?? "application/json" };
    if (call.body !== undefined) headers["content-type"] = call.contentType ?? "application/json";
    return {
      method: call.method,
      path: call.path + queryString(call.query),
      headers,
      body: call.body === undefined ? undefined : JSON.stringify(call.body),
      timeoutMs: this.#requestTimeoutMs,
      signal: call.signal,
      beforeSend: call.method === "GET" ? undefined : this.#beforeWrite,
    };
  }
}

interface RawList<T extends KubeObject> {
  readonly items?: Live<T>[] | null;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

function parse(call: Call, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new ConnectionError("malformed", label(call), { cause, detail: "the answer is not JSON" });
  }
}

/** How many objects the next page may have, if they are like those of this one. */
function pageLimit(items: number, bytes: number): number {
  return Math.min(maxPageLimit, Math.max(1, Math.floor((items * pageBytes) / Math.max(bytes, 1))));
}

/** How long to wait before the call may be repeated; undefined where it may not. */
function retryWaitMs(call: Call, failure: ApiError): number | undefined {
  // POST and merge patches are not idempotent, and 503 or 504 may come after they took effect; 429 never does.
  const idempotent = call.method !== "POST" && call.contentType !== "application/merge-patch+json";
  const overloaded = failure.code === 429 || (idempotent && (failure.code === 503 || failure.code === 504));
  if (!overloaded) return undefined;
  const seconds = failure.retryAfterSeconds;
  return seconds === undefined ? defaultRetryWaitMs : Math.max(seconds * 1000, 10);
}

function namedRef(object: KubeObject): ObjectRef {
  const { name, namespace } = object.metadata ?? {};
  if (name === undefined) throw new TypeError(`${object.kind} has no metadata.name`);
  return { name, namespace };
}

function selectors(selection: Selection): Record<string, string | undefined> {
  return { labelSelector: selection.labelSelector, fieldSelector: selection.fieldSelector };
}

function writeQuery(options: WriteOptions): Record<string, string | undefined> {
  return { fieldManager: options.fieldManager, dryRun: options.dryRun === true ? "All" : undefined };
}

function queryString(query: Call["query"]): string {
  let text = "";
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    text += `${text === "" ? "?" : "&"}${name}=${encodeURIComponent(value)}`;
  }
  return text;
}

const label = (call: Call): string => `${call.method} ${call.path}`;
