// How to reach an AKS cluster, as a kubeconfig that holds no credential: kubelogin proves who asks, when asked.
import { parse } from "yaml";
import type { AksCluster } from "../config/cluster.ts";
import { execKubeconfig } from "../../exec-kubeconfig.ts";

/** The program that a kubeconfig of AKS with Entra calls. */
export const aksLoginPlugin = "kubelogin";

/** AKS' own application in Entra, the same for every cluster. Source: azure.github.io/kubelogin/concepts/aks.html. */
const aksServerId = "6dae42f8-4368-4678-94ff-3960e28e3630";

export interface AksEndpoint {
  /** URL of the API server. */
  readonly server: string;
  /** The cluster's certificate authority, PEM in base64; public. */
  readonly certificateAuthority: string;
}

/** Server and authority in the kubeconfig that AKS gives to users, in base64; nothing else of it is kept. */
export function aksEndpoint(userKubeconfig: string): AksEndpoint {
  const text = Buffer.from(userKubeconfig, "base64").toString("utf8");
  const { clusters } = parse(text) as {
    readonly clusters: readonly {
      readonly cluster: { readonly server: string; readonly "certificate-authority-data": string };
    }[];
  };
  const [first] = clusters;
  if (first === undefined) throw new Error("AKS gave a kubeconfig without a cluster");
  return {
    server: first.cluster.server,
    certificateAuthority: first.cluster["certificate-authority-data"],
  };
}

/** A kubeconfig as JSON, which YAML is a superset of: the same facts give the same text. */
export function aksKubeconfig(
  { name, login, tenant }: Pick<AksCluster, "name" | "login" | "tenant">,
  { server, certificateAuthority }: AksEndpoint,
): string {
  const ofTenant = tenant === undefined ? [] : ["--tenant-id", tenant];
  const exec = {
    command: aksLoginPlugin,
    args: ["get-token", "--login", login, "--server-id", aksServerId, ...ofTenant],
    env: null,
    interactiveMode: "IfAvailable",
  };
  return JSON.stringify(execKubeconfig({ name, server, certificateAuthority, exec }));
}
