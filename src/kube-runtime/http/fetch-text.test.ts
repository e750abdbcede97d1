import { createServer, type RequestListener } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { ConnectionError } from "../client/errors.ts";
import { fetchText, type TextRequest } from "./fetch-text.ts";
import { closeServer, listen } from "./serve.ts";

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  onTestFinished(async () => closeServer(server));
  return listen(server, { host: "127.0.0.1" });
}

const get = async (port: number, over: Partial<TextRequest> = {}) =>
  fetchText({
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
  if (error instanceof ConnectionError) return error.code;
  throw new Error("not a ConnectionError", { cause: error });
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
  expect(await codeOf(get(port))).toBe("truncated");
});

test("an address where nothing listens is an error of the connection", async () => {
  const port = await serve(() => undefined);
  expect(await codeOf(get(port, { address: "127.0.0.2" }))).toBe("connect");
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

test("an IPv6 address is asked as it is written", async () => {
  const server = createServer((_request, response) => response.end("six"));
  onTestFinished(async () => closeServer(server));
  const port = await listen(server, { host: "::1" });
  expect((await get(port, { address: "::1" })).text).toBe("six");
});

test("no connection is left open", async () => {
  const server = createServer((_request, response) => response.end("page"));
  onTestFinished(async () => closeServer(server));
  const port = await listen(server, { host: "127.0.0.1" });
  const closed = new Promise<void>((resolve) => {
    server.on("connection", (socket) => socket.on("close", () => resolve()));
  });
  await get(port);
  await closed;
});
