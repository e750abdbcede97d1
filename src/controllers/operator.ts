// All controllers of the operator, wired to what they share: caches, the device use that pods make, the applier.
import type { KubeClient } from "../kube/client.ts";
import { Applier } from "../runtime/applier.ts";
import type { Cache } from "../runtime/cache.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Controller } from "../runtime/controller.ts";
import type { EventRecorder } from "../runtime/events.ts";
import type { Logger } from "../runtime/logger.ts";
import type { RuntimeMetrics } from "../runtime/metrics.ts";
import { WriteTracker } from "../runtime/write-tracker.ts";
import type { Caches } from "./caches.ts";
import { DeviceUse } from "./capacity.ts";
import { gpuPoolController } from "./gpu-pool/controller.ts";
import { cachesOf, declareInformers, type Informers } from "./informers.ts";
import { llamaDeploymentController } from "./llama-deployment/controller.ts";

/** The field manager of everything that the operator writes; never to be changed. */
export const fieldManager = "llama-operator";

/** Holds the hash of what was applied; on the object, never on a pod template. */
const intentAnnotation = "llama-operator.dev/intent-hash";

export interface OperatorOptions {
  /** Fenced: it refuses to write once leadership is in doubt. */
  readonly client: KubeClient;
  readonly cache: Cache;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: RuntimeMetrics;
  readonly newId: () => string;
  /** LlamaDeployments reconciled side by side. */
  readonly workers: number;
}

export interface ControllerParts extends OperatorOptions {
  readonly informers: Informers;
  readonly caches: Caches;
  readonly use: DeviceUse;
  readonly applier: Applier;
  readonly tracker: WriteTracker;
}

/** Declares the informers and makes the controllers; the manager runs them. */
export function operatorControllers(options: OperatorOptions): readonly Controller[] {
  const { cache, client } = options;
  const informers = declareInformers(cache);
  const use = new DeviceUse();
  // First of all handlers: whoever is woken by a pod finds its GPUs counted.
  informers.pods.onChange((change) => {
    if (change.type === "deleted") use.forget(change.object);
    else use.observe(change.object);
  });
  const tracker = new WriteTracker(cache);
  const applier = new Applier({ client, cache, tracker, fieldManager, intentAnnotation });
  const parts = { ...options, informers, caches: cachesOf(informers), use, applier, tracker };
  return [llamaDeploymentController(parts), gpuPoolController(parts)];
}
