// A small HTTPS API server that misbehaves on command: for what a real one does only on bad days. It keeps objects of
// any kind with growing resourceVersions, lists them by pages, and serves watches from its history.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import type { ClusterConfig } from "../connection/config/cluster-config.ts";
import type { KubeObject, Live } from "../client/object.ts";
import type { SelfSignedCertificate } from "../certificates/self-signed.ts";
import { listen } from "../http/serve.ts";
import { localCertificate } from "./self-signed.ts";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly isWatch: boolean;
}

export type Fault =
  /** Answers with this status instead of doing anything. */
  | { readonly kind: "status"; readonly code: number; readonly reason?: string; readonly retryAfter?: string }
  /** Never answers. */
  | { readonly kind: "hang" }
  /** Closes the connection instead of doing anything. */
  | { readonly kind: "drop" }
  /** Does what was asked, then closes the connection instead of saying so. */
  | { readonly kind: "commitThenDrop" }
  /** Answers with these bytes, and status 200, and then ends. */
  | { readonly kind: "body"; readonly text: string }
  /** Opens the watch and says nothing, for ever: a half-open connection. */
  | { readonly kind: "silent" }
  /** Answers late. */
  | { readonly kind: "delay"; readonly ms: number };

interface ArmedFault {
  readonly matches: (request: SeenRequest) => boolean;
  readonly fault: Fault;
  times: number;
}

interface HistoryEntry {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly collection: string;
  readonly object: Live<KubeObject>;
}

interface OpenWatch {
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly response: ServerResponse;
}

interface Target {
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

export class FlakyApiServer {
  readonly seen: SeenRequest[] = [];
  /** What a request must carry as bearer token; undefined lets everybody in. */
  token: string | undefined;
  /** Groups and versions, like `/apis/example.dev/v1`, that answer 404. */
  readonly unserved = new Set<string>();
  readonly #certificate: SelfSignedCertificate = localCertificate();
  readonly #faults: ArmedFault[] = [];
  readonly #objects = new Map<string, Map<string, Live<KubeObject>>>();
  readonly #watches = new Set<OpenWatch>();
  readonly #sockets = new Set<Socket>();
  #history: HistoryEntry[] = [];
  #resourceVersion = 1000;
  /** Watches and continue tokens from before this one are expired. */
  #compactedTo = 0;
  #server: Server | undefined;
  #port = 0;
  #connections = 0;
  #uid = 0;

  static async start(): Promise<FlakyApiServer> {
    const server = new FlakyApiServer();
    await server.listen();
    return server;
  }

