// The watch stream: one JSON document a line. Whatever is not a whole, known line is an error, never skipped: a
// dropped event is an object that stays wrong until it happens to be written again.
import type { ApiStatus } from "../../client/errors.ts";
import { ApiError, ConnectionError } from "../../client/errors.ts";
import type { KubeObject, Live } from "../../client/object.ts";

export type WatchEvent<T extends KubeObject> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: Live<T> }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

/**
 * Decodes a watch's body.
 * @throws ConnectionError where the stream ends inside a line or a line is not an event; ApiError for an event
 * of type ERROR.
 */
export async function* decodeWatch<T extends KubeObject>(
  request: string,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const tail = chunk.subarray(start, end);
      const line = rest.length === 0 ? tail : Buffer.concat([...rest, tail]);
      rest = [];
      start = end + 1;
      if (line.length > 0) yield decodeEvent<T>(request, line.toString("utf8"));
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  }
  if (rest.length > 0) {
    throw new ConnectionError("truncated", request, { detail: "the watch ended inside an event" });
  }
}

const newline = 0x0a;

interface RawEvent {
  readonly type?: unknown;
  readonly object?: (KubeObject & Partial<ApiStatus>) | undefined;
}

function decodeEvent<T extends KubeObject>(request: string, line: string): WatchEvent<T> {
  let event: RawEvent;
  try {
    event = JSON.parse(line) as RawEvent;
  } catch (cause) {
    throw new ConnectionError("malformed", request, { cause, detail: "an event is not JSON" });
  }
  const { type, object } = event;
  if (object !== undefined && object !== null) {
    switch (type) {
      case "ADDED":
      case "MODIFIED":
      case "DELETED":
        if (object.metadata?.resourceVersion !== undefined) return { type, object: object as Live<T> };
        break;
      case "BOOKMARK":
        if (object.metadata?.resourceVersion !== undefined) {
          return { type, resourceVersion: object.metadata.resourceVersion };
        }
        break;
      case "ERROR":
        throw new ApiError(request, {
          code: object.code ?? 500,
          reason: object.reason,
          message: object.message,
        });
      default:
    }
  }
  throw new ConnectionError("malformed", request, {
    detail: `an event of type ${String(type)} without object`,
  });
}
