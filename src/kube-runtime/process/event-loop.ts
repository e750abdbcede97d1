// Watches for stalls of the event loop. One long turn delays the Lease, the probes and every answer; it has to be
// seen in numbers before it is felt as a lost leadership.
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Gauge } from "../metrics.ts";

export interface EventLoopMonitorOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The longest stall of the last period, in seconds. */
  readonly gauge: Gauge;
  /** A stall this long is logged. Default 1000. */
  readonly alarmMs?: number;
}

const periodMs = 10_000;
const resolutionMs = 20;

/** Measures until the signal is aborted. */
export async function monitorEventLoop(options: EventLoopMonitorOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, gauge, alarmMs = 1000 } = options;
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  try {
    while (!signal.aborted) {
      await clock.sleep(periodMs, signal);
      const stallMs = Math.max(delay.max / 1e6 - resolutionMs, 0);
      delay.reset();
      gauge.set(stallMs / 1000);
      if (stallMs >= alarmMs) logger.warn("the event loop stalled", { stallMs: Math.round(stallMs) });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    delay.disable();
  }
}
