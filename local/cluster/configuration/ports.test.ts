import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { preferredPorts } from "./layout.ts";
import { freePorts } from "./ports.ts";

// An address that no cluster and no other test uses.
const address = "127.255.77.1";

test("free ports are the preferred ones", async () => {
  expect(await freePorts(address, preferredPorts)).toEqual(preferredPorts);
});

test("a port that is taken is passed over, and no port is given twice", async () => {
  const server = createServer();
  server.listen({ host: address, port: preferredPorts.etcdClient });
  await once(server, "listening");
  const ports = await freePorts(address, preferredPorts);
  server.close();
  await once(server, "close");
  expect(ports.etcdClient).toBeGreaterThan(preferredPorts.etcdClient);
  expect(new Set(Object.values(ports)).size).toBe(Object.values(ports).length);
});
