// What the controllers are made of: handed to the operator from outside, and shared between its controllers.
import type { MeasuredOverhead } from "../api/measured-overheads.ts";
import type { KubeClient } from "../kube/client.ts";
import type { Applier } from "../runtime/controller/applier.ts";
import type { Cache } from "../runtime/cache/cache.ts";
import type { Clock } from "../runtime/clock.ts";
import type { EventRecorder } from "../runtime/process/events.ts";
import type { Logger } from "../runtime/logger.ts";
import type { GetPage } from "../runtime/get-page.ts";
import type { MetricsRegistry, RuntimeMetrics } from "../runtime/metrics.ts";
import type { WriteTracker } from "../runtime/cache/write-tracker.ts";
import type { Caches } from "./caches.ts";
import type { Informers } from "./informers.ts";
import type { PoolRooms } from "./pool-rooms.ts";

export interface OperatorOptions {
  /** Fenced: it refuses to write once leadership is in doubt. */
  readonly client: KubeClient;
  readonly cache: Cache;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: RuntimeMetrics;
  /** For what the operator measures of Llamas; the registry behind `metrics`. */
  readonly registry: MetricsRegistry;
  /** How pods are asked for their engine's metrics; absent where they are not to be asked. */
  readonly getPage?: GetPage;
  /** Overheads of running engines that planning goes by. */
  readonly measuredOverheads: readonly MeasuredOverhead[];
  readonly newId: () => string;
  /** LlamaDeployments reconciled side by side. */
  readonly workers: number;
}

export interface ControllerParts extends OperatorOptions {
  readonly informers: Informers;
  readonly caches: Caches;
  readonly rooms: PoolRooms;
  readonly applier: Applier;
  readonly tracker: WriteTracker;
}
