import { request as httpsRequest, Agent, type RequestOptions } from "node:https";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { selfSignedCertificate, type SelfSignedCertificate } from "@llama-operator/kube-runtime/certificates";
import {
  systemClock,
  silentLogger,
  type LogFields,
  type Logger,
  RuntimeMetrics,
} from "@llama-operator/kube-runtime";
import { PrometheusRegistry } from "../telemetry/metrics.ts";
import { allow, type AdmissionDecision } from "./admission-review.ts";
import { AdmissionServer, validatePath } from "./server.ts";

let server: AdmissionServer;
let port: number;
let certificate: SelfSignedCertificate;
let agent: Agent;
let decision: () => Promise<AdmissionDecision>;
let registry: PrometheusRegistry;
let logged: { readonly message: string; readonly fields: LogFields | undefined }[];

const localCertificate = (): SelfSignedCertificate =>
  selfSignedCertificate({
    commonName: "test",
    names: ["127.0.0.1"],
    notBeforeMs: Date.now() - 1000,
    notAfterMs: Date.now() + 60_000,
  });

beforeEach(async () => {
  decision = async () => allow;
  registry = new PrometheusRegistry();
  logged = [];
  const log = (message: string, fields?: LogFields): void => void logged.push({ message, fields });
  const logger: Logger = { ...silentLogger, info: log, error: log };
  server = new AdmissionServer({
    port: 0,
    host: "127.0.0.1",
    review: async () => decision(),
    clock: systemClock,
    metrics: new RuntimeMetrics(registry).webhook(validatePath),
    logger,
  });
  certificate = localCertificate();
  server.use(certificate);
  port = await server.listen();
  agent = new Agent({ keepAlive: true, ca: certificate.cert });
});

afterEach(async () => {
  agent.destroy();
  await server.close();
});

interface Reply {
  readonly code: number;
  readonly body: string;
  readonly servedBy: string;
  readonly isReused: boolean;
}

type AskOptions = Omit<RequestOptions, "headers"> & { readonly headers?: Record<string, string | number> };

async function ask(body: string | Buffer, options: AskOptions = {}): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const headers = { "content-type": "application/json", ...options.headers };
  const request = httpsRequest(
    { host: "127.0.0.1", port, path: validatePath, method: "POST", agent, ...options, headers },
    (response) => {
      const parts: Buffer[] = [];
      const socket = response.socket as TLSSocket;
      const servedBy = socket.getPeerX509Certificate()?.toString() ?? "";
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => {
        const isReused = request.reusedSocket;
        const text = Buffer.concat(parts).toString();
        resolve({ code: response.statusCode ?? 0, body: text, servedBy, isReused });
      });
    },
  );
  request.on("error", reject);
  request.end(body);
  return promise;
}

const admission = (more: object = {}) =>
  JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid: "705ab4f5",
      kind: { group: "llama-operator.dev", version: "v1alpha1", kind: "LlamaDeployment" },
      resource: { group: "llama-operator.dev", version: "v1alpha1", resource: "llamadeployments" },
      operation: "CREATE",
      namespace: "team",
      name: "llama",
      userInfo: { username: "somebody" },
      object: { apiVersion: "llama-operator.dev/v1alpha1", kind: "LlamaDeployment", secret: "hf_abc" },
      oldObject: null,
      dryRun: false,
      ...more,
    },
  });

describe("a review", () => {
  test("that is allowed is answered under its own uid", async () => {
    const { code, body } = await ask(admission());
    expect(code).toBe(200);
    expect(JSON.parse(body)).toEqual({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid: "705ab4f5", allowed: true },
    });
  });

  test("carries warnings", async () => {
    decision = async () => ({ allowed: true, warnings: ["it waits"] });
    const { body } = await ask(admission());
    expect(JSON.parse(body)).toMatchObject({ response: { allowed: true, warnings: ["it waits"] } });
  });

  test("that is refused says why, and is logged without the object", async () => {
    decision = async () => ({ allowed: false, reason: "DoesNotFit", message: "too big" });
    const { code, body } = await ask(admission());
    expect(code).toBe(200);
    expect(JSON.parse(body)).toMatchObject({
      response: {
        allowed: false,
        status: { code: 403, reason: "Forbidden", message: "DoesNotFit: too big" },
      },
    });
    const fields = { kind: "LlamaDeployment", namespace: "team", name: "llama", operation: "CREATE" };
    expect(logged).toEqual([{ message: "refused", fields: { ...fields, reason: "DoesNotFit" } }]);
    expect(JSON.stringify(logged)).not.toContain("hf_abc");
  });

  test("that fails is a 500, and the next one is answered", async () => {
    decision = async () => Promise.reject(new Error("a bug"));
    expect((await ask(admission())).code).toBe(500);
    decision = async () => allow;
    expect((await ask(admission())).code).toBe(200);
  });
});

describe("what is no review", () => {
  test.each([
    ["another path", "{}", { path: "/other" }, 404],
    ["another method", "", { method: "GET" }, 405],
    ["another type", "{}", { headers: { "content-type": "text/plain" } }, 415],
    ["no JSON", "{", {}, 400],
    ["another version", admission().replace("/v1", "/v1beta1"), {}, 400],
    ["no request", JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" }), {}, 400],
    ["an object that is a list", admission({ object: [] }), {}, 400],
  ])("%s is turned away", async (_what, body, options, code) => {
    expect((await ask(body, options)).code).toBe(code);
  });

  test("more than 3 MiB is turned away, said or unsaid", async () => {
    const big = Buffer.alloc(3 * 2 ** 20 + 1, " ");
    expect((await ask(big, { headers: { "content-length": big.length } })).code).toBe(413);
    expect((await ask(big, { headers: { "transfer-encoding": "chunked" } })).code).toBe(413);
    expect((await ask(admission())).code).toBe(200);
  });
});

test("a new certificate is for new connections; open ones go on", async () => {
  expect(await ask(admission())).toMatchObject({ code: 200, servedBy: certificate.cert });
  const next = localCertificate();
  server.use(next);
  expect(await ask(admission())).toMatchObject({ code: 200, isReused: true });
  const fresh = new Agent({ ca: next.cert });
  expect(await ask(admission(), { agent: fresh })).toMatchObject({ code: 200, servedBy: next.cert });
});

test("closing finishes what is being answered", async () => {
  const { promise, resolve } = Promise.withResolvers<AdmissionDecision>();
  const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
  decision = async () => {
    isAsked();
    return promise;
  };
  const reply = ask(admission());
  await asked;
  const closed = server.close();
  resolve(allow);
  expect((await reply).code).toBe(200);
  await closed;
  await expect(ask(admission())).rejects.toThrow("ECONNREFUSED");
});

test("requests are counted under controller-runtime's names", async () => {
  await ask(admission());
  await ask("{");
  const { text } = await registry.page();
  expect(text).toContain('controller_runtime_webhook_requests_total{webhook="/validate",code="200"} 1');
  expect(text).toContain('controller_runtime_webhook_requests_total{webhook="/validate",code="400"} 1');
  expect(text).toContain('controller_runtime_webhook_requests_total{webhook="/validate",code="500"} 0');
  expect(text).toContain('controller_runtime_webhook_latency_seconds_count{webhook="/validate"} 2');
  expect(text).toContain('controller_runtime_webhook_requests_in_flight{webhook="/validate"} 0');
});
