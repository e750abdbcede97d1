// GET over HTTPS for small documents and for ranges of large files, from servers that need not be trusted.
//
// Guarantees
// - A token goes to the origin that it was given for and to no other, however the server redirects.
// - No more than was asked for is read: a server that ignores a range is hung up on, not downloaded from.
// - Every wait ends: connecting, headers, each pause of a body, and the request as a whole.
// Caveats
// - A file may change between two ranges; callers name files by commit or by digest.
// undici's `redirect` and `retry` interceptors do not keep these bounds: see redirects.ts and retries.ts.
import { request } from "undici";
import type { Dispatcher } from "undici";
import { InspectionError } from "../errors.ts";
import type { ReadBudget } from "./read-budget.ts";
import { discard, followRedirects, single } from "./redirects.ts";
import { RetryableError, type Wait, withRetries } from "./retries.ts";

/** A token and the only origin that may see it. */
export interface OriginToken {
  readonly origin: string;
  readonly token: string;
}

export interface HttpClientOptions {
  readonly dispatcher: Dispatcher;
  readonly userAgent: string;
  readonly budget: ReadBudget;
  readonly token?: OriginToken | undefined;
  /** Waits before another try. */
  readonly wait: Wait;
}

/** What a server said that is no success; services add what it means with them. */
export interface HttpRefusal {
  /** For messages: never the address, which may be signed. */
  readonly name: string;
  readonly status: number;
  readonly header: (name: string) => string | undefined;
}

/** What is asked for. */
export interface HttpTarget {
  readonly url: URL;
  /** For messages. */
  readonly name: string;
  /** Says what a refusal means, or undefined to leave it to its number. */
  readonly explain?: (refusal: HttpRefusal) => InspectionError | undefined;
}

/** A part of a file, and how large the whole is. */
export interface HttpRange {
  readonly bytes: Buffer;
  readonly sizeBytes: number;
}

const requestTimeoutMs = 120_000;
const headersTimeoutMs = 30_000;
const bodyPauseTimeoutMs = 30_000;

export class HttpClient {
  readonly #options: HttpClientOptions;

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** Whether requests to `url` carry a token. */
  hasTokenFor(url: URL): boolean {
    return this.#options.token?.origin === url.origin;
  }

