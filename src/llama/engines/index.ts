// The public names of @llama-operator/llama/engines. Other parts can import these and nothing else.
export type { Engine, EngineContainer, EngineServing, EnvironmentVariable, Rank } from "./engine.ts";
export type { KvCacheReport } from "./kv-cache-report.ts";
export { maxMetricsPageBytes } from "./prometheus-series.ts";
export { engineFor } from "./registry.ts";
