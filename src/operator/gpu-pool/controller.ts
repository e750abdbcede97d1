// The GpuPool controller: counts nodes and GPUs into status, for people, at most every half minute a pool.
import { objectKey, type KubeObject, type Live, type ObjectRef } from "@llama-operator/kube-runtime/client";
import type { GpuPool } from "@llama-operator/llama/api";
import {
  Controller,
  type ReconcileContext,
  type Reconciler,
  type ReconcileResult,
  specChanged,
  toSelf,
} from "@llama-operator/kube-runtime/controller";
import { gpuPools } from "../observed/kinds.ts";
import { sameForPlacement } from "../observed/node.ts";
import { holdsDevices, type Pod } from "../observed/pod.ts";
import type { ControllerParts } from "../parts.ts";
import { poolStatusOf } from "./status.ts";

/** Seconds between two writes of one pool's counts. */
const writePeriodSeconds = 30;

/** Changes come in bursts; a burst is counted once. */
const burstMs = 1000;

class GpuPoolReconciler implements Reconciler {
  readonly #parts: ControllerParts;
  /** Monotonic milliseconds of the last write, by pool. */
  readonly #writtenAtMs = new Map<string, number>();

  constructor(parts: ControllerParts) {
    this.#parts = parts;
  }

  async reconcile(request: ObjectRef, { signal }: ReconcileContext): Promise<ReconcileResult> {
    const { caches, capacity, clock, applier } = this.#parts;
    const pool = caches.gpuPools.get(request);
    if (pool === undefined || pool.metadata.deletionTimestamp !== undefined) {
      this.#writtenAtMs.delete(request.name);
      return {};
    }
    const waitMs = this.#waitMs(pool);
    if (waitMs > 0) return { requeueAfterSeconds: waitMs / 1000 };
    const status = poolStatusOf(
      pool.metadata.generation ?? 0,
      capacity.nodes(pool.metadata.name),
      pool.status,
      new Date(clock.now()),
    );
    if (await applier.applyStatus(gpuPools, pool, status, { request, signal })) {
      this.#writtenAtMs.set(request.name, clock.monotonic());
    }
    return {};
  }

  /** A new generation is answered at once; counts wait their turn. */
  #waitMs({ metadata, status }: Live<GpuPool & KubeObject>): number {
    const writtenAtMs = this.#writtenAtMs.get(metadata.name);
    if (writtenAtMs === undefined || status?.observedGeneration !== metadata.generation) return 0;
    return Math.max(0, writtenAtMs + writePeriodSeconds * 1000 - this.#parts.clock.monotonic());
  }
}

export function gpuPoolController(parts: ControllerParts): Controller {
  const { informers, caches, applier } = parts;
  const controller = new Controller({
    ...parts,
    name: "gpupool",
    reconciler: new GpuPoolReconciler(parts),
    workers: 1,
  });
  const countAll = (): void => {
    for (const { metadata } of caches.gpuPools.list()) {
      controller.queue.add(objectKey({ name: metadata.name }), { afterMs: burstMs });
    }
  };
  controller.watch(informers.gpuPools, toSelf, { predicate: specChanged });
  controller.watchStatus(informers.gpuPools, (object) => applier.isOwnStatus(gpuPools, object));
  informers.nodes.onChange((change) => {
    if (change.type !== "updated" || !sameForPlacement(change.previous, change.object)) countAll();
  });
  informers.pods.onChange((change) => {
    const before = change.type === "updated" ? change.previous : undefined;
    if (takesDevices(before) !== takesDevices(change.type === "deleted" ? undefined : change.object))
      countAll();
    else if (change.type === "deleted" && takesDevices(change.object)) countAll();
  });
  return controller;
}

function takesDevices(pod: Pod | undefined): boolean {
  return pod !== undefined && holdsDevices(pod) && Object.keys(pod.devices).length > 0;
}
