// How to reach an EKS cluster, as a kubeconfig that holds no credential: who asks is proved by the AWS CLI, when asked.
import { execKubeconfig } from "../../exec-kubeconfig.ts";

export interface EksAccess {
  readonly name: string;
  readonly region: string;
  readonly profile?: string;
  /** URL of the API server. */
  readonly endpoint: string;
  /** The cluster's certificate authority, PEM in base64; public. */
  readonly certificateAuthority: string;
}

/** The program that a kubeconfig of EKS calls. */
export const eksLoginPlugin = "aws";

/** A kubeconfig as JSON, which YAML is a superset of: the same facts give the same text. */
export function eksKubeconfig(access: EksAccess): string {
  const { name, region, profile, endpoint, certificateAuthority } = access;
  const args = ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"];
  const env = profile === undefined ? null : [{ name: "AWS_PROFILE", value: profile }];
  const exec = { command: eksLoginPlugin, args, env, interactiveMode: "IfAvailable" };
  return JSON.stringify(execKubeconfig({ name, server: endpoint, certificateAuthority, exec }));
}
