// The public names of @llama-operator/kube-runtime. Other parts can import these and nothing else.
export { orAborted, untilAborted } from "./abort.ts";
export { Backoff } from "./backoff.ts";
export { type CancelTimer, type Clock, systemClock } from "./clock.ts";
export { type LogFields, type Logger, silentLogger } from "./logger.ts";
export {
  type Counter,
  type Family,
  type GaugeFamily,
  type Histogram,
  type InstrumentSpec,
  type Labels,
  type MetricsRegistry,
  RuntimeMetrics,
  type WebhookMetrics,
  noMetrics,
} from "./metrics.ts";
export { formatMicroTime, formatTime } from "./timestamps.ts";
