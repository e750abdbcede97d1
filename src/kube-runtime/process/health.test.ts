import { afterEach, expect, test } from "vitest";
import { HealthServer } from "./health.ts";

let server: HealthServer | undefined;
afterEach(async () => {
  await server?.close();
});

async function ask(path: string, method = "GET"): Promise<string> {
  const port = await server?.listen();
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  const text = await response.text();
  await server?.close();
  return `${response.status} ${text}`;
}

test("says what is not ready, and why", async () => {
  let waitingFor: string | undefined = "pods/v1";
  server = new HealthServer({
    port: 0,
    host: "127.0.0.1",
    ready: { caches: () => waitingFor, shutdown: () => undefined },
  });
  expect(await ask("/readyz")).toBe("503 [-]caches pods/v1\n[+]shutdown ok\n");
  waitingFor = undefined;
  expect(await ask("/readyz?verbose")).toBe("200 ok\n");
  expect(await ask("/healthz")).toBe("200 ok\n");
});

test("serves metrics where there are some, and nothing else", async () => {
  const metrics = async () => ({ contentType: "text/plain", text: "up 1\n" });
  server = new HealthServer({ port: 0, host: "127.0.0.1", ready: {}, metrics });
  expect(await ask("/metrics")).toBe("200 up 1\n");
  expect(await ask("/secrets")).toBe("404 not found\n");
  expect(await ask("/metrics", "POST")).toBe("405 only GET\n");
});

test("says that its port is taken", async () => {
  server = new HealthServer({ port: 0, host: "127.0.0.1", ready: {} });
  const port = await server.listen();
  const second = new HealthServer({ port, host: "127.0.0.1", ready: {} });
  await expect(second.listen()).rejects.toThrow("EADDRINUSE");
});
