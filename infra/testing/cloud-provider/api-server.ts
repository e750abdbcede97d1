// The local API server, which stands for that of every managed cluster: where it is, and who may use it.

import { readFileSync } from "node:fs";

import { parse } from "yaml";

import type { ApiServer } from "./cloud.ts";

/** Where a double finds the kubeconfig of the local cluster's administrator. */
export const clusterVariable = "LLAMA_OPERATOR_CLOUD_KUBECONFIG";

export interface LocalApiServer extends ApiServer {
  readonly kubeconfigPath: string;
  /** What the stand-ins of the clouds' login plugins print. */
  readonly token: string;
}

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly "certificate-authority-data": string };
  }[];
  readonly users: readonly { readonly user: { readonly token: string } }[];
}

/** @throws Error where the variable names no kubeconfig of a local cluster */
export function localApiServer(environment: Readonly<Record<string, string | undefined>>): LocalApiServer {
  const kubeconfigPath = environment[clusterVariable];
  if (kubeconfigPath === undefined) {
    throw new Error(`${clusterVariable} must name the kubeconfig of the local cluster`);
  }
  const { clusters, users } = parse(readFileSync(kubeconfigPath, "utf8")) as Kubeconfig;
  const [cluster, user] = [clusters[0]?.cluster, users[0]?.user];
  if (cluster === undefined || user === undefined) {
    throw new Error(`${kubeconfigPath} is no kubeconfig of a local cluster`);
  }
  return {
    kubeconfigPath,
    host: new URL(cluster.server).host,
    certificateAuthority: cluster["certificate-authority-data"],
    token: user.token,
  };
}
