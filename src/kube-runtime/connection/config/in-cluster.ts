// The service account that Kubernetes mounts into every pod. Read here rather than by the client library: the
// common case then loads none of it, and the token is trimmed and re-read instead of kept.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ClusterConfig } from "./cluster-config.ts";
import { ConfigError } from "../../client/errors.ts";

const serviceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * @param env holds KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, which every pod is given.
 * @throws ConfigError where there is no service account.
 */
export async function inClusterConfig(
  env: Readonly<Record<string, string | undefined>>,
  directory = serviceAccountDirectory,
): Promise<ClusterConfig> {
  const host = env["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = env["KUBERNETES_SERVICE_PORT"] ?? "443";
  const read = async (file: string): Promise<string> => {
    try {
      return (await readFile(join(directory, file), "utf8")).trim();
    } catch (cause) {
      throw new ConfigError(`cannot read the service account's ${file}`, { cause });
    }
  };
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    namespace: (await read("namespace")) || "default",
    async credentials() {
      const [ca, token] = await Promise.all([read("ca.crt"), read("token")]);
      return { tls: { ca }, headers: { authorization: `Bearer ${token}` } };
    },
  };
}
