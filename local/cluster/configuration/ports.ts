// Free ports at an address that only this cluster uses: no other program can take one between the check and the use.

import { once } from "node:events";
import { createServer } from "node:net";

import { type ClusterPorts } from "../options.ts";

/** The preferred ports, each raised past what some program of this machine holds on all addresses. */
export async function freePorts(address: string, preferred: ClusterPorts): Promise<ClusterPorts> {
  const taken = new Set<number>();
  const free = async (port: number): Promise<number> => {
    const found = await firstFree(address, port, taken);
    taken.add(found);
    return found;
  };
  return {
    etcdClient: await free(preferred.etcdClient),
    etcdPeer: await free(preferred.etcdPeer),
    apiServer: await free(preferred.apiServer),
    controllerManager: await free(preferred.controllerManager),
    scheduler: await free(preferred.scheduler),
    kwok: await free(preferred.kwok),
    leaderWorkerSetHealth: await free(preferred.leaderWorkerSetHealth),
    leaderWorkerSetWebhook: await free(preferred.leaderWorkerSetWebhook),
    serviceProxy: await free(preferred.serviceProxy),
  };
}

async function firstFree(address: string, from: number, taken: ReadonlySet<number>): Promise<number> {
  let port = from;
  while (taken.has(port) || !(await isFree(address, port))) {
    port += 1;
  }
  return port;
}

async function isFree(address: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host: address, port, exclusive: true });
    await once(server, "listening");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      return false;
    }
    throw error;
  }
  server.close();
  await once(server, "close");
  return true;
}
