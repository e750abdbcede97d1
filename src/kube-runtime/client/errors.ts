// What can go wrong between us and the API server, as classes that callers can sort into "retry", "wait" and
// "will never work". No error holds a request body or a header: errors are logged, and those carry secrets.

/** One cause inside a `Status`, e.g. the field that failed validation. */
export interface StatusCause {
  readonly field?: string | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

/** The part of `metav1.Status` that callers decide by. */
export interface ApiStatus {
  readonly code: number;
  /** Machine-readable, e.g. `NotFound`, `Conflict`, `Invalid`, `Expired`. */
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly causes?: readonly StatusCause[] | undefined;
  /** How long the server asks to be left alone, from the `Retry-After` header or the Status. */
  readonly retryAfterSeconds?: number | undefined;
}

/** The API server answered, and the answer is a refusal. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: number;
  readonly reason: string;
  readonly causes: readonly StatusCause[];
  readonly retryAfterSeconds: number | undefined;
  /** `GET /api/v1/…`: what was asked, without its query. */
  readonly request: string;

  constructor(request: string, status: ApiStatus) {
    const reason = status.reason ?? "";
    super(
      `${request}: ${status.code} ${reason === "" ? "" : `${reason}: `}${status.message ?? ""}`.trimEnd(),
    );
    this.code = status.code;
    this.reason = reason;
    this.causes = status.causes ?? [];
    this.retryAfterSeconds = status.retryAfterSeconds;
    this.request = request;
  }
}

/** No answer, or not the whole of one: refused, reset, timed out, cut, longer than is read. Whether a write took effect is unknown. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code: "connect" | "timeout" | "reset" | "truncated" | "malformed" | "too-large";

  constructor(
    code: ConnectionError["code"],
    request: string,
    options: { cause?: unknown; detail?: string } = {},
  ) {
    const cause = options.cause instanceof Error ? options.cause.message : undefined;
    const detail = options.detail ?? cause;
    super(`${request}: ${code}${detail === undefined ? "" : `: ${detail}`}`, { cause: options.cause });
    this.code = code;
  }
}

/** A write was attempted without the right to write: leadership is lost or in doubt. Nothing was sent. */
export class FencedError extends Error {
  override readonly name = "FencedError";
  readonly code = "fenced";
}

/** The connection cannot be set up at all: no kubeconfig, a broken one, credentials that cannot be had. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "config";
}

const hasCode = (error: unknown, code: number): error is ApiError =>
  error instanceof ApiError && error.code === code;

export const isNotFound = (error: unknown): error is ApiError => hasCode(error, 404);

export const isUnauthorized = (error: unknown): error is ApiError => hasCode(error, 401);

export const isForbidden = (error: unknown): error is ApiError => hasCode(error, 403);

/** 409 from a stale resourceVersion, a failed precondition or another field manager; not "already exists". */
export const isConflict = (error: unknown): error is ApiError =>
  hasCode(error, 409) && error.reason !== "AlreadyExists";

export const isAlreadyExists = (error: unknown): error is ApiError =>
  hasCode(error, 409) && error.reason === "AlreadyExists";

/** 422: the object broke the schema or a rule. Sending it again will fail again. */
export const isInvalid = (error: unknown): error is ApiError => hasCode(error, 422);

/** The server understood and will not do it: forbidden by rights or quota, invalid, or turned down by admission. */
export const isRefused = (error: unknown): error is ApiError =>
  hasCode(error, 400) || isForbidden(error) || isInvalid(error);

/** 410, as status or inside a watch: the resourceVersion or continue token is too old. List again. */
export const isExpired = (error: unknown): error is ApiError => hasCode(error, 410);

/** Worth another try later without any change: overload, server trouble, no connection, a conflict. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof FencedError) return true;
  if (!(error instanceof ApiError)) return false;
  return error.code === 429 || error.code >= 500 || isConflict(error) || isUnauthorized(error);
}
