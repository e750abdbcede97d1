// Stands between a client and the API server, so that a test sees every request and decides what becomes of it and
// of its answer. Speaks plain HTTP on a loopback address; the client's own credentials are handed on.
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Agent } from "undici";
import { closeServer, listen } from "@llama-operator/kube-runtime/http";
import { parse, stringify } from "yaml";
import type { ClusterFacts } from "../../local/cluster/options.ts";

export interface ApiRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

export interface ApiReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Bytes, or a string that is sent as they are; of a watch, lines for as long as it lasts. */
  readonly body: string | AsyncIterable<Uint8Array | string>;
}

/** Answers a request; `cut` closes the connection without an answer. */
export type ApiHandler = (request: ApiRequest) => Promise<ApiReply | "cut">;

export interface ApiServerProxy extends AsyncDisposable {
  /** Of the proxy. */
  readonly kubeconfig: string;
  /** Closes it with every connection, as if the network had gone. What was handed on may still take effect. */
  close(): Promise<void>;
}

/** Hands requests on to the API server itself. Shared by all proxies of a cluster, which are its users. */
export class Upstream implements AsyncDisposable {
  readonly #agent: Agent;
  readonly #origin: string;

  private constructor(origin: string, ca: string) {
    this.#origin = origin;
    this.#agent = new Agent({ connect: { ca }, bodyTimeout: 0, headersTimeout: 0 });
  }

  static async to(cluster: Pick<ClusterFacts, "server" | "caFile">): Promise<Upstream> {
    return new Upstream(cluster.server, await readFile(cluster.caFile, "utf8"));
  }

  readonly forward = async (request: ApiRequest): Promise<ApiReply> => {
    const { method, path, body, signal } = request;
    const { host: _, connection: __, "content-length": ___, ...headers } = request.headers;
    const answer = await this.#agent.request({
      origin: this.#origin,
      path,
      method,
      headers,
      body: body === "" ? null : body,
      signal,
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.body };
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}

/** Starts a proxy whose requests `handle` answers. */
export async function startApiServerProxy(
  cluster: Pick<ClusterFacts, "kubeconfigPath" | "stateDir">,
  handle: ApiHandler,
): Promise<ApiServerProxy> {
  const server = createServer((request, response) => {
    serve(handle, request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  const port = await listen(server, { host: "127.0.0.1" });
  const close = async (): Promise<void> => closeServer(server);
  return {
    kubeconfig: await writeKubeconfig(cluster, port),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function serve(handle: ApiHandler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET", url: path = "/", headers } = request;
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = Buffer.concat(parts).toString("utf8");
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const reply = await handle({ method, path, headers, body, signal: gone.signal });
  if (reply === "cut") {
    response.destroy();
    return;
  }
  response.writeHead(reply.status, reply.headers);
  if (typeof reply.body === "string") response.end(reply.body);
  else await pipeline(reply.body, response, { signal: gone.signal });
}

interface Kubeconfig {
  clusters: { cluster: Record<string, string | boolean> }[];
}

async function writeKubeconfig(
  { kubeconfigPath, stateDir }: Pick<ClusterFacts, "kubeconfigPath" | "stateDir">,
  port: number,
): Promise<string> {
  const config = parse(await readFile(kubeconfigPath, "utf8")) as Kubeconfig;
  const server = `http://127.0.0.1:${port}`;
  // The library that reads kubeconfigs refuses plain HTTP otherwise; there is no TLS to verify.
  for (const each of config.clusters) each.cluster = { server, "insecure-skip-tls-verify": true };
  const path = join(stateDir, `proxy-${port}.kubeconfig`);
  await writeFile(path, stringify(config), { mode: 0o600 });
  return path;
}
