// The public names of @llama-operator/llama/engines. Other parts can import these and nothing else.
export type { Engine, EngineContainer, EngineServing, EnvironmentVariable, Rank } from "./engine.ts";
export type { EngineLoad } from "./metrics/engine-load.ts";
export type { KvCacheReport } from "./metrics/kv-cache-report.ts";
export { type MetricsPage, maxMetricsPageBytes, readMetricsPage } from "./metrics/prometheus-text.ts";
export { engineFor } from "./registry.ts";
