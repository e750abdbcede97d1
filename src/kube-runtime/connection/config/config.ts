// Where the API server is and how to prove who we are. Credentials are a function, not a value: tokens are
// rotated on disk, exec plugins hand out short-lived ones, and certificates are renewed while we run.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { ConfigError } from "../../client/errors.ts";
import { inClusterConfig } from "./in-cluster.ts";
import { readKubeconfig } from "./kubeconfig.ts";

/** PEM material and checks of the TLS connection. */
export interface TlsMaterial {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
  /** False only where the kubeconfig says `insecure-skip-tls-verify`. */
  readonly rejectUnauthorized?: boolean | undefined;
}

export interface Credentials {
  readonly tls: TlsMaterial;
  /** `authorization` and, where the kubeconfig impersonates, its headers. Never log these. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ClusterConfig {
  /** `https://host:port`, with a path prefix where the API server is behind one. */
  readonly server: string;
  /** The namespace of the context or of the pod; `default` where neither says. */
  readonly namespace: string;
  readonly proxyUrl?: string | undefined;
  /**
   * Reads the credentials as they are now. `fresh` is set after a 401: forget what a plugin or file said.
   * @throws ConfigError when they cannot be had.
   */
  credentials(options: { readonly fresh: boolean }): Promise<Credentials>;
}

export interface ConfigSource {
  /** `--kubeconfig`: wins over everything. */
  readonly kubeconfig?: string | undefined;
  /** `--context`: instead of the current context. */
  readonly context?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Finds the cluster as controller-runtime does: the file given, `$KUBECONFIG` (may name several files), the
 * service account of the pod we run in, `~/.kube/config`.
 * @throws ConfigError when there is none or it cannot be read.
 */
export async function loadClusterConfig(source: ConfigSource): Promise<ClusterConfig> {
  const { env } = source;
  if (source.kubeconfig !== undefined) return readKubeconfig([source.kubeconfig], source.context);
  const named = (env["KUBECONFIG"] ?? "").split(delimiter).filter((file) => file !== "");
  if (named.length > 0) return readKubeconfig(named, source.context);
  if (env["KUBERNETES_SERVICE_HOST"] !== undefined && source.context === undefined) {
    return inClusterConfig(env);
  }
  const home = join(env["HOME"] ?? "", ".kube", "config");
  if (env["HOME"] !== undefined && existsSync(home)) return readKubeconfig([home], source.context);
  throw new ConfigError(
    "no cluster: give --kubeconfig, set KUBECONFIG, create ~/.kube/config, or run inside a cluster",
  );
}
