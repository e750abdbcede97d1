// A TCP port for a process that must be told its port before it starts.
import { createServer } from "node:net";
import { closeServer, listen } from "@llama-operator/kube-runtime/http";

/** A port of 127.0.0.1 that nothing listens on now; the next program to listen there has it. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, { host: "127.0.0.1" });
  await closeServer(server);
  return port;
}
