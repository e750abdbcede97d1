// A kubeconfig whose only means to prove who asks is a program that it calls: it holds no credential, so that state and
// outputs hold none.

export interface ExecKubeconfigArgs {
  /** Of context, cluster and user. */
  readonly name: string;
  /** URL of the API server. */
  readonly server: string;
  /** The cluster's certificate authority, PEM in base64; public. */
  readonly certificateAuthority: string;
  /** The program that logs in, as client.authentication.k8s.io/v1beta1 has it. */
  readonly exec: { readonly command: string; readonly interactiveMode: string } & Readonly<
    Record<string, unknown>
  >;
}

export function execKubeconfig({ name, server, certificateAuthority, exec }: ExecKubeconfigArgs): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server, "certificate-authority-data": certificateAuthority } }],
    users: [{ name, user: { exec: { apiVersion: "client.authentication.k8s.io/v1beta1", ...exec } } }],
  };
}
