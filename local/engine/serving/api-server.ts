// The HTTP side of the engine: routes, keys and errors as vLLM's API server has them. It listens only once the
// engine is ready; before that the address refuses connections, which is what probes and clients should see.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type CompletionKind, readCompletion, RequestError, type ServedModel } from "./completion.ts";
import { answerCompletion, engineDeadError } from "./completion-response.ts";
import type { EngineMetrics } from "./metrics.ts";
import type { Scheduler } from "./scheduler.ts";

export interface ApiServerOptions {
  readonly served: ServedModel;
  readonly modelRoot: string;
  readonly apiKeys: readonly string[];
  readonly maxQueuedRequests: number | undefined;
  readonly requestIdHeaders: boolean;
  readonly scheduler: Scheduler;
  readonly metrics: EngineMetrics;
  /** Unix time in seconds. */
  readonly unixSeconds: () => number;
  readonly newId: () => string;
  /** "hung" answers nothing; "dead" has lost its engine. */
  readonly state: () => "serving" | "hung" | "dead";
  /** A request met a dead engine: vLLM's server stops there and then. */
  readonly onDeadEngine: () => void;
  readonly log: (line: string) => void;
}

const vllmVersion = "0.32.0";

export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #server: Server;
  readonly #inFlight = new Set<Promise<void>>();

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      const handled = this.#handle(request, response).finally(() => this.#inFlight.delete(handled));
      this.#inFlight.add(handled);
    });
    this.#server.keepAliveTimeout = 5000;
  }

  /** @throws the system's error when the address cannot be bound */
  async listen(host: string, port: number): Promise<void> {
    this.#server.listen({ host, port });
    await once(this.#server, "listening");
    this.#options.log(`(APIServer pid=1) INFO [entry.py:140] Starting vLLM server on http://${host}:${port}`);
  }

  /** Takes no new connection and waits for the answers under way. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await Promise.all(this.#inFlight);
    this.#server.closeAllConnections();
    await closed;
  }

  /** Cuts every connection, as the end of the process would. */
  async destroy(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch (error) {
      const failure =
        error instanceof RequestError
          ? error
          : new RequestError(
              500,
              "InternalServerError",
              error instanceof Error ? error.message : String(error),
            );
      if (response.destroyed) return;
      if (response.headersSent) response.destroy();
      else sendJson(response, failure.status, failure.body);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://engine").pathname;
    const state = this.#options.state();
    if (state === "hung") {
      await new Promise<void>((resolve) => response.once("close", resolve));
      return;
    }
    if (path.startsWith("/v1") && !this.#isAuthorized(request)) {
      sendJson(response, 401, { error: "Unauthorized" });
      return;
    }
    const key = `${request.method ?? "GET"} ${path}`;
    switch (key) {
      case "GET /health":
      case "GET /ping":
      case "POST /ping":
        response.writeHead(state === "dead" ? 503 : 200).end();
        return;
      case "GET /version":
        sendJson(response, 200, { version: vllmVersion });
        return;
      case "GET /load":
        sendJson(response, 200, { server_load: this.#options.scheduler.unfinishedCount });
        return;
      case "GET /metrics": {
        const { contentType, body } = await this.#options.metrics.scrape();
        response.writeHead(200, { "content-type": contentType }).end(body);
        return;
      }
      case "GET /v1/models":
        sendJson(response, 200, this.#models());
        return;
      case "POST /v1/chat/completions":
        await this.#complete("chat", request, response);
        return;
      case "POST /v1/completions":
        await this.#complete("text", request, response);
        return;
      default:
        throw new RequestError(404, "NotFoundError", "Not Found");
    }
  }

  #isAuthorized(request: IncomingMessage): boolean {
    const { apiKeys } = this.#options;
    if (apiKeys.length === 0) return true;
    const [scheme = "", key = ""] = (request.headers.authorization ?? "").split(" ", 2);
    return scheme.toLowerCase() === "bearer" && apiKeys.includes(key);
  }

  #models(): object {
    const { served, modelRoot } = this.#options;
    return {
      object: "list",
      data: served.names.map((id) => ({
        id,
        object: "model",
        created: this.#options.unixSeconds(),
        owned_by: "vllm",
        root: modelRoot,
        parent: null,
        max_model_len: served.maxModelLen,
        permission: [],
      })),
    };
  }

  async #complete(kind: CompletionKind, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { served, scheduler, metrics, maxQueuedRequests, newId, requestIdHeaders } = this.#options;
    const completion = readCompletion(kind, await readJson(request), served);
    if (this.#options.state() === "dead") {
      this.#options.onDeadEngine();
      throw engineDeadError();
    }
    if (
      maxQueuedRequests !== undefined &&
      scheduler.unfinishedCount + completion.choices > maxQueuedRequests
    ) {
      metrics.recordRejection("max_num_queued_reqs");
      throw new RequestError(
        503,
        "Service Unavailable",
        "The engine is currently busy and cannot accept new requests. Please try again later or on a different instance.",
      );
    }
    const header = request.headers["x-request-id"];
    const requestId = typeof header === "string" && header !== "" ? header : newId();
    if (requestIdHeaders) response.setHeader("x-request-id", requestId);
    await answerCompletion(
      completion,
      requestId,
      this.#options.unixSeconds(),
      scheduler,
      response,
      (finish) => metrics.recordFinish(finish, completion.maxTokens, completion.choices),
    );
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new RequestError(400, "Bad Request", `1 validation error:\n  body: JSON decode error: ${detail}`);
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
