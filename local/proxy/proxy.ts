// An HTTP forward proxy on loopback that stands for kube-proxy and DNS, so that `status.endpoint` works as it is:
// curl --proxy http://127.0.0.1:PORT http://llama-8b.default.svc/v1/models
// Both ways are streamed. A pod that refuses is reported and not retried: a client in a cluster would see it too.
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { closeServer, listen } from "@llama-operator/kube-runtime/http";
import { parseServiceHost, type ServiceName } from "./names.ts";
import type { Backend, NoBackend } from "./routing.ts";

export interface ProxyOptions {
  readonly backends: (service: ServiceName, port: number) => readonly Backend[] | NoBackend;
  /** Whether the caches behind `backends` are filled: what `GET /readyz` at the proxy itself answers. */
  readonly ready: () => boolean;
}

/** Headers of one hop, which a proxy does not pass on (RFC 9110, 7.6.1). */
const hopHeaders = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

export class ServiceProxy {
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #tunnels = new Set<Duplex>();
  readonly #turns = new Map<string, number>();

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => this.#forward(request, response));
    this.#server.on("connect", (request, socket: Duplex, head: Buffer) =>
      this.#tunnel(request, socket, head),
    );
  }

  /** @returns the port: the one given, or a free one for 0 */
  async listen(port: number, host = "127.0.0.1"): Promise<number> {
    return listen(this.#server, { host, port });
  }

  async close(): Promise<void> {
    const closed = closeServer(this.#server);
    for (const tunnel of this.#tunnels) tunnel.destroy();
    await closed;
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const target = URL.parse(request.url ?? "");
    if (target === null) {
      this.#answerItself(request, response);
      return;
    }
    const service = target.protocol === "http:" ? parseServiceHost(target.hostname) : undefined;
    if (service === undefined) {
      refuse(response, 502, `${target.host} is not a Service of this cluster: <service>.<namespace>.svc is`);
      return;
    }
    const backend = this.#pick(service, Number(target.port === "" ? 80 : target.port));
    if ("status" in backend) {
      refuse(response, backend.status, backend.message);
      return;
    }
    const outgoing = httpRequest({
      host: backend.address,
      port: backend.port,
      method: request.method,
      path: `${target.pathname}${target.search}`,
      headers: { ...endToEnd(request.headers), host: target.host },
      agent: false,
    });
    outgoing.once("response", (incoming) => {
      response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, endToEnd(incoming.headers));
      response.flushHeaders();
      incoming.pipe(response);
      incoming.on("error", () => response.destroy());
    });
    outgoing.on("error", (error) => {
      if (response.headersSent) response.destroy();
      else
        refuse(response, 502, `pod ${backend.pod} at ${backend.address}:${backend.port}: ${error.message}`);
    });
    response.once("close", () => outgoing.destroy());
    request.pipe(outgoing);
  }

  /** A request to the proxy and not through it. */
  #answerItself(request: IncomingMessage, response: ServerResponse): void {
    if (request.url === "/readyz") refuse(response, this.#options.ready() ? 200 : 503, "local cluster proxy");
    else refuse(response, 400, "this is a proxy: ask it for http://<service>.<namespace>.svc/…");
  }

  #tunnel(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { hostname = "", port = "" } = URL.parse(`http://${request.url ?? ""}`) ?? {};
    const service = parseServiceHost(hostname);
    const backend: Backend | NoBackend =
      service === undefined
        ? { status: 502, message: `${request.url ?? ""} is not a Service of this cluster` }
        : this.#pick(service, Number(port === "" ? 80 : port));
    this.#tunnels.add(socket);
    socket.once("close", () => this.#tunnels.delete(socket));
    socket.on("error", () => socket.destroy());
    if ("status" in backend) {
      socket.end(
        `HTTP/1.1 ${backend.status} No backend\r\ncontent-length: ${backend.message.length + 1}\r\n\r\n${backend.message}\n`,
      );
      return;
    }
    const upstream = connect({ host: backend.address, port: backend.port }, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
    upstream.on("error", () => {
      if (upstream.connecting) socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
      else socket.destroy();
    });
    socket.once("close", () => upstream.destroy());
  }

  /** In turns, so that a test sees every replica. */
  #pick(service: ServiceName, port: number): Backend | NoBackend {
    const backends = this.#options.backends(service, port);
    if ("status" in backends) return backends;
    const key = `${service.namespace}/${service.name}:${port}`;
    const turn = this.#turns.get(key) ?? 0;
    this.#turns.set(key, turn + 1);
    return backends[turn % backends.length] ?? { status: 503, message: "no ready pod" };
  }
}

function endToEnd(headers: IncomingMessage["headers"]): OutgoingHttpHeaders {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !hopHeaders.includes(name) && !named.includes(name)),
  );
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { "content-type": "text/plain" }).end(`${message}\n`);
}
