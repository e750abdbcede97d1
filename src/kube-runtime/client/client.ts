// What a controller asks of the API server, as one interface: tests and decorators implement it too. Objects are
// plain JSON in and out; nothing is renamed, defaulted or dropped on the way.
import type { KubeObject, Live, ObjectRef } from "./object.ts";
import type { ResourceType } from "./resource.ts";
import type { WatchEvent } from "../connection/http/watch.ts";

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface SubresourceOptions extends CallOptions {
  /** `status`, `scale`, … instead of the object itself. */
  readonly subresource?: string | undefined;
}

export interface Selection extends CallOptions {
  /** All namespaces when absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface PageOptions extends Selection {
  /** Objects a page; by default as many as make about half a megabyte, at most 500. */
  readonly limit?: number | undefined;
}

export interface ListPage<T extends KubeObject> {
  readonly items: readonly Live<T>[];
  /** Of the whole list: the same on every page, and where a watch starts. */
  readonly resourceVersion: string;
}

export interface WatchOptions extends Selection {
  /** Events after this one. */
  readonly resourceVersion: string;
  /** After this long the server ends the watch; the iteration then ends too. */
  readonly timeoutSeconds?: number | undefined;
}

export interface ApplyOptions extends SubresourceOptions {
  readonly fieldManager: string;
  /** Take fields over from other managers; what a controller wants for what it owns. Default true. */
  readonly force?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  /** Only `metadata` of the object comes back: for a caller that wants no more than its resourceVersion. */
  readonly answer?: "metadata" | undefined;
}

export type StatusApplyOptions = Omit<ApplyOptions, "subresource">;

export interface WriteOptions extends SubresourceOptions {
  readonly fieldManager?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

export interface PatchOptions extends WriteOptions {
  /** Fails with a conflict if the object has changed since: what protects lists, which a patch replaces whole. */
  readonly resourceVersion?: string | undefined;
}

export interface DeleteOptions extends CallOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
  readonly propagationPolicy?: "Foreground" | "Background" | "Orphan" | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

/** The status type of a kind that has one. */
export type StatusOf<T> = T extends { status?: infer S } ? NonNullable<S> : never;

/**
 * Every call throws ApiError when the server refuses, ConnectionError when there is no whole answer, and the
 * signal's reason when it is aborted; every write also FencedError when it may not be sent.
 */
export interface KubeClient {
  get<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options?: SubresourceOptions,
  ): Promise<Live<T>>;

  /** The whole list, page by page; a continue token that expires on the way starts it again. */
  list<T extends KubeObject>(type: ResourceType<T>, options?: PageOptions): Promise<ListPage<T>>;

  /** The pages of one list. Throws an expired ApiError where a continue token was too old: start again. */
  pages<T extends KubeObject>(type: ResourceType<T>, options?: PageOptions): AsyncIterable<ListPage<T>>;

  /**
   * Changes after a resourceVersion, with bookmarks. Ends when the server ends it; throws ConnectionError where
   * it is cut or garbled, and ApiError (410 above all) where the server says so inside the stream.
   */
  watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;

  create<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<Live<T>>;

  /** Server-side apply: `object` holds exactly the fields that this manager owns. */
  apply<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    options: ApplyOptions & { readonly answer: "metadata" },
  ): Promise<Live<KubeObject>>;
  apply<T extends KubeObject>(type: ResourceType<T>, object: T, options: ApplyOptions): Promise<Live<T>>;

  /** Server-side apply of the whole status through its subresource. */
  applyStatus<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    status: StatusOf<T>,
    options: StatusApplyOptions & { readonly answer: "metadata" },
  ): Promise<Live<KubeObject>>;
  applyStatus<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    status: StatusOf<T>,
    options: StatusApplyOptions,
  ): Promise<Live<T>>;

  /** Replaces the object; conflicts unless `metadata.resourceVersion` is the live one. */
  replace<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<Live<T>>;

  /** JSON merge patch (RFC 7386): null removes, lists are replaced whole. */
  mergePatch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    options?: PatchOptions,
  ): Promise<Live<T>>;

  /** False where there was nothing to delete. */
  delete<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options?: DeleteOptions,
  ): Promise<boolean>;

  /** A GET of any path, e.g. `/version` or `/readyz?verbose`. */
  raw(path: string, options?: CallOptions): Promise<string>;

  /** Whether the API server has this kind now: a CRD may be missing, come late, or be removed. */
  serves(type: ResourceType, options?: CallOptions): Promise<boolean>;
}
