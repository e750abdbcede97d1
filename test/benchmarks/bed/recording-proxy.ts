// Stands between an operator and the API server, hands everything through and remembers every write to the byte: what
// the bare loop then sends again.
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Agent, type Dispatcher } from "undici";
import { parse, stringify } from "yaml";
import type { LocalCluster } from "../../../local/cluster/options.ts";
import type { RecordedRequest } from "./bare-loop.ts";

export interface RecordingProxy extends AsyncDisposable {
  /** Of the proxy: an operator with it is recorded. */
  readonly kubeconfig: string;
  /** Every write that the API server accepted, Leases aside, in the order in which they were sent. */
  readonly recorded: readonly RecordedRequest[];
}

interface Kubeconfig {
  clusters: { cluster: Record<string, string | boolean> }[];
}

/** Starts a proxy in front of the cluster's API server; it speaks plain HTTP on a loopback address. */
export async function startRecordingProxy(cluster: LocalCluster): Promise<RecordingProxy> {
  const ca = await readFile(cluster.caFile, "utf8");
  const upstream = new Agent({ connect: { ca }, bodyTimeout: 0, headersTimeout: 0 });
  const recorded: RecordedRequest[] = [];
  const server = createServer((request, response) => {
    forward(cluster.server, upstream, request, response, recorded).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    kubeconfig: await writeKubeconfig(cluster, `http://127.0.0.1:${port}`),
    recorded,
    [Symbol.asyncDispose]: async () => close(server, upstream),
  };
}

async function writeKubeconfig(cluster: LocalCluster, server: string): Promise<string> {
  const config = parse(await readFile(cluster.kubeconfigPath, "utf8")) as Kubeconfig;
  // The library that reads kubeconfigs refuses plain HTTP otherwise; there is no TLS to verify.
  for (const each of config.clusters) each.cluster = { server, "insecure-skip-tls-verify": true };
  const path = join(cluster.stateDir, "recording-proxy.kubeconfig");
  await writeFile(path, stringify(config), { mode: 0o600 });
  return path;
}

async function forward(
  origin: string,
  upstream: Dispatcher,
  request: IncomingMessage,
  response: ServerResponse,
  recorded: RecordedRequest[],
): Promise<void> {
  const { method = "GET", url = "/", headers } = request;
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = Buffer.concat(parts).toString("utf8");
  const { host: _, connection: __, "content-length": ___, ...passed } = headers;
  const isWrite = method !== "GET" && !url.includes("/leases");
  const at = recorded.length;
  if (isWrite) recorded.push({ method, path: url, contentType: headers["content-type"] ?? "", body });
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const answer = await upstream.request({
    origin,
    path: url,
    method,
    headers: passed,
    body: body === "" ? null : body,
    signal: gone.signal,
  });
  if (isWrite && answer.statusCode >= 300) {
    throw new Error(`request ${at} of the recording was refused: ${method} ${url}: ${answer.statusCode}`);
  }
  response.writeHead(answer.statusCode, answer.headers);
  await pipeline(answer.body, response, { signal: gone.signal });
}

async function close(server: Server, upstream: Agent): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await Promise.all([closed, upstream.destroy()]);
}
