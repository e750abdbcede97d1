// One HTTP exchange on an undici dispatcher, without the streams and promises of its higher-level calls: a write
// can be checked in the very turn in which its bytes leave, and a watch is a plain iterator with back-pressure.
import type { Dispatcher } from "undici";
import { ConnectionError, FencedError } from "../../client/errors.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Bounds the whole exchange; for a stream, only the time until its first byte. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called when a connection is free, just before the first byte; what it throws ends the exchange unsent. */
  readonly beforeSend?: (() => void) | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface HttpStream extends HttpResponse {
  /** The body as it comes. Ending the iteration closes the connection. Throws ConnectionError when it is cut. */
  readonly chunks: AsyncIterableIterator<Buffer>;
}

/**
 * Sends a request and reads the whole answer.
 * @throws ConnectionError, the reason of `signal`, or what `beforeSend` threw
 */
export async function exchange(
  dispatcher: Dispatcher,
  request: HttpRequest,
): Promise<HttpResponse & { readonly body: string }> {
  const parts: Buffer[] = [];
  const done = Promise.withResolvers<void>();
  const receiver = new Receiver(request, {
    onStart: () => undefined,
    onData: (chunk) => parts.push(chunk),
    onEnd: done.resolve,
    onError: done.reject,
  });
  receiver.dispatch(dispatcher);
  try {
    await done.promise;
  } finally {
    receiver.settle();
  }
  const [only] = parts;
  const body = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  return { status: receiver.status, headers: receiver.headers, body: body.toString("utf8") };
}

/** Sends a request and returns once the answer has begun. */
export async function openStream(dispatcher: Dispatcher, request: HttpRequest): Promise<HttpStream> {
  const started = Promise.withResolvers<void>();
  const chunks = new ChunkQueue();
  const receiver = new Receiver(request, {
    onStart: () => {
      receiver.clearTimer();
      started.resolve();
    },
    onData: (chunk, controller) => chunks.push(chunk, controller),
    onEnd: () => chunks.end(undefined),
    onError: (error) => {
      started.reject(error);
      chunks.end(error);
    },
  });
  chunks.onReturn = () =>
    receiver.cancel(new ConnectionError("reset", receiver.label, { detail: "closed by us" }));
  chunks.onSettled = () => receiver.settle();
  receiver.dispatch(dispatcher);
  try {
    await started.promise;
  } catch (error) {
    receiver.settle();
    throw error;
  }
  return { status: receiver.status, headers: receiver.headers, chunks };
}

interface Sink {
  onStart(): void;
  onData(chunk: Buffer, controller: Dispatcher.DispatchController): void;
  onEnd(): void;
  onError(error: unknown): void;
}

/** The handler undici calls back; turns abort, timeout and undici's errors into one outcome. */
class Receiver implements Dispatcher.DispatchHandler {
  status = 0;
  headers: HttpResponse["headers"] = {};
  readonly label: string;
  readonly #request: HttpRequest;
  readonly #sink: Sink;
  #controller: Dispatcher.DispatchController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #cancelled: Error | undefined;
  #finished = false;

  constructor(request: HttpRequest, sink: Sink) {
    this.#request = request;
    this.#sink = sink;
    const query = request.path.indexOf("?");
    this.label = `${request.method} ${query < 0 ? request.path : request.path.slice(0, query)}`;
  }

  dispatch(dispatcher: Dispatcher): void {
    const { signal, method, path, headers, body, timeoutMs } = this.#request;
    if (signal?.aborted === true) {
      this.#finish(() => this.#sink.onError(signal.reason));
      return;
    }
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#timer = setTimeout(() => {
      this.cancel(new ConnectionError("timeout", this.label, { detail: `no answer in ${timeoutMs} ms` }));
    }, timeoutMs);
    dispatcher.dispatch(
      { method, path, headers: { ...headers }, body: body ?? null, headersTimeout: 0, bodyTimeout: 0 },
      this,
    );
  }

  cancel(reason: Error): void {
    if (this.#finished || this.#cancelled !== undefined) return;
    this.#cancelled = reason;
    // Not yet sent: nothing to abort, onRequestStart will see it; the caller need not wait for a free connection.
    if (this.#controller === undefined) this.#finish(() => this.#sink.onError(reason));
    else this.#controller.abort(reason);
  }

  clearTimer(): void {
    clearTimeout(this.#timer);
  }

  settle(): void {
    this.clearTimer();
    this.#request.signal?.removeEventListener("abort", this.#onAbort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#cancelled !== undefined) throw this.#cancelled;
    this.#request.beforeSend?.();
    this.#controller = controller;
  }

  onResponseStart(_: unknown, status: number, headers: HttpResponse["headers"]): void {
    if (status < 200) return;
    this.status = status;
    this.headers = headers;
    this.#sink.onStart();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#sink.onData(chunk, controller);
  }

  onResponseEnd(): void {
    this.#finish(() => this.#sink.onEnd());
  }

  onResponseError(_: unknown, error: Error): void {
    this.#finish(() => this.#sink.onError(this.#cancelled ?? this.#describe(error)));
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#request.signal?.reason;
    this.cancel(reason instanceof Error ? reason : new Error("aborted", { cause: reason }));
  };

  #finish(report: () => void): void {
    if (this.#finished) return;
    this.#finished = true;
    report();
  }

  #describe(error: Error & { code?: string }): Error {
    if (error instanceof FencedError || error instanceof ConnectionError) return error;
    if (error.code === "UND_ERR_RES_EXCEEDED_MAX_SIZE") {
      return new ConnectionError("too-large", this.label, { cause: error });
    }
    if (this.status !== 0) return new ConnectionError("truncated", this.label, { cause: error });
    const code = error.code ?? "";
    const reset = code === "ECONNRESET" || code === "EPIPE" || code === "UND_ERR_SOCKET";
    return new ConnectionError(reset && this.#controller !== undefined ? "reset" : "connect", this.label, {
      cause: error,
    });
  }
}

/** Pauses the socket above this much unread; a slow consumer then costs the server's memory, not ours. */
const highWaterBytes = 1024 * 1024;

class ChunkQueue implements AsyncIterableIterator<Buffer> {
  onReturn: () => void = () => undefined;
  onSettled: () => void = () => undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #paused: Dispatcher.DispatchController | undefined;
  #ended: { readonly error: unknown } | undefined;
  #waiting: PromiseWithResolvers<IteratorResult<Buffer>> | undefined;

  push(chunk: Buffer, controller: Dispatcher.DispatchController): void {
    if (this.#waiting !== undefined) {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting.resolve({ value: chunk, done: false });
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > highWaterBytes && this.#paused === undefined) {
      this.#paused = controller;
      controller.pause();
    }
  }

  end(error: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { error };
    this.onSettled();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    if (error === undefined) waiting.resolve({ value: undefined, done: true });
    else waiting.reject(error);
  }

  next(): Promise<IteratorResult<Buffer>> {
    if (this.#chunks.length > 0) {
      const [first] = this.#chunks;
      const value = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
      this.#chunks = [];
      this.#bytes = 0;
      this.#paused?.resume();
      this.#paused = undefined;
      return Promise.resolve({ value, done: false });
    }
    if (this.#ended !== undefined) {
      const { error } = this.#ended;
      this.#ended = { error: undefined };
      return error === undefined
        ? Promise.resolve({ value: undefined, done: true })
        : Promise.reject(error instanceof Error ? error : new Error("stream failed", { cause: error }));
    }
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  return(): Promise<IteratorResult<Buffer>> {
    this.end(undefined);
    this.onReturn();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
