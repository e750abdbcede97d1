// What planning would find for an object that is not stored yet, or not yet as it is asked for: the pools of its
// namespace and the plan in force, out of the caches. For the webhook, which must plan as the controller will.
import type { MeasuredOverhead } from "@llama-operator/llama/api";
import type { ObjectRef } from "@llama-operator/kube-runtime/client";
import type { Plan, PoolFacts } from "@llama-operator/llama/planning";
import { revisionInForce } from "../revision/stored.ts";
import { poolFacts, readScope, usablePools, type ScopeSources } from "../scope.ts";

export class PlanningView {
  readonly measuredOverheads: readonly MeasuredOverhead[];
  readonly #sources: ScopeSources;

  constructor(sources: ScopeSources, measuredOverheads: readonly MeasuredOverhead[]) {
    this.#sources = sources;
    this.measuredOverheads = measuredOverheads;
  }

  /** The pools that a namespace may use; undefined where the namespace is not in the cache (yet). */
  pools(namespace: string, current: Plan | undefined): readonly PoolFacts[] | undefined {
    const { caches, capacity } = this.#sources;
    const found = caches.namespaces.get({ name: namespace });
    if (found === undefined) return undefined;
    const pools = usablePools(caches, found.metadata.labels ?? {});
    return poolFacts({ pools, nodesOf: (pool) => capacity.nodes(pool) }, current);
  }

  /** The plan in force of a stored object. */
  currentPlan(ref: ObjectRef): Plan | undefined {
    const scope = readScope(this.#sources, ref, new Date(0));
    return scope && revisionInForce(scope.object, scope.revisions)?.plan;
  }
}
