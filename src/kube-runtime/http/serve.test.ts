import { createServer as createHttpServer, get } from "node:http";
import { createServer } from "node:net";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { closeServer, listen } from "./serve.ts";

const loopback = { host: "127.0.0.1" };

test("a server without a port gets a free one, and says which", async () => {
  const server = createServer((socket) => socket.end());
  onTestFinished(async () => closeServer(server));
  const port = await listen(server, loopback);
  expect(port).toBeGreaterThan(0);
  expect(server.address()).toMatchObject({ address: "127.0.0.1", port });
});

test("a port that another has is the system's error", async () => {
  const [first, second] = [createServer(), createServer()];
  onTestFinished(async () => closeServer(first));
  const port = await listen(first, loopback);
  await expect(listen(second, { ...loopback, port })).rejects.toThrow("EADDRINUSE");
  await closeServer(second);
  // It did not take the error to heart: the port is free now, and it can have it.
  await closeServer(first);
  expect(await listen(second, { ...loopback, port })).toBe(port);
  await closeServer(second);
});

test("closing cuts what is being answered", async () => {
  const asked = Promise.withResolvers<void>();
  const server = createHttpServer(() => asked.resolve());
  const port = await listen(server, loopback);
  const request = get({ ...loopback, port });
  await asked.promise;
  const [[error]] = await Promise.all([once(request, "error"), closeServer(server)]);
  expect(error).toMatchObject({ code: "ECONNRESET" });
  expect(server.listening).toBe(false);
});
