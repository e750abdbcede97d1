import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SelfSignedCertificate } from "@llama-operator/kube-runtime/certificates";
import { ApiError } from "@llama-operator/kube-runtime/client";
import { silentLogger } from "@llama-operator/kube-runtime";
import { FakeClock, InMemoryKubeClient, type Call } from "@llama-operator/kube-runtime/testing";
import { ServingCertificates } from "./certificates.ts";
import {
  CertificatePublisher,
  webhookConfigurations,
  type ValidatingWebhookConfiguration,
} from "./publisher.ts";

const name = "llama-operator";
const day = 86_400_000;

let client: InMemoryKubeClient;
let clock: FakeClock;
let end: AbortController;
let running: Promise<void>[];

beforeEach(() => {
  client = new InMemoryKubeClient();
  clock = new FakeClock();
  end = new AbortController();
  running = [];
});

afterEach(async () => {
  end.abort(new Error("the test is over"));
  await Promise.all(running);
});

const service = { namespace: "system", name: "llama-operator-webhook" };

function configuration(clientConfig: object = { service }): ValidatingWebhookConfiguration {
  const webhook = { name: "validate.llama-operator.dev", clientConfig, failurePolicy: "Ignore" };
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name },
    webhooks: [webhook],
  };
}

function start(owner: string): { publisher: CertificatePublisher; served: SelfSignedCertificate[] } {
  const served: SelfSignedCertificate[] = [];
  const publisher = new CertificatePublisher({
    client,
    name,
    certificates: new ServingCertificates({ owner }),
    serve: (certificate) => served.push(certificate),
    clock,
    random: () => 0,
    logger: silentLogger,
  });
  running.push(publisher.run(end.signal));
  return { publisher, served };
}

function bundle(): readonly string[] {
  const [webhook] = client.peek(webhookConfigurations, { name })?.webhooks ?? [];
  const text = Buffer.from(webhook?.clientConfig.caBundle ?? "", "base64").toString();
  return text.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];
}

const owners = () => bundle().map((pem) => new X509Certificate(pem).subject);

const failWith =
  (code: number, reason: string, matches: (call: Call) => boolean) =>
  (call: Call): void => {
    if (matches(call)) throw new ApiError(call.verb, { code, reason });
  };

describe("the certificate of a webhook", () => {
  test("is for the Service that the configuration names, and changes nothing but caBundle", async () => {
    client.put(webhookConfigurations, configuration());
    const { publisher, served } = start("a");
    expect(publisher.waiting).toBe("its certificate is not published yet");
    await clock.advance(0);
    expect(publisher.waiting).toBeUndefined();
    expect(bundle()).toEqual(served.map(({ cert }) => cert));
    expect(new X509Certificate(served[0]?.cert ?? "").subjectAltName).toBe(
      "DNS:llama-operator-webhook.system.svc",
    );
    const live = client.peek(webhookConfigurations, { name });
    const caBundle = live?.webhooks?.[0]?.clientConfig.caBundle;
    expect(live?.webhooks).toEqual(configuration({ service, caBundle }).webhooks);
  });

  test("is for the host of a URL", async () => {
    client.put(webhookConfigurations, configuration({ url: "https://[::1]:9443/validate" }));
    const { served } = start("a");
    await clock.advance(0);
    expect(new X509Certificate(served[0]?.cert ?? "").subjectAltName).toBe("IP Address:0:0:0:0:0:0:0:1");
  });

  test("is written once, and then nothing is at rest", async () => {
    client.put(webhookConfigurations, configuration());
    start("a");
    await clock.advance(day);
    expect(client.writes).toHaveLength(1);
  });

  test("stands beside those of other replicas", async () => {
    client.put(webhookConfigurations, configuration());
    start("a");
    start("b");
    await clock.advance(1000);
    expect(owners().toSorted()).toEqual(["CN=a", "CN=b"]);
    expect(client.openWatches).toBe(2);
  });

  test("is put back when somebody takes it out", async () => {
    client.put(webhookConfigurations, configuration());
    start("a");
    start("b");
    await clock.advance(1000);
    client.put(webhookConfigurations, configuration());
    await clock.advance(0);
    expect(owners().toSorted()).toEqual(["CN=a", "CN=b"]);
  });

  test("is followed by the next one, published hours before it is served", async () => {
    client.put(webhookConfigurations, configuration());
    const { served } = start("a");
    await clock.advance(4.5 * day);
    expect(served).toHaveLength(1);
    await clock.advance(day / 4);
    expect(served).toHaveLength(1);
    const [first, second] = bundle();
    expect(first).toBe(served[0]?.cert);
    await clock.advance(day / 2);
    expect(served.map(({ cert }) => cert)).toEqual([first, second]);
    // A month on, what has expired is gone.
    await clock.advance(30 * day);
    expect(served).toHaveLength(8);
    expect(bundle().length).toBeLessThanOrEqual(2);
    expect(bundle()).toContain(served.at(-1)?.cert);
  });

  test("is made again when the Service changes", async () => {
    client.put(webhookConfigurations, configuration());
    const { served } = start("a");
    await clock.advance(0);
    const other = { ...service, namespace: "elsewhere" };
    client.put(webhookConfigurations, configuration({ service: other }));
    await clock.advance(0);
    expect(new X509Certificate(served.at(-1)?.cert ?? "").subjectAltName).toContain(".elsewhere.svc");
    expect(bundle()).toContain(served.at(-1)?.cert);
  });
});

describe("publishing", () => {
  test("waits for a configuration that comes late, without holding readiness up", async () => {
    const { publisher } = start("a");
    await clock.advance(day);
    expect(publisher.waiting).toBeUndefined();
    expect(client.calls.length).toBeLessThan(400);
    client.put(webhookConfigurations, configuration());
    await clock.advance(0);
    expect(owners()).toEqual(["CN=a"]);
  });

  test("gives way to whoever wrote first, and adds to what they wrote", async () => {
    const live = client.put(webhookConfigurations, configuration());
    let interferes = true;
    client.intercept = ({ verb }) => {
      if (verb !== "patch" || !interferes) return;
      interferes = false;
      client.put(webhookConfigurations, { ...live, metadata: { name, labels: { edited: "yes" } } });
    };
    start("a");
    await clock.advance(0);
    expect(owners()).toEqual(["CN=a"]);
    expect(client.peek(webhookConfigurations, { name })?.metadata.labels).toEqual({ edited: "yes" });
  });

  test("goes on trying while the API server is away, and readiness waits", async () => {
    client.put(webhookConfigurations, configuration());
    client.intercept = failWith(503, "ServiceUnavailable", () => true);
    const { publisher } = start("a");
    await clock.advance(10_000);
    expect(publisher.waiting).toBeDefined();
    client.intercept = () => undefined;
    await clock.advance(60_000);
    expect(publisher.waiting).toBeUndefined();
    expect(owners()).toEqual(["CN=a"]);
  });

  test("that is forbidden leaves the operator ready: it works without its webhook", async () => {
    client.put(webhookConfigurations, configuration());
    client.intercept = failWith(403, "Forbidden", ({ verb }) => verb === "patch");
    const { publisher } = start("a");
    await clock.advance(0);
    expect(publisher.waiting).toBeUndefined();
    await clock.advance(day / 24);
    expect(client.calls.filter(({ verb }) => verb === "patch").length).toBeLessThan(100);
  });
});
