// The HTTPS server that the API server asks: POST /validate with an AdmissionReview. Every bound is its own, because
// any client in the cluster's network can connect.
//
// Guarantees
// - A changed certificate is used for new connections; those that are open go on.
// - Closing finishes what is being answered, within `closeTimeoutMs`.
// - Nothing that a request holds is logged but the name of the object and the verdict.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { SelfSignedCertificate } from "@llama-operator/kube-runtime/certificates";
import type { Clock, Logger, WebhookMetrics } from "@llama-operator/kube-runtime";
import {
  readAdmissionReview,
  writeAdmissionReview,
  type AdmissionRequest,
  type AdmissionDecision,
} from "./admission-review.ts";

export const validatePath = "/validate";

export interface AdmissionServerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Default: all addresses. */
  readonly host?: string | undefined;
  readonly review: (request: AdmissionRequest) => Promise<AdmissionDecision>;
  readonly clock: Clock;
  readonly metrics: WebhookMetrics;
  readonly logger: Logger;
}

/** The API server takes no larger request itself (3 MiB), and a review holds two objects at most. */
const bodyLimitBytes = 3 * 2 ** 20;
/** Bounds the memory of bodies that are being read. */
const mostInFlight = 32;
/** An API server needs a few; there are a handful of API servers. */
const mostConnections = 256;
/** For a whole request to arrive; the API server gives up sooner. */
const requestTimeoutMs = 10_000;
/** Longer than the 90 s after which Go's clients close an idle connection, so that they, not we, close it. */
const keepAliveTimeoutMs = 120_000;
const closeTimeoutMs = 5000;

export class AdmissionServer {
  readonly #options: AdmissionServerOptions;
  readonly #server: Server;
  #inFlight = 0;
  #isClosing = false;

  constructor(options: AdmissionServerOptions) {
    this.#options = options;
    const tls = { minVersion: "TLSv1.3", handshakeTimeout: requestTimeoutMs } as const;
    this.#server = createServer(tls, (request, response) => {
      void this.#serve(request, response);
    });
    this.#server.maxConnections = mostConnections;
    this.#server.requestTimeout = requestTimeoutMs;
    this.#server.headersTimeout = requestTimeoutMs;
    this.#server.keepAliveTimeout = keepAliveTimeoutMs;
  }

  /** Accepts connections; until there is a certificate no handshake succeeds. Returns the port. */
  async listen(): Promise<number> {
    const { port, host } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen(port, host, resolve);
    await promise;
    this.#server.off("error", reject);
    this.#server.on("error", (error) => this.#options.logger.error("the webhook's server failed", { error }));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Uses this certificate for new connections. */
  use({ cert, key }: SelfSignedCertificate): void {
    this.#server.setSecureContext({ cert, key, minVersion: "TLSv1.3" });
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#isClosing = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeIdleConnections();
    const cancel = this.#options.clock.setTimeout(() => this.#server.closeAllConnections(), closeTimeoutMs);
    await promise;
    cancel();
  }

  /** Answers whatever comes; never rejects. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { clock, metrics } = this.#options;
    const startedMs = clock.monotonic();
    this.#inFlight += 1;
    metrics.inFlight.inc(1);
    const answer = await this.#answer(request).catch((error: unknown): Answer => {
      // A client that went away is nobody's failure, and hears no answer.
      if (!request.complete) return plain(400, "the request was cut");
      this.#options.logger.error("an admission request failed", { error });
      return plain(500, "failed");
    });
    this.#inFlight -= 1;
    metrics.inFlight.inc(-1);
    metrics.answered(answer.code).inc();
    metrics.latencySeconds.observe((clock.monotonic() - startedMs) / 1000);
    // A body that was not read to its end would be taken for the next request.
    const isLast = this.#isClosing || !request.complete;
    response.writeHead(answer.code, {
      "content-type": answer.contentType,
      ...(isLast ? { connection: "close" } : {}),
    });
    response.end(answer.body);
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const [path] = (request.url ?? "").split("?", 1);
    if (path !== validatePath) return plain(404, "not found");
    if (request.method !== "POST") return plain(405, "only POST");
    const [type] = (request.headers["content-type"] ?? "").split(";", 1);
    if (type?.trim().toLowerCase() !== "application/json") return plain(415, "only application/json");
    if (this.#inFlight > mostInFlight) return plain(503, "too many requests at once");
    const body = await readBody(request);
    if (body === undefined) return plain(413, `at most ${bodyLimitBytes} bytes`);
    const admission = readAdmissionReview(body);
    if (admission === undefined) return plain(400, "not an AdmissionReview of admission.k8s.io/v1");
    const decision = await this.#options.review(admission);
    if (!decision.allowed) this.#logRefusal(admission, decision.reason);
    return {
      code: 200,
      contentType: "application/json",
      body: writeAdmissionReview(admission, decision),
    };
  }

  #logRefusal({ kind, namespace, name, operation }: AdmissionRequest, reason: string): void {
    const fields = { kind: kind.kind, namespace, name, operation, reason };
    this.#options.logger.info("refused", fields);
  }
}

interface Answer {
  readonly code: number;
  readonly contentType: string;
  readonly body: string;
}

function plain(code: number, text: string): Answer {
  return { code, contentType: "text/plain; charset=utf-8", body: `${text}\n` };
}

/** Undefined where it is too long. @throws when the client goes away */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > bodyLimitBytes) return undefined;
  const parts: Buffer[] = [];
  let bytes = 0;
  const chunks: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bodyLimitBytes) return undefined;
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString("utf8");
}
