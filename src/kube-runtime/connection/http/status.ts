// Semaphore the API server's refusal into an ApiError. Proxies and overloaded servers answer in plain text, so that
// nothing about the body may be assumed.
import { ApiError, type StatusCause } from "../../client/errors.ts";
import type { HttpResponse } from "./exchange.ts";

interface RawStatus {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly StatusCause[]; readonly retryAfterSeconds?: number };
}

export function decodeStatus(request: string, response: HttpResponse & { readonly body: string }): ApiError {
  const status = parse(response.body);
  const header = response.headers["retry-after"];
  const fromHeader = typeof header === "string" && /^\d+$/.test(header) ? Number(header) : undefined;
  return new ApiError(request, {
    code: response.status,
    reason: status.reason,
    message: status.message,
    causes: status.details?.causes,
    retryAfterSeconds: fromHeader ?? status.details?.retryAfterSeconds,
  });
}

function parse(body: string): RawStatus {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Not JSON: a proxy's page, or the server's "too many requests".
  }
  return { message: body.slice(0, 200).trim() };
}
