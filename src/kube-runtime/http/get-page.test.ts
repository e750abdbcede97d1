import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { getPage, PageError, type PageRequest } from "./get-page.ts";

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const get = async (port: number, over: Partial<PageRequest> = {}) =>
  getPage({
    address: "127.0.0.1",
    port,
    path: "/metrics",
    timeoutMs: 2000,
    maxBytes: 1000,
    signal: new AbortController().signal,
    ...over,
  });

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof PageError) return error.code;
  throw new Error("not a PageError", { cause: error });
}

test("a page comes with its status, whatever that is", async () => {
  const port = await serve((request, response) => {
    response.writeHead(401).end(`${request.method ?? ""} ${request.url ?? ""}`);
  });
  expect(await get(port)).toEqual({ status: 401, text: "GET /metrics" });
});

test("a redirect is not followed", async () => {
  const asked: string[] = [];
  const port = await serve((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(302, { location: "/elsewhere" }).end();
  });
  expect((await get(port)).status).toBe(302);
  expect(asked).toEqual(["/metrics"]);
});

test("a page of exactly the bound is read, and a longer one cut off", async () => {
  const port = await serve((request, response) => {
    response.end("x".repeat(Number(request.url?.slice(1))));
  });
  expect((await get(port, { path: "/1000" })).text).toHaveLength(1000);
  expect(await codeOf(get(port, { path: "/1001" }))).toBe("too-large");
});

test("an endless page is cut off, too", async () => {
  const port = await serve((_request, response) => {
    const more = setInterval(() => response.write("x".repeat(400)), 5);
    response.on("close", () => clearInterval(more));
  });
  expect(await codeOf(get(port))).toBe("too-large");
});

test("silence ends with the time-out, before or in the middle of the page", async () => {
  const silent = await serve(() => undefined);
  expect(await codeOf(get(silent, { timeoutMs: 50 }))).toBe("timeout");
  const slow = await serve((_request, response) => {
    response.write("half");
  });
  expect(await codeOf(get(slow, { timeoutMs: 50 }))).toBe("timeout");
});

test("a page that breaks off is no page", async () => {
  const port = await serve((_request, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half", () => response.destroy());
  });
  expect(await codeOf(get(port))).toBe("connection");
});

test("nobody there is an error of the connection", async () => {
  const port = await serve(() => undefined);
  expect(await codeOf(get(port, { address: "127.0.0.2" }))).toBe("connection");
});

test("an abort ends it at once, with its reason", async () => {
  const port = await serve(() => undefined);
  const stopping = new AbortController();
  const reason = new Error("stopping");
  const attempt = get(port, { signal: stopping.signal });
  setImmediate(() => stopping.abort(reason));
  await expect(attempt).rejects.toBe(reason);
  await expect(get(port, { signal: stopping.signal })).rejects.toBe(reason);
});
