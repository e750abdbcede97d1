// One GET over plain HTTP of a page on another machine of the cluster: a pod's metrics. The other side is not trusted:
// time and size are bounded, and nothing it says makes us ask another one.
//
// Guarantees
// - Only the address that was given is asked: redirects are answers like any other, and no proxy is used.
// - Ends within the time-out, whatever the other side does; a page beyond the bound is cut off and is an error.
// - One connection, closed at the end: such pages are read once.
import { isIPv6 } from "node:net";
import { Client } from "undici";
import { exchange } from "../connection/http/exchange.ts";

export interface TextRequest {
  /** IPv4 or IPv6, without brackets. */
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface TextResponse {
  readonly status: number;
  readonly text: string;
}

/** @throws ConnectionError where there is no whole page, or it is too large; or the signal's reason */
export type FetchText = (request: TextRequest) => Promise<TextResponse>;

export const fetchText: FetchText = async ({ address, port, path, timeoutMs, maxBytes, signal }) => {
  const host = isIPv6(address) ? `[${address}]` : address;
  const client = new Client(`http://${host}:${port}`, { maxResponseSize: maxBytes, pipelining: 0 });
  try {
    const headers = { accept: "text/plain" };
    const { status, body } = await exchange(client, { method: "GET", path, headers, timeoutMs, signal });
    return { status, text: body };
  } finally {
    await client.destroy();
  }
};
