// A cluster as a connection needs to know it. Credentials are a function, not a value: tokens are rotated on disk, exec
// plugins hand out short-lived ones, and certificates are renewed while we run.

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
