// All controllers of the operator, wired to what they share: caches, the device use that pods make, the applier.
import { Applier } from "@llama-operator/kube-runtime/apply";
import type { Controller } from "@llama-operator/kube-runtime/controller";
import { WriteTracker } from "@llama-operator/kube-runtime/cache";
import { DeviceUse } from "./capacity/capacity.ts";
import { gpuPoolController } from "./gpu-pool/controller.ts";
import { cachesOf, declareInformers } from "./observed/informers.ts";
import { llamaDeploymentControllers } from "./llama-deployment/controller.ts";
import { exportDrift } from "./llama-deployment/engine-report/drift-metrics.ts";
import { PlanningView } from "./llama-deployment/planning-view.ts";
import { sameForPlacement } from "./observed/node.ts";
import type { OperatorOptions } from "./parts.ts";
import { PoolRooms } from "./capacity/pool-rooms.ts";

/** The field manager of everything that the operator writes; never to be changed. */
export const fieldManager = "llama-operator";

/** Holds the hash of what was applied; on the object, never on a pod template. */
const intentAnnotation = "llama-operator.dev/intent-hash";

export interface Controllers {
  /** For the manager to run while leading. */
  readonly controllers: readonly Controller[];
  /** Reads the caches alone, so that a standby answers too. */
  readonly planning: PlanningView;
}

/** Declares the informers and makes the controllers. */
export function makeControllers(options: OperatorOptions): Controllers {
  const { cache, client } = options;
  const informers = declareInformers(cache);
  const use = new DeviceUse();
  // First of all handlers: whoever is woken by a pod finds its GPUs counted.
  informers.pods.onChange((change) => {
    if (change.type === "deleted") use.forget(change.object);
    else use.observe(change.object);
  });
  const rooms = new PoolRooms(informers.nodes.store, use);
  informers.nodes.onChange((change) => {
    if (change.type !== "updated" || !sameForPlacement(change.previous, change.object)) rooms.nodesChanged();
  });
  const tracker = new WriteTracker(cache);
  const applier = new Applier({ client, cache, tracker, fieldManager, intentAnnotation });
  const caches = cachesOf(informers);
  exportDrift(options.registry, caches.llamaDeployments);
  const parts = { ...options, informers, caches, rooms, applier, tracker };
  return {
    controllers: [...llamaDeploymentControllers(parts), gpuPoolController(parts)],
    planning: new PlanningView(parts, options.measuredOverheads),
  };
}
