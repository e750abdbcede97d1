// Where the API server is and how to prove who we are: which of the usual places says it.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { ConfigError } from "../../client/errors.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import { inClusterConfig } from "./in-cluster.ts";
import { readKubeconfig } from "./kubeconfig.ts";

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
