// All controllers of the operator, wired to what they share: caches, free GPUs, the applier.
import { Applier } from "@llama-operator/kube-runtime/apply";
import type { Controller } from "@llama-operator/kube-runtime/controller";
import { WriteTracker } from "@llama-operator/kube-runtime/cache";
import { EngineMetrics } from "./engine-metrics/engine-metrics.ts";
import { GpuCapacity } from "./capacity/gpu-capacity.ts";
import { gpuPoolController } from "./gpu-pool/controller.ts";
import { cachesOf, declareInformers } from "./observed/informers.ts";
import { llamaDeploymentControllers } from "./llama-deployment/controller.ts";
import { exportDrift } from "./llama-deployment/engine-report/drift-metrics.ts";
import { PlanningView } from "./llama-deployment/plan/planning-view.ts";
import { RevisionReader } from "./llama-deployment/revision/stored.ts";
import type { OperatorOptions } from "./parts.ts";

/** The field manager of everything that the operator writes; never to be changed. */
export const fieldManager = "llama-operator";

/** Holds the hash of what was applied; on the object, never on a pod template. */
const intentAnnotation = "llama-operator.dev/intent-hash";

export interface Controllers {
  /** For the manager to run while leading. */
  readonly controllers: readonly Controller[];
  /** For the manager to run beside them. */
  readonly engineMetrics: EngineMetrics;
  /** Reads the caches alone, so that a standby answers too. */
  readonly planning: PlanningView;
}

/** Declares the informers and makes the controllers. */
export function makeControllers(options: OperatorOptions): Controllers {
  const { cache, client } = options;
  const informers = declareInformers(cache);
  const revisions = new RevisionReader();
  // First of all handlers: a controller that a pod wakes finds its GPUs counted.
  const capacity = new GpuCapacity({ ...informers, revisions }, options.clock);
  const tracker = new WriteTracker(cache);
  const applier = new Applier({ client, cache, tracker, fieldManager, intentAnnotation });
  const caches = cachesOf(informers);
  exportDrift(options.registry, caches.llamaDeployments);
  const engineMetrics = new EngineMetrics(options);
  const parts = { ...options, informers, caches, capacity, revisions, applier, tracker, engineMetrics };
  return {
    engineMetrics,
    controllers: [...llamaDeploymentControllers(parts), gpuPoolController(parts)],
    planning: new PlanningView(parts, options.measuredOverheads),
  };
}
