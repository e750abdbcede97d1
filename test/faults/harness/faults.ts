// What goes wrong between an operator and the API server, each as a handler around the one that does the work.
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiHandler, ApiReply, ApiRequest } from "../../support/api-server-proxy.ts";

/** A write that an operator sent and how the API server answered it. */
export interface Write {
  /** `apply deployments`, `delete leaderworkersets`, `apply llamadeployments/status`. */
  readonly what: string;
  /** What and which one: `apply deployments 2` is the second of its kind. */
  readonly label: string;
  readonly name: string;
  readonly status: number;
}

const verbs: Readonly<Record<string, string>> = {
  POST: "create",
  PATCH: "apply",
  PUT: "replace",
  DELETE: "delete",
};
const resourcePath = /\/namespaces\/[^/]+\/([a-z]+)(?:\/([^/?]+)(?:\/([a-z]+))?)?(?:\?|$)/;

/** Undefined for reads, and for what is told on the side: Events, Leases, the counts of a GpuPool. */
export function writeOf({ method, path }: Pick<ApiRequest, "method" | "path">) {
  const verb = verbs[method];
  const [, plural, name = "", subresource] = resourcePath.exec(path) ?? [];
  if (verb === undefined || plural === undefined || plural === "events" || plural === "leases")
    return undefined;
  return { what: `${verb} ${plural}${subresource === undefined ? "" : `/${subresource}`}`, name };
}

/** Keeps what was written, over all the lives of an operator. */
export class WriteLog {
  readonly writes: Write[] = [];

  /** @returns the label of the write */
  note({ what, name }: Pick<Write, "what" | "name">, status: number): string {
    const label = `${what} ${1 + this.writes.filter((write) => write.what === what).length}`;
    this.writes.push({ what, name, label, status });
    return label;
  }
}

/** What becomes of the answer to a write that the API server has just committed. */
export type AfterCommit = (label: string, reply: ApiReply) => ApiReply | "cut";

/**
 * Hands writes on one at a time, so that a fault at one of them finds exactly those before it committed, and
 * none after it.
 */
export function oneWriteAtATime(log: WriteLog, afterCommit: AfterCommit, forward: ApiHandler): ApiHandler {
  let before: Promise<unknown> = Promise.resolve();
  const commitAfter = async (
    previous: Promise<unknown>,
    request: ApiRequest,
    write: Pick<Write, "what" | "name">,
  ): Promise<ApiReply | "cut"> => {
    await previous;
    const reply = await forward(request);
    if (reply === "cut") return reply;
    const whole = { ...reply, body: await textOf(reply.body) };
    return afterCommit(log.note(write, reply.status), whole);
  };
  return async (request) => {
    const write = writeOf(request);
    if (write === undefined) return forward(request);
    const turn = commitAfter(before, request, write);
    before = turn.catch(() => undefined);
    return turn;
  };
}

async function textOf(body: ApiReply["body"]): Promise<string> {
  if (typeof body === "string") return body;
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString("utf8");
}

/** Answers nothing any more once `dead` says so: neither what comes nor what is under way. */
export function whileAlive(dead: () => boolean, next: ApiHandler): ApiHandler {
  return async (request) => {
    if (dead()) return "cut";
    const reply = await next(request);
    return dead() ? "cut" : reply;
  };
}

/** For a while the API server is overloaded: open watches end, everything is refused with a Retry-After. */
export class ApiOutage {
  /** Requests refused so far. */
  refused = 0;
  readonly #begin = new AbortController();
  #over = false;

  begin(): void {
    this.#begin.abort(new Error("the API server is overloaded"));
  }

  end(): void {
    this.#over = true;
  }

  around(next: ApiHandler): ApiHandler {
    return async (request) => {
      const { signal: begin } = this.#begin;
      if (begin.aborted && !this.#over) return this.#refuse(request);
      return next(begin.aborted ? request : { ...request, signal: AbortSignal.any([request.signal, begin]) });
    };
  }

  /** 503 to reads and 429 to writes: both ways of saying it. */
  #refuse({ method }: ApiRequest): ApiReply {
    this.refused += 1;
    const [status, reason] =
      method === "GET" ? ([503, "ServiceUnavailable"] as const) : ([429, "TooManyRequests"] as const);
    const body = JSON.stringify({
      apiVersion: "v1",
      kind: "Status",
      status: "Failure",
      code: status,
      reason,
    });
    return { status, headers: { "content-type": "application/json", "retry-after": "1" }, body };
  }
}

/** Delivers the events of watches late, in their order. */
export function lateEvents(delayMs: (plural: string) => number, next: ApiHandler): ApiHandler {
  return async (request) => {
    const plural = watchedPlural(request);
    const reply = await next(request);
    if (plural === undefined || reply === "cut" || typeof reply.body === "string") return reply;
    return { ...reply, body: late(reply.body, () => delayMs(plural), request.signal) };
  };
}

/** The plural of the kind that a request watches. */
export function watchedPlural({ method, path }: Pick<ApiRequest, "method" | "path">): string | undefined {
  const url = new URL(path, "http://api");
  return method === "GET" && url.searchParams.get("watch") === "true"
    ? url.pathname.split("/").at(-1)
    : undefined;
}

/** Each part as long after the API server sent it as `delayMs` says. */
async function* late(
  body: AsyncIterable<Uint8Array | string>,
  delayMs: () => number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array | string> {
  const waiting: { readonly part: Uint8Array | string; readonly dueAtMs: number }[] = [];
  let ended = false;
  let failure: unknown;
  let wake = (): void => undefined;
  const reading = (async () => {
    for await (const part of body) {
      waiting.push({ part, dueAtMs: performance.now() + delayMs() });
      wake();
    }
  })()
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => {
      ended = true;
      wake();
    });
  for (;;) {
    const next = waiting.shift();
    if (next !== undefined) {
      await sleep(Math.max(0, next.dueAtMs - performance.now()), undefined, { signal });
      yield next.part;
      continue;
    }
    if (ended) break;
    const woken = Promise.withResolvers<void>();
    wake = woken.resolve;
    await woken.promise;
  }
  await reading;
  if (failure !== undefined) throw failure;
}
