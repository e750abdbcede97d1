// kubeconfig files, with everything that people put in them: exec plugins, OIDC, client certificates, proxies.
// The client library reads them; it is loaded only when a kubeconfig is used, because it costs 0.5 s and 60 MB
// where it is not bundled.
import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import type { ClusterConfig, Credentials } from "./cluster-config.ts";
import { ConfigError } from "../../client/errors.ts";

/** Reads and merges `files`, first one first, as kubectl does. @throws ConfigError */
export async function readKubeconfig(
  files: readonly string[],
  context: string | undefined,
): Promise<ClusterConfig> {
  let current = await load(files, context);
  const cluster = current.getCurrentCluster();
  if (cluster === null) {
    throw new ConfigError(
      `${files.join(", ")}: no cluster for context ${current.getCurrentContext() || "(none set)"}`,
    );
  }
  return {
    server: cluster.server,
    namespace: current.getContextObject(current.getCurrentContext())?.namespace ?? "default",
    proxyUrl: cluster.proxyUrl,
    async credentials({ fresh }) {
      // A plugin's answer without an expiry is cached for ever by the library: a new instance forgets it.
      if (fresh) current = await load(files, context);
      return readCredentials(current);
    },
  };
}

async function load(files: readonly string[], context: string | undefined): Promise<KubeConfig> {
  // Deep import: the package's index loads 880 generated classes that are not needed to authenticate.
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  const [first, ...others] = files.map((file) => {
    const config = new KubeConfig();
    try {
      config.loadFromFile(file);
    } catch (cause) {
      throw new ConfigError(`cannot read kubeconfig ${file}`, { cause });
    }
    return config;
  });
  if (first === undefined) throw new ConfigError("no kubeconfig given");
  for (const other of others) first.mergeConfig(other, true);
  if (context !== undefined) {
    if (first.getContextObject(context) === null) throw new ConfigError(`no context named ${context}`);
    first.setCurrentContext(context);
  }
  return first;
}

async function readCredentials(config: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    throw new ConfigError("cannot get credentials from the kubeconfig", { cause });
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    // Token files end in a newline, which HTTP forbids in a header.
    headers[name.toLowerCase()] = String(value).trim();
  }
  if (typeof options.auth === "string") {
    headers["authorization"] = `Basic ${Buffer.from(options.auth).toString("base64")}`;
  }
  const pem = (value: unknown): string | undefined =>
    Buffer.isBuffer(value) || typeof value === "string" ? value.toString() : undefined;
  return {
    tls: {
      ca: pem(options.ca),
      cert: pem(options.cert),
      key: pem(options.key),
      servername: options.servername,
      rejectUnauthorized: options.rejectUnauthorized,
    },
    headers,
  };
}
