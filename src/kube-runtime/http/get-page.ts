// One GET over plain HTTP of a page on another machine of the cluster: a pod's metrics. The other side is not trusted:
// time and size are bounded, and nothing it says makes us ask anybody else.
//
// Guarantees
// - Only the address that was given is asked: redirects are answers like any other, and no proxy is used.
// - Ends within the time-out, whatever the other side does; a page beyond the bound is cut off and is an error.
// - One connection, closed at the end: such pages are read once.
import { request as httpRequest, type IncomingMessage } from "node:http";

export interface PageRequest {
  /** IPv4 or IPv6, without brackets. */
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface Page {
  readonly status: number;
  readonly text: string;
}

/** @throws PageError where there is no whole page, or the signal's reason */
export type GetPage = (request: PageRequest) => Promise<Page>;

/** No page: not reached, not in time, not whole, or more than was asked for. */
export class PageError extends Error {
  override readonly name = "PageError";
  readonly code: "connection" | "timeout" | "too-large";

  constructor(code: PageError["code"], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export const getPage: GetPage = async (request) => {
  const { address, port, path, timeoutMs, signal } = request;
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Page>();
  const sent = httpRequest({ host: address, port, path, agent: false, headers: { accept: "text/plain" } });
  const giveUp = (error: unknown): void => {
    reject(error);
    sent.destroy();
  };
  const onAbort = (): void => giveUp(signal.reason);
  const timer = setTimeout(() => {
    giveUp(new PageError("timeout", `no page in ${timeoutMs} ms`));
  }, timeoutMs);
  signal.addEventListener("abort", onAbort, { once: true });
  sent.on("error", (error) => giveUp(new PageError("connection", error.message, error)));
  sent.on("response", (response) => read(response, request.maxBytes, resolve, giveUp));
  sent.end();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
};

function read(
  response: IncomingMessage,
  maxBytes: number,
  resolve: (page: Page) => void,
  giveUp: (error: unknown) => void,
): void {
  const parts: Buffer[] = [];
  let bytes = 0;
  response.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes > maxBytes) giveUp(new PageError("too-large", `a page of more than ${maxBytes} bytes`));
    else parts.push(part);
  });
  response.on("error", (error) => giveUp(new PageError("connection", error.message, error)));
  response.on("end", () => {
    resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") });
  });
}
