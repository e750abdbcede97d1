// Starting and ending a server, for whatever speaks HTTP, TLS or plain TCP.
import { once } from "node:events";
import type { Server } from "node:net";

export interface ListenAddress {
  /** A free one by default. */
  readonly port?: number | undefined;
  /** All addresses by default. */
  readonly host?: string | undefined;
}

/** Starts to accept connections. Returns the port. @throws the system's error where the address cannot be had */
export async function listen(server: Server, { port = 0, host }: ListenAddress = {}): Promise<number> {
  server.listen({ port, host });
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("a TCP server has a port");
  return bound.port;
}

/** Accepts nothing more and cuts what is open; returns at once where the server does not listen. */
export async function closeServer(server: Server & { closeAllConnections?(): void }): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections?.();
  await closed;
}
