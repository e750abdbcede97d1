// What planning would find for an object that is not stored yet, or not yet as it is asked for: the pools of its
// namespace and the plan in force, out of the caches. For the webhook, which must plan as the controller will.
import type { LlamaDeploymentSpec, MeasuredOverhead } from "@llama-operator/llama/api";
import type { ObjectRef } from "@llama-operator/kube-runtime/client";
import type { PlanInForce, PoolFacts } from "@llama-operator/llama/planning";
import { planInForce, revisionInForce } from "../revision/stored.ts";
import { poolFacts, readScope, usablePools, type ScopeSources } from "../scope.ts";

export class PlanningView {
  readonly measuredOverheads: readonly MeasuredOverhead[];
  readonly #sources: ScopeSources;

  constructor(sources: ScopeSources, measuredOverheads: readonly MeasuredOverhead[]) {
    this.#sources = sources;
    this.measuredOverheads = measuredOverheads;
  }

  /** The pools that a namespace may use; undefined where the namespace is not in the cache (yet). */
  pools(namespace: string): readonly PoolFacts[] | undefined {
    const { caches, capacity } = this.#sources;
    const found = caches.namespaces.get({ name: namespace });
    if (found === undefined) return undefined;
    const pools = usablePools(caches, found.metadata.labels ?? {});
    return poolFacts({ pools, nodesOf: (pool) => capacity.nodes(pool) });
  }

  /** The plan in force of a stored object that is to have this spec. */
  currentPlan(ref: ObjectRef, spec: LlamaDeploymentSpec): PlanInForce | undefined {
    const scope = readScope(this.#sources, ref, new Date(0));
    if (scope === undefined) return undefined;
    const object = { ...scope.object, spec };
    const inForce = revisionInForce(object, scope.revisions);
    return inForce && planInForce(inForce, object);
  }
}
