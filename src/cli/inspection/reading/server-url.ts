// The address of a hub, a mirror or a registry, as a user gives it.
import { InspectionError, quoted } from "../errors.ts";

/** Reads an address. @throws InspectionError for what is no http or https address without a user. */
export function parseServerUrl(text: string): URL {
  const url = URL.parse(text);
  const usable = url !== null && (url.protocol === "https:" || url.protocol === "http:");
  if (!usable)
    throw new InspectionError(
      "target",
      `${quoted(text)}: not a server's address, such as https://hub.example.com`,
    );
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new InspectionError(
      "target",
      `${url.host}: give the server's address alone, without user, query or fragment`,
    );
  }
  return url;
}

/** `path` on that server, below the path that a mirror may have. */
export function under(server: URL, path: string): URL {
  return new URL(`${server.href.replace(/\/+$/, "")}${path}`);
}

/** Whether what is sent can be read on its way: plain HTTP to another machine. */
export function isExposed({ protocol, hostname }: URL): boolean {
  return protocol === "http:" && !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}
