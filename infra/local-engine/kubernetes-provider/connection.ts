// The cluster that a provider's configuration names: a client for objects and a kubeconfig file for Helm.

import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

import { loadClusterConfig, KubeConnection, HttpKubeClient } from "@llama-operator/kube-runtime/connection";
import type { ProviderConfiguration } from "./configuration.ts";
import type { HelmContext } from "./helm.ts";

export interface ProviderConnection {
  readonly client: HttpKubeClient;
  readonly helm: HelmContext;
  readonly defaultNamespace: string;
}

export async function connect(configuration: ProviderConfiguration): Promise<ProviderConnection> {
  const { context } = configuration;
  const kubeconfigPath = await kubeconfigFile(configuration.kubeconfig);
  const config = await loadClusterConfig({ kubeconfig: kubeconfigPath, context, env: {} });
  const connection = new KubeConnection(config, { userAgent: "pulumi-kubernetes-double" });
  return {
    client: new HttpKubeClient(connection),
    helm: { kubeconfigPath, context },
    defaultNamespace: configuration.namespace ?? connection.namespace,
  };
}

/** A kubeconfig may be a path or a text; a text becomes a file of this user alone, named by its content. */
async function kubeconfigFile(kubeconfig: string | undefined): Promise<string> {
  if (kubeconfig === undefined) {
    return process.env["KUBECONFIG"] ?? join(homedir(), ".kube", "config");
  }
  if (!kubeconfig.includes("\n") && !kubeconfig.trimStart().startsWith("{")) return kubeconfig;
  const folder = join(process.env["PULUMI_HOME"] ?? tmpdir(), "kubeconfigs");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, createHash("sha256").update(kubeconfig).digest("hex").slice(0, 16));
  await writeFile(path, kubeconfig, { mode: 0o600 });
  return path;
}
