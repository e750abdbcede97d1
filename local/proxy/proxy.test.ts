import { createServer, request, type RequestListener } from "node:http";
import { connect } from "node:net";
import { closeServer, listen } from "@llama-operator/kube-runtime/http";
import { afterEach, describe, expect, test } from "vitest";
import type { Pod } from "../kubelet/pod.ts";
import { ServiceProxy } from "./proxy.ts";
import { backendsOf } from "./routing.ts";
import type { Service } from "./service.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server that plays a pod's engine. */
async function backend(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  closers.push(async () => closeServer(server));
  return listen(server, { host: "127.0.0.1" });
}

function service(targetPort: number | string, port = 80): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "llama", namespace: "models", uid: "s", resourceVersion: "1" },
    spec: { selector: { app: "llama" }, ports: [{ port, targetPort }] },
  };
}

function pod(
  name: string,
  port: number,
  extra: { readonly ready?: boolean; readonly ending?: boolean; readonly app?: string } = {},
): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "models",
      uid: name,
      resourceVersion: "1",
      labels: { app: extra.app ?? "llama" },
      ...(extra.ending === true ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: { containers: [{ name: "engine", ports: [{ name: "http", containerPort: port }] }] },
    status: {
      podIP: "127.0.0.1",
      conditions: [{ type: "Ready", status: extra.ready === false ? "False" : "True" }],
    },
  };
}

/** A proxy before the given Services and pods, and a way to ask through it. */
async function proxy(
  services: readonly Service[],
  pods: readonly Pod[],
): Promise<
  (url: string, init?: { method?: string; body?: string }) => Promise<{ status: number; body: string }>
> {
  const byName = new Map(services.map((each) => [`${each.metadata.namespace}/${each.metadata.name}`, each]));
  const server = new ServiceProxy({
    backends: (name, port) => backendsOf(name, port, byName, pods),
    ready: () => services.length > 0,
  });
  const port = await server.listen(0);
  closers.push(() => server.close());
  return (url, init = {}) =>
    new Promise((resolve, reject) => {
      const { host } = new URL(url, "http://proxy");
      const outgoing = request(
        { host: "127.0.0.1", port, path: url, method: init.method ?? "GET", headers: { host } },
        (response) => {
          let body = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => (body += chunk));
          response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
          response.once("error", reject);
        },
      );
      outgoing.once("error", reject);
      outgoing.end(init.body);
    });
}

describe("the proxy", () => {
  test("leads from a Service's name to a ready pod's named port, with path, query, host and body as they were", async () => {
    const port = await backend((incoming, response) => {
      incoming.setEncoding("utf8");
      let body = "";
      incoming.on("data", (chunk: string) => (body += chunk));
      incoming.on("end", () =>
        response.end(JSON.stringify([incoming.method, incoming.url, incoming.headers.host, body])),
      );
    });
    const ask = await proxy([service("http")], [pod("a", port)]);
    expect(await ask("http://llama.models.svc/v1/models?x=1", { method: "POST", body: "hello" })).toEqual({
      status: 200,
      body: JSON.stringify(["POST", "/v1/models?x=1", "llama.models.svc", "hello"]),
    });
    expect((await ask("http://llama.models.svc.cluster.local:80/")).status).toBe(200);
  });

  test("takes pods in turns, and none that is unready, ending or of another selector", async () => {
    const ports = await Promise.all(
      ["a", "b", "c"].map((name) => backend((_, response) => response.end(name))),
    );
    const [a = 0, b = 0, c = 0] = ports;
    const ask = await proxy(
      [service("http")],
      [
        pod("a", a),
        pod("b", b),
        pod("c", c, { ready: false }),
        pod("d", c, { ending: true }),
        pod("e", c, { app: "other" }),
      ],
    );
    const answers: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) answers.push((await ask("http://llama.models.svc/")).body);
    expect(answers).toEqual(["a", "b", "a", "b"]);
  });

  test("passes a stream on as it comes, and hangs up on the pod when its client does", async () => {
    let hungUp = false;
    const port = await backend((incoming, response) => {
      response.write("first");
      incoming.socket.once("close", () => (hungUp = true));
    });
    const server = new ServiceProxy({
      backends: () => [{ address: "127.0.0.1", port, pod: "a" }],
      ready: () => true,
    });
    const proxyPort = await server.listen(0);
    closers.push(() => server.close());
    const first = await new Promise<string>((resolve, reject) => {
      const outgoing = request(
        { host: "127.0.0.1", port: proxyPort, path: "http://llama.models.svc/" },
        (response) => {
          response.once("data", (chunk: Buffer) => {
            resolve(chunk.toString());
            outgoing.destroy();
          });
        },
      );
      outgoing.once("error", reject);
      outgoing.end();
    });
    expect(first).toBe("first");
    await expect.poll(() => hungUp).toBe(true);
  });

  test.each([
    [
      "no Service of that name",
      "http://other.models.svc/",
      502,
      "no such Service: models/other (in a cluster the name would not resolve)",
    ],
    [
      "no such port",
      "http://llama.models.svc:81/",
      502,
      "Service models/llama has no port 81 (in a cluster: connection timed out)",
    ],
    [
      "no ready pod",
      "http://llama.models.svc/",
      503,
      "Service models/llama has no ready pod (in a cluster: connection refused)",
    ],
    [
      "a name outside",
      "http://example.com/",
      502,
      "example.com is not a Service of this cluster: <service>.<namespace>.svc is",
    ],
    [
      "a request that is not for a proxy",
      "/v1/models",
      400,
      "this is a proxy: ask it for http://<service>.<namespace>.svc/…",
    ],
  ])("says in one line that there is %s", async (_, url, status, line) => {
    const ask = await proxy([service("http")], [pod("a", 1, { ready: false })]);
    expect(await ask(url)).toEqual({ status, body: `${line}\n` });
  });

  test("reports a pod that refuses, and does not try another", async () => {
    const port = await backend((_, response) => response.end("alive"));
    const ask = await proxy([service("http")], [pod("a", 1), pod("b", port)]);
    const refused = await ask("http://llama.models.svc/");
    expect(refused.status).toBe(502);
    expect(refused.body).toMatch(/^pod a at 127\.0\.0\.1:1: connect ECONNREFUSED/);
    expect((await ask("http://llama.models.svc/")).body).toBe("alive");
  });

  test("opens a tunnel to a Service, and to nothing else", async () => {
    const port = await backend((_, response) => response.end("through"));
    const server = new ServiceProxy({
      backends: () => [{ address: "127.0.0.1", port, pod: "a" }],
      ready: () => true,
    });
    const proxyPort = await server.listen(0);
    closers.push(() => server.close());
    const tunnel = (target: string): Promise<string> =>
      new Promise((resolve) => {
        let received = "";
        const socket = connect(proxyPort, "127.0.0.1", () =>
          socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n\r\n`),
        );
        socket.on("data", (chunk) => {
          received += chunk.toString();
          if (received.endsWith("established\r\n\r\n"))
            socket.write("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        });
        socket.once("close", () => resolve(received));
      });
    expect(await tunnel("llama.models.svc:80")).toMatch(/200 Connection established[^]*through/);
    expect(await tunnel("example.com:443")).toMatch(/^HTTP\/1\.1 502/);
  });

  test("tells whether it knows the cluster yet", async () => {
    expect((await (await proxy([service("http")], []))("/readyz")).status).toBe(200);
    expect((await (await proxy([], []))("/readyz")).status).toBe(503);
  });
});
