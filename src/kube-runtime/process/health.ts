// The HTTP endpoints that a kubelet and Prometheus ask: /healthz (the event loop turns), /readyz (able to serve, on a
// standby too) and /metrics. Plain HTTP, GET only, nothing about the cluster beyond what they are for.
import { createServer, type Server, type ServerResponse } from "node:http";
import { closeServer, listen } from "../http/serve.ts";

/** Undefined when well, else what is being waited for. */
export type HealthCheck = () => string | undefined;

export interface HealthServerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Default: all addresses. */
  readonly host?: string | undefined;
  readonly live?: Readonly<Record<string, HealthCheck>>;
  readonly ready: Readonly<Record<string, HealthCheck>>;
  /** The metrics page and its content type. */
  readonly metrics?: (() => Promise<{ readonly contentType: string; readonly text: string }>) | undefined;
}

export class HealthServer {
  readonly #options: HealthServerOptions;
  readonly #server: Server;

  constructor(options: HealthServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
      this.#answer(request.method ?? "GET", path, response).catch((error: unknown) => {
        response.writeHead(500, textPlain).end(error instanceof Error ? error.message : "failed");
      });
    });
    // A probe that connects and says nothing must not hold a socket for ever.
    this.#server.requestTimeout = 10_000;
  }

  /** Starts to answer. Returns the port. */
  async listen(): Promise<number> {
    const port = await listen(this.#server, this.#options);
    // A connection that cannot be accepted fails the probe that it came from, which says enough.
    this.#server.on("error", () => undefined);
    return port;
  }

  async close(): Promise<void> {
    await closeServer(this.#server);
  }

  async #answer(method: string, path: string, response: ServerResponse): Promise<void> {
    if (method !== "GET" && method !== "HEAD") {
      response.writeHead(405, textPlain).end("only GET\n");
      return;
    }
    const { live = {}, ready, metrics } = this.#options;
    if (path === "/healthz" || path === "/livez") report(live, response);
    else if (path === "/readyz") report(ready, response);
    else if (path === "/metrics" && metrics !== undefined) {
      const { contentType, text } = await metrics();
      response.writeHead(200, { "content-type": contentType }).end(text);
    } else response.writeHead(404, textPlain).end("not found\n");
  }
}

const textPlain = { "content-type": "text/plain; charset=utf-8" } as const;

function report(checks: Readonly<Record<string, HealthCheck>>, response: ServerResponse): void {
  const lines: string[] = [];
  let isWell = true;
  for (const [name, check] of Object.entries(checks)) {
    const trouble = check();
    if (trouble !== undefined) isWell = false;
    lines.push(trouble === undefined ? `[+]${name} ok\n` : `[-]${name} ${trouble}\n`);
  }
  response.writeHead(isWell ? 200 : 503, textPlain).end(isWell ? "ok\n" : lines.join(""));
}
