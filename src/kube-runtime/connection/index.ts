// The public names of @llama-operator/kube-runtime/connection. Other parts can import these and nothing else.
export { type ConfigSource, loadClusterConfig } from "./config/config.ts";
export { KubeConnection } from "./http/connection.ts";
export { type HttpClientOptions, HttpKubeClient } from "./http/http-client.ts";
export type { WatchEvent } from "./http/watch.ts";
