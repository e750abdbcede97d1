import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { loadClusterConfig } from "./config.ts";
import { ConfigError } from "../../client/errors.ts";
import { inClusterConfig } from "./in-cluster.ts";

// The first load of the client library takes its time on a busy machine; no test should be charged with it.
beforeAll(async () => {
  await import("@kubernetes/client-node/dist/config.js");
}, 60_000);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubeconfig-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

interface Parts {
  readonly cluster?: Record<string, unknown>;
  readonly user?: Record<string, unknown>;
  readonly context?: Record<string, unknown>;
}

async function kubeconfig(name: string, { cluster, user, context }: Parts): Promise<string> {
  const file = join(folder, name);
  const document = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server: `https://${name}.example`, ...cluster } }],
    users: [{ name, user: { ...user } }],
    contexts: [{ name, context: { cluster: name, user: name, ...context } }],
    "current-context": name,
  };
  // JSON is YAML.
  await writeFile(file, JSON.stringify(document));
  return file;
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("a kubeconfig", () => {
  test("gives server, namespace and TLS material", async () => {
    const file = await kubeconfig("one", {
      cluster: { "certificate-authority-data": base64("CA"), "tls-server-name": "api" },
      user: { "client-certificate-data": base64("CERT"), "client-key-data": base64("KEY") },
      context: { namespace: "a" },
    });
    const config = await loadClusterConfig({ kubeconfig: file, env: {} });
    expect(config).toMatchObject({ server: "https://one.example", namespace: "a" });
    expect(await config.credentials({ fresh: false })).toEqual({
      tls: { ca: "CA", cert: "CERT", key: "KEY", servername: "api", rejectUnauthorized: undefined },
      headers: {},
    });
  });

  test("gives a token or a password as the header that carries it", async () => {
    const token = await kubeconfig("token", { user: { token: "abc" } });
    const password = await kubeconfig("password", { user: { username: "u", password: "p" } });
    const headers = async (file: string): Promise<unknown> => {
      const config = await loadClusterConfig({ kubeconfig: file, env: {} });
      return (await config.credentials({ fresh: false })).headers;
    };
    expect(await headers(token)).toEqual({ authorization: "Bearer abc" });
    expect(await headers(password)).toEqual({ authorization: `Basic ${base64("u:p")}` });
  });

  test("runs an exec plugin, and runs it again when its token was refused", async () => {
    const counter = join(folder, "count");
    const script = `echo x >> ${counter}; n=$(wc -l < ${counter}); echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"token-'$n'"}}'`;
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "sh", args: ["-c", script] };
    const config = await loadClusterConfig({
      kubeconfig: await kubeconfig("exec", { user: { exec } }),
      env: {},
    });
    const tokens: (string | undefined)[] = [];
    for (const fresh of [false, false, true]) {
      tokens.push((await config.credentials({ fresh })).headers["authorization"]);
    }
    expect(tokens).toEqual(["Bearer token-1", "Bearer token-1", "Bearer token-2"]);
  });

  test("may be spread over several files, and the context chosen", async () => {
    const files = [await kubeconfig("one", {}), await kubeconfig("two", {})];
    const env = { KUBECONFIG: files.join(":") };
    expect((await loadClusterConfig({ env })).server).toBe("https://one.example");
    expect((await loadClusterConfig({ env, context: "two" })).server).toBe("https://two.example");
    await expect(loadClusterConfig({ env, context: "three" })).rejects.toThrow("no context named three");
  });

  test("that is missing or broken is a ConfigError that names it", async () => {
    const missing = join(folder, "missing");
    await expect(loadClusterConfig({ kubeconfig: missing, env: {} })).rejects.toThrow(missing);
    await writeFile(join(folder, "broken"), "{");
    await expect(loadClusterConfig({ kubeconfig: join(folder, "broken"), env: {} })).rejects.toBeInstanceOf(
      ConfigError,
    );
  });
});

describe("in a cluster", () => {
  const env = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" };

  test("the service account's files are read anew each time, and trimmed", async () => {
    for (const [name, text] of [
      ["namespace", "operators"],
      ["ca.crt", "CA"],
      ["token", "one\n"],
    ] as const) {
      await writeFile(join(folder, name), text);
    }
    const config = await inClusterConfig(env, folder);
    expect(config).toMatchObject({ server: "https://[fd00::1]:443", namespace: "operators" });
    expect((await config.credentials({ fresh: false })).headers).toEqual({ authorization: "Bearer one" });
    await writeFile(join(folder, "token"), "two\n");
    expect((await config.credentials({ fresh: false })).headers).toEqual({ authorization: "Bearer two" });
  });

  test("a missing service account is said", async () => {
    await expect(inClusterConfig(env, folder)).rejects.toThrow("cannot read the service account's namespace");
  });
});

test("without any cluster, it is said what to do", async () => {
  await expect(loadClusterConfig({ env: { HOME: folder } })).rejects.toThrow("--kubeconfig");
});
