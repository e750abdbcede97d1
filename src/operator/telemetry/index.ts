// The public names of @llama-operator/operator/telemetry. Other parts can import these and nothing else.
export { type LogLevel, createLogger } from "./logger.ts";
export { PrometheusRegistry } from "./metrics.ts";
