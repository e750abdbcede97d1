// A client for one local cluster, as its administrator unless another kubeconfig is given.

import { loadClusterConfig, KubeConnection, HttpKubeClient } from "@llama-operator/kube-runtime/connection";

/** Closes its connections when disposed of. */
export interface ClusterClient extends AsyncDisposable {
  readonly client: HttpKubeClient;
}

export async function clusterClient(kubeconfigPath: string): Promise<ClusterClient> {
  const config = await loadClusterConfig({ kubeconfig: kubeconfigPath, env: {} });
  const connection = new KubeConnection(config, { userAgent: "llama-operator-local" });
  return {
    client: new HttpKubeClient(connection),
    [Symbol.asyncDispose]: async () => connection.close(),
  };
}
