// A kubeconfig that logs in by Google's plugin: it holds no token, so that state and outputs hold none.
import { stringify } from "yaml";
import { execKubeconfig } from "../../exec-kubeconfig.ts";

/** The program that kubectl, Helm and Pulumi log in to GKE with. */
export const gkeLoginPlugin = "gke-gcloud-auth-plugin";

export interface GkeAccess {
  readonly project: string;
  readonly region: string;
  readonly name: string;
  /** URL of the API server. */
  readonly server: string;
  /** Base64. */
  readonly certificateAuthority: string;
}

/** The name that `gcloud container clusters get-credentials` gives. */
export const gkeContext = ({ project, region, name }: Omit<GkeAccess, "server" | "certificateAuthority">) =>
  `gke_${project}_${region}_${name}`;

export function gkeKubeconfig(access: GkeAccess): string {
  const { server, certificateAuthority } = access;
  const exec = {
    command: gkeLoginPlugin,
    provideClusterInfo: true,
    interactiveMode: "Never",
    installHint: "Install it with: gcloud components install gke-gcloud-auth-plugin",
  };
  return stringify(execKubeconfig({ name: gkeContext(access), server, certificateAuthority, exec }));
}
