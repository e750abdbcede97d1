// Follows redirects one by one, each as a request of its own.
//
// Why not undici's `redirect` interceptor (8.12): it reads the body of every redirect to its end, however long that is,
// and counts it nowhere; it follows HTTPS to HTTP; and once it has left an origin it sends no token when it comes back.
import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import { InspectionError } from "../errors.ts";

/** The hub answers a renamed repository with one redirect, and a large file with another. */
const maxRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

/** The first answer that is no redirect. `send` decides for each address what it may be told. */
export async function followRedirects(
  { url: first, name }: { readonly url: URL; readonly name: string },
  send: (url: URL) => Promise<Dispatcher.ResponseData>,
): Promise<Dispatcher.ResponseData> {
  let url = first;
  for (let hops = 0; hops <= maxRedirects; hops += 1) {
    const response = await send(url);
    if (!redirects.has(response.statusCode)) return response;
    discard(response);
    url = nextUrl(name, url, response.headers.location);
  }
  throw new InspectionError("unreachable", `${name}: more than ${maxRedirects} redirects`);
}

/** Where a redirect leads; never from HTTPS to HTTP, nor to what is no web address. */
export function nextUrl(name: string, from: URL, location: string | string[] | undefined): URL {
  const given = single(location);
  const url = given === undefined ? null : URL.parse(given, from.href);
  const safe =
    url !== null && (url.protocol === "https:" || (url.protocol === "http:" && from.protocol === "http:"));
  if (safe) return url;
  throw new InspectionError(
    "unreachable",
    `${name}: ${from.host} redirects to an address that is not followed`,
  );
}

/** Hangs up: the rest of a body is of no interest, and reading it could take for ever. */
export function discard({ body }: Dispatcher.ResponseData): void {
  body.on("error", () => undefined);
  body.destroy();
}

/** The value of a header, the first where it came twice. */
export const single = (value: IncomingHttpHeaders[string]): string | undefined =>
  Array.isArray(value) ? value[0] : value;
