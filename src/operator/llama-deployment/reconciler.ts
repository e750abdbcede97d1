// One pass over one LlamaDeployment: read everything into a scope, run the steps in order (steps.ts), write status once,
// whatever became of them.
// A pass may be the first one after a crash: it decides from what exists, and repeats nothing that is done.
import { isRefused } from "@llama-operator/kube-runtime/client";
import { objectKey, type KubeObject, type Live, type ObjectRef } from "@llama-operator/kube-runtime/client";
import type { Applier } from "@llama-operator/kube-runtime/apply";
import type { Clock } from "@llama-operator/kube-runtime";
import type { ReconcileContext, Reconciler, ReconcileResult } from "@llama-operator/kube-runtime/controller";
import type { GpuCapacity } from "../capacity/gpu-capacity.ts";
import { watched } from "../observed/watched.ts";
import type { DesiredObjects } from "./children/desired-objects.ts";
import { Failures } from "./failures.ts";
import { runSteps, type Pass, type Step } from "./pass.ts";
import { observeWorkloads } from "./replicas/workloads.ts";
import { readScope, type Scope, type ScopeSources } from "./scope.ts";
import { tamperingEvents, transitions, type Transition } from "./status/events.ts";
import { statusOf } from "./status/status.ts";

/** Seconds until a write that the API server refused is tried again. */
const refusedSeconds = 30;

export interface ReconcilerOptions {
  readonly sources: ScopeSources;
  readonly steps: readonly Step[];
  readonly applier: Applier;
  readonly capacity: GpuCapacity;
  readonly desired: DesiredObjects;
  readonly record: (about: Live<KubeObject>, transition: Transition) => void;
  readonly clock: Clock;
}

export class LlamaDeploymentReconciler implements Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #failures = new Failures();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  async reconcile(request: ObjectRef, { signal, log }: ReconcileContext): Promise<ReconcileResult> {
    const { sources, steps, capacity, desired, clock } = this.#options;
    const key = objectKey(request);
    // A pass begins with everything in the cache that the ones before it made.
    capacity.release(key);
    const scope = readScope(sources, request, new Date(clock.now()));
    if (scope === undefined) {
      capacity.dequeue(key);
      desired.forget(key);
      this.#failures.end(key);
      return {};
    }
    const pass: Pass = { context: { request, signal }, workloads: [], replicas: [] };
    observeWorkloads(
      scope,
      pass,
      scope.revisions.flatMap(({ placed }) => placed),
    );
    try {
      const requeueAfterSeconds = await runSteps(steps, scope, pass);
      await this.#writeStatus(scope, pass);
      this.#failures.end(key);
      return { requeueAfterSeconds };
    } catch (error) {
      // Groups that were not made must not keep others, or the next try, waiting.
      capacity.release(key);
      const told = signal.aborted ? undefined : this.#failures.block(scope, error);
      if (told === undefined) throw error;
      log.warn("a pass failed", { error });
      pass.block ??= told;
      await this.#writeStatus(scope, pass);
      // Nothing wakes us when a quota or a policy lets it through: it is asked again soon, and not ever later.
      if (isRefused(error)) return { requeueAfterSeconds: refusedSeconds };
      throw error;
    }
  }

  async #writeStatus(scope: Scope, pass: Pass): Promise<void> {
    const { applier, record } = this.#options;
    const { object } = scope;
    const status = statusOf(scope, pass);
    for (const each of tamperingEvents(pass.tampering ?? [])) record(object, each);
    const written = await applier.applyStatus(watched.llamaDeployments.type, object, status, pass.context);
    if (written) for (const each of transitions(object.status, status)) record(object, each);
  }
}