  /** For a KubeConnection; the token is read anew each time, as from a file. */
  config(token: () => string | undefined = () => this.token): ClusterConfig {
    return {
      server: `https://127.0.0.1:${this.#port}`,
      namespace: "default",
      credentials: async () => {
        const current = token();
        const headers: Record<string, string> =
          current === undefined ? {} : { authorization: `Bearer ${current}` };
        return { tls: { ca: this.#certificate.cert }, headers };
      },
    };
  }

  /** Connections accepted so far. */
  get connections(): number {
    return this.#connections;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  get resourceVersion(): string {
    return String(this.#resourceVersion);
  }

  /** Starts to listen, on the same port as before. */
  async listen(): Promise<void> {
    const server = createServer({ ...this.#certificate }, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
    server.on("secureConnection", (socket) => {
      this.#connections += 1;
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => undefined);
    });
    this.#port = await listen(server, { port: this.#port, host: "127.0.0.1" });
    this.#server = server;
  }

  /** Cuts every connection and stops listening. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    this.#watches.clear();
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }

  /** Applies a fault to the next `times` requests that match. */
  fail(matches: (request: SeenRequest) => boolean, fault: Fault, times = 1): void {
    this.#faults.push({ matches, fault, times });
  }

  /** Stores an object as a write by another client would, and tells the watches. */
  put(path: string, object: KubeObject): Live<KubeObject> {
    const target = parsePath(path);
    return this.#store(target.collection, object);
  }

  remove(path: string): void {
    this.#remove(parsePath(path));
  }

  /** Forgets the history, as etcd's compaction does. */
  compact(): void {
    this.#compactedTo = this.#resourceVersion;
    this.#history = [];
  }

  /** Goes back to an older state, as etcd restored from a backup does: without a word to its clients. */
  restore(resourceVersion: number, objects: readonly { path: string; object: KubeObject }[]): void {
    this.#objects.clear();
    this.#history = [];
    this.#resourceVersion = resourceVersion;
    for (const { path, object } of objects) this.put(path, object);
    this.#history = [];
  }

  /** Sends every watch a bookmark. */
  bookmark(): void {
    for (const { response } of this.#watches) {
      const metadata = { resourceVersion: String(this.#resourceVersion) };
      response.write(`${JSON.stringify({ type: "BOOKMARK", object: { metadata } })}\n`);
    }
  }

  /** Writes raw bytes into every open watch. */
  writeToWatches(bytes: string | Buffer): void {
    for (const { response } of this.#watches) response.write(bytes);
  }

  /** Ends every watch as the server does when its time is over. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end();
    this.#watches.clear();
  }

  /** Cuts the connection of every watch. */
  cutWatches(): void {
    for (const { response } of this.#watches) response.socket?.destroy();
    this.#watches.clear();
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of message) parts.push(part as Buffer);
    const url = new URL(message.url ?? "/", "https://localhost");
    const request: SeenRequest = {
      method: message.method ?? "GET",
      path: url.pathname,
      query: url.searchParams,
      headers: message.headers,
      body: Buffer.concat(parts).toString(),
      isWatch: url.searchParams.get("watch") === "true",
    };
    this.seen.push(request);
    if (this.token !== undefined && message.headers.authorization !== `Bearer ${this.token}`) {
      return refuse(response, 401, "Unauthorized");
    }
    const fault = this.#nextFault(request);
    switch (fault?.kind) {
      case "hang":
        return;
      case "drop":
        response.socket?.destroy();
        return;
      case "commitThenDrop":
        this.#answer(request, undefined);
        response.socket?.destroy();
        return;
      case "status":
        if (fault.retryAfter !== undefined) response.setHeader("retry-after", fault.retryAfter);
        return refuse(response, fault.code, fault.reason ?? "");
      case "body":
        response.writeHead(200).end(fault.text);
        return;
      case "silent":
        response.writeHead(200).flushHeaders();
        return;
      case "delay": {
        const { promise, resolve } = Promise.withResolvers<void>();
        setTimeout(resolve, fault.ms);
        await promise;
        break;
      }
      case undefined:
    }
    this.#answer(request, response);
  }

  #nextFault(request: SeenRequest): Fault | undefined {
    const index = this.#faults.findIndex((armed) => armed.matches(request));
    const armed = this.#faults[index];
    if (armed === undefined) return undefined;
    armed.times -= 1;
    if (armed.times === 0) this.#faults.splice(index, 1);
    return armed.fault;
  }

  #answer(request: SeenRequest, response: ServerResponse | undefined): void {
    const { method, path, query } = request;
    for (const prefix of this.unserved) {
      if (path === prefix || path.startsWith(`${prefix}/`)) return refuse(response, 404, "NotFound");
    }
    const target = parsePath(path);
    if (target.collection === "") return send(response, 200, { resources: [...this.#plurals(path)] });
    if (request.isWatch) return this.#watch(target, query, response);
    if (method === "GET" && target.name === undefined) return this.#list(target, query, response);
    const stored = this.#objects.get(target.collection)?.get(keyOf(target.namespace, target.name));
    if (method === "GET") return stored === undefined ? notFound(response) : send(response, 200, stored);
    if (method === "DELETE") {
      if (stored === undefined) return notFound(response);
      this.#remove(target);
      return send(response, 200, { kind: "Status", status: "Success" });
    }
    const body = JSON.parse(request.body) as KubeObject;
    const precondition = body.metadata?.resourceVersion;
    if (method === "POST" && stored !== undefined) return refuse(response, 409, "AlreadyExists");
    if (method === "PUT" && stored === undefined) return notFound(response);
    if (precondition !== undefined && precondition !== stored?.metadata.resourceVersion) {
      return refuse(response, 409, "Conflict");
    }
    const isReplaced = method === "PUT" || method === "POST";
    const merged = isReplaced
      ? body
      : { ...stored, ...body, metadata: { ...stored?.metadata, ...body.metadata } };
    send(response, stored === undefined ? 201 : 200, this.#store(target.collection, merged));
  }

  #list(target: Target, query: URLSearchParams, response: ServerResponse | undefined): void {
    const [at = this.resourceVersion, from = "0"] = (query.get("continue") ?? "").split(":").filter(Boolean);
    if (Number(at) < this.#compactedTo) return refuse(response, 410, "Expired");
    const all = [...(this.#objects.get(target.collection)?.values() ?? [])].filter(
      (object) => target.namespace === undefined || object.metadata.namespace === target.namespace,
    );
    const limit = Number(query.get("limit") ?? all.length);
    const end = Number(from) + limit;
    // Items without apiVersion and kind, as lists of built-in kinds have them.
    const items = all.slice(Number(from), end).map(withoutKind);
    const rest = end < all.length ? { continue: `${at}:${end}` } : {};
    send(response, 200, { kind: "List", metadata: { resourceVersion: at, ...rest }, items });
  }

  #watch(target: Target, query: URLSearchParams, response: ServerResponse | undefined): void {
    if (response === undefined) return;
    const from = Number(query.get("resourceVersion") ?? this.#resourceVersion);
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    if (from < this.#compactedTo) {
      const object = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" };
      response.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
      return;
    }
    const watch = { collection: target.collection, namespace: target.namespace, response };
    for (const entry of this.#history) {
      if (Number(entry.object.metadata.resourceVersion) > from) tell(watch, entry);
    }
    this.#watches.add(watch);
    response.on("close", () => this.#watches.delete(watch));
  }

  #store(collection: string, object: KubeObject): Live<KubeObject> {
    const objects = this.#objects.get(collection) ?? new Map<string, Live<KubeObject>>();
    this.#objects.set(collection, objects);
    const { name = "", namespace } = object.metadata ?? {};
    const key = keyOf(namespace, name);
    const previous = objects.get(key);
    this.#resourceVersion += 1;
    this.#uid += 1;
    const uid = object.metadata?.uid ?? previous?.metadata.uid ?? `uid-${this.#uid}`;
    const metadata = { ...object.metadata, name, uid, resourceVersion: this.resourceVersion };
    const stored = { ...object, metadata };
    objects.set(key, stored);
    this.#record({ type: previous === undefined ? "ADDED" : "MODIFIED", collection, object: stored });
    return stored;
  }

  #remove(target: Target): void {
    const objects = this.#objects.get(target.collection);
    const key = keyOf(target.namespace, target.name);
    const object = objects?.get(key);
    if (object === undefined) return;
    objects?.delete(key);
    this.#resourceVersion += 1;
    const metadata = { ...object.metadata, resourceVersion: this.resourceVersion };
    this.#record({ type: "DELETED", collection: target.collection, object: { ...object, metadata } });
  }

  #record(entry: HistoryEntry): void {
    this.#history.push(entry);
    for (const watch of this.#watches) tell(watch, entry);
  }

  *#plurals(prefix: string): Generator<{ name: string }> {
    for (const collection of this.#objects.keys()) {
      if (collection.startsWith(`${prefix}/`)) yield { name: collection.slice(prefix.length + 1) };
    }
  }
}

function tell(watch: OpenWatch, { type, collection, object }: HistoryEntry): void {
  if (watch.collection !== collection) return;
  if (watch.namespace !== undefined && watch.namespace !== object.metadata.namespace) return;
  watch.response.write(`${JSON.stringify({ type, object })}\n`);
}

/** `/api/v1/namespaces/a/pods/b/status` is object b, in namespace a, of collection `/api/v1/pods`. */
function parsePath(path: string): Target {
  const parts = path.split("/").filter(Boolean);
  const groupVersion = parts.splice(0, parts[0] === "api" ? 2 : 3);
  const namespace = parts[0] === "namespaces" && parts.length > 2 ? parts.splice(0, 2)[1] : undefined;
  const [plural, name] = parts;
  const collection = plural === undefined ? "" : `/${groupVersion.join("/")}/${plural}`;
  return { collection, namespace, name };
}

function withoutKind(object: KubeObject): Partial<KubeObject> {
  const { apiVersion: _apiVersion, kind: _kind, ...rest } = object;
  return rest;
}

const keyOf = (namespace: string | undefined, name: string | undefined): string =>
  `${namespace ?? ""}/${name ?? ""}`;

function send(response: ServerResponse | undefined, code: number, body: unknown): void {
  response?.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse | undefined, code: number, reason: string): void {
  send(response, code, { kind: "Status", status: "Failure", code, reason, message: `refused: ${reason}` });
}

const notFound = (response: ServerResponse | undefined): void => refuse(response, 404, "NotFound");
