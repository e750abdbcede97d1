// The options that say which cluster a command talks to, as kubectl names them, and the client they lead to.
import type { Command } from "commander";
import {
  loadClusterConfig,
  type ConfigSource,
  KubeConnection,
  HttpKubeClient,
} from "@llama-operator/kube-runtime/connection";
import type { KubeClient } from "@llama-operator/kube-runtime/client";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";

export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly kubeContext?: string;
}

/** Adds `--kubeconfig` and `--kube-context`, which Helm calls so too: a model has a context as well. */
export function withClusterOptions(command: Command): Command {
  return command
    .option("--kubeconfig <file>", "kubeconfig; else $KUBECONFIG, the pod's account, ~/.kube/config")
    .option("--kube-context <name>", "context of the kubeconfig; else its current one");
}

/** Where the options say that the configuration is. */
export function configSource({ kubeconfig, kubeContext }: ClusterOptions, { env }: Terminal): ConfigSource {
  return { kubeconfig, context: kubeContext, env };
}

export interface ClusterConnection {
  readonly client: KubeClient;
  /** For messages: `https://127.0.0.1:6443`. */
  readonly server: string;
}

/**
 * Calls `use` with a client of the cluster and closes its connections afterwards.
 * @throws ConfigError when no cluster is configured; whatever `use` throws.
 */
export async function withCluster<T>(
  options: ClusterOptions,
  terminal: Terminal,
  settings: { readonly requestTimeoutMs: number },
  use: (connection: ClusterConnection) => Promise<T>,
): Promise<T> {
  const config = await loadClusterConfig(configSource(options, terminal));
  const connection = new KubeConnection(config, { userAgent: `llama-operator-cli/${version}` });
  try {
    const client = new HttpKubeClient(connection, { ...settings, maxRetryWaitMs: 0 });
    return await use({ client, server: config.server });
  } finally {
    await connection.close();
  }
}