  /** A whole document of at most `maxBytes`. */
  async document(target: HttpTarget, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
    return withRetries(this.#options.wait, signal, async () => {
      const response = await this.#get(target, {}, signal);
      if (response.statusCode !== 200) throw this.#refused(target, response);
      const declared = numberOf(response.headers["content-length"]);
      if (declared !== undefined && declared > maxBytes) {
        discard(response);
        throw tooLarge(target.name, declared, maxBytes);
      }
      return this.#body(target, response, { max: maxBytes }, signal);
    });
  }

  /** Bytes from `offset`: `length` of them, or fewer where the file ends. */
  async range(target: HttpTarget, offset: number, length: number, signal: AbortSignal): Promise<HttpRange> {
    return withRetries(this.#options.wait, signal, async () => {
      const range = `bytes=${offset}-${offset + length - 1}`;
      const response = await this.#get(target, { range }, signal);
      const declared = numberOf(response.headers["content-length"]);
      if (response.statusCode === 200 && offset === 0 && declared !== undefined && declared <= length) {
        // All of a small file is what was asked for.
        return {
          bytes: await this.#body(target, response, { exactly: declared }, signal),
          sizeBytes: declared,
        };
      }
      if (response.statusCode === 200) {
        discard(response);
        throw new InspectionError(
          "unreachable",
          `${target.name}: the server ignores ranges and would send the whole file (${declared ?? "unknown"} bytes); nothing was downloaded. Is there a proxy or mirror without range requests?`,
        );
      }
      if (response.statusCode !== 206) throw this.#refused(target, response);
      const part = contentRange(response.headers["content-range"]);
      if (part === undefined || part.first !== offset || part.last - part.first >= length) {
        discard(response);
        throw new InspectionError(
          "unreachable",
          `${target.name}: the server sent another range than ${range}`,
        );
      }
      const bytes = await this.#body(target, response, { exactly: part.last - part.first + 1 }, signal);
      return { bytes, sizeBytes: part.size };
    });
  }

  async #get(
    target: HttpTarget,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    return followRedirects(target, async (url) => this.#send(target.name, url, headers, signal));
  }

  async #send(
    name: string,
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { dispatcher, userAgent, token } = this.#options;
    try {
      return await request(url, {
        dispatcher,
        signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
        headersTimeout: headersTimeoutMs,
        bodyTimeout: bodyPauseTimeoutMs,
        headers: {
          "user-agent": userAgent,
          // Ranges count bytes of the file, not of a compressed copy.
          "accept-encoding": "identity",
          ...(token?.origin === url.origin ? { authorization: `Bearer ${token.token}` } : {}),
          ...headers,
        },
      });
    } catch (error) {
      signal.throwIfAborted();
      throw new RetryableError(`${name}: ${url.host} does not answer (${reasonOf(error)})`, error);
    }
  }

  async #body(
    { name }: HttpTarget,
    response: Dispatcher.ResponseData,
    wanted: { readonly max: number } | { readonly exactly: number },
    signal: AbortSignal,
  ): Promise<Buffer> {
    const max = "max" in wanted ? wanted.max : wanted.exactly;
    this.#options.budget.take("max" in wanted ? 0 : max, name);
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of response.body) {
        const bytes = Buffer.from(chunk as Uint8Array);
        length += bytes.length;
        if (length > max) throw tooLarge(name, length, max);
        chunks.push(bytes);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof InspectionError) throw error;
      throw new RetryableError(
        `${name}: the download broke off after ${length} bytes (${reasonOf(error)})`,
        error,
      );
    }
    if ("exactly" in wanted && length < wanted.exactly) {
      throw new RetryableError(`${name}: the download ended after ${length} of ${wanted.exactly} bytes`);
    }
    this.#options.budget.take("max" in wanted ? length : 0, name);
    return Buffer.concat(chunks, length);
  }

  #refused(target: HttpTarget, response: Dispatcher.ResponseData): InspectionError {
    discard(response);
    const { statusCode: status, headers } = response;
    const header = (name: string) => single(headers[name]);
    const explained = target.explain?.({ name: target.name, status, header });
    if (explained !== undefined) return explained;
    if (status === 429) return tooManyRequests(target.name, header);
    if (status >= 500) return new RetryableError(`${target.name}: the server answers ${status}`);
    if (status === 401 || status === 403) {
      return new InspectionError("denied", `${target.name}: the server does not allow it (${status})`);
    }
    if (status === 404) return new InspectionError("notFound", `${target.name}: not there (404)`);
    if (status === 416)
      return new InspectionError("malformed", `${target.name}: the file is empty or ends before (416)`);
    return new InspectionError("unreachable", `${target.name}: the server answers ${status}`);
  }
}

function tooManyRequests(name: string, header: HttpRefusal["header"]): RetryableError {
  // `Retry-After: 55`; the hub's own is `RateLimit: "resolvers";r=0;t=55`, as huggingface.co/docs/hub/rate-limits says.
  const seconds =
    numberOf(header("retry-after")) ?? numberOf(/\bt=(\d+)/.exec(header("ratelimit") ?? "")?.[1]);
  const when = seconds === undefined ? "later" : `in ${seconds} s`;
  return new RetryableError(
    `${name}: too many requests (429); try again ${when}. With a token the limits are higher`,
    undefined,
    seconds === undefined ? undefined : seconds * 1000,
  );
}

function tooLarge(name: string, bytes: number, maxBytes: number): InspectionError {
  return new InspectionError("tooLarge", `${name}: ${bytes} bytes or more, and at most ${maxBytes} are read`);
}

function contentRange(
  value: string | string[] | undefined,
): { readonly first: number; readonly last: number; readonly size: number } | undefined {
  const [, first, last, size] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(single(value) ?? "") ?? [];
  if (first === undefined || last === undefined || size === undefined) return undefined;
  const part = { first: Number(first), last: Number(last), size: Number(size) };
  return part.first <= part.last && part.last < part.size ? part : undefined;
}

function numberOf(value: string | string[] | undefined): number | undefined {
  const text = single(value);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${requestTimeoutMs / 1000} s`;
  return error.message === "" ? error.name : error.message;
}
