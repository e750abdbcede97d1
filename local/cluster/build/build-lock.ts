// One build at a time on this machine. The lock is an abstract socket: the kernel drops it when its holder
// ends, however it ends, so that no lock is ever stale; and waiting is a connection that closes.

import { once } from "node:events";
import { createServer, connect, type Server, type Socket } from "node:net";

export interface BuildLock extends AsyncDisposable {
  readonly name: string;
}

/**
 * Takes the lock, waiting for the process that holds it. `onWait` is told once per holder, with its process id.
 */
export async function takeBuildLock(
  name: string,
  onWait: (holderPid: number) => void,
  signal?: AbortSignal,
): Promise<BuildLock> {
  const address = `\0llama-operator/build/${name}`;
  for (;;) {
    signal?.throwIfAborted();
    const waiting = new Set<Socket>();
    const server = createServer((socket) => {
      waiting.add(socket);
      socket.on("close", () => waiting.delete(socket));
      socket.on("error", () => socket.destroy());
      socket.write(`${process.pid}\n`);
    });
    if (await listens(server, address)) {
      return {
        name,
        async [Symbol.asyncDispose]() {
          const closed = once(server, "close");
          server.close();
          for (const socket of waiting) {
            socket.destroy();
          }
          await closed;
        },
      };
    }
    await waitForHolder(address, onWait, signal);
  }
}

async function listens(server: Server, address: string): Promise<boolean> {
  try {
    server.listen({ path: address });
    await once(server, "listening");
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      return false;
    }
    throw error;
  }
}

async function waitForHolder(
  address: string,
  onWait: (holderPid: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect({ path: address });
    const giveUp = () => socket.destroy();
    signal?.addEventListener("abort", giveUp, { once: true });
    socket.once("data", (said) => onWait(Number.parseInt(said.toString(), 10)));
    // A holder that has just gone refuses the connection: try the lock again.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      signal?.removeEventListener("abort", giveUp);
      resolve();
    });
  });
}
