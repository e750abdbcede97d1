// The operator in a small cluster: its passes over several models run side by side, and may fail between their decision
// and their write; it may die with them and start anew.
import { objectKey, type KubeObject, type Live } from "@llama-operator/kube-runtime/client";
import { FakeClock } from "@llama-operator/kube-runtime/testing";
import { deploymentLabel } from "../../workloads/labels.ts";
import { GpuCapacity } from "../gpu-capacity.ts";
import { Cluster, keyOf, type Draw, type Pools } from "./cluster.ts";
import * as objects from "./objects.ts";
import type { Model } from "./objects.ts";
import { decide, type Decision } from "./pass.ts";

export class Fleet extends Cluster {
  readonly clock = new FakeClock();
  /** Models whose pass is due. */
  readonly due = new Set<string>();
  /** Passes that have decided and not written. */
  readonly inFlight = new Map<string, Decision>();
  capacity: GpuCapacity;
  /** Models that asked for another pass, and when. */
  readonly #later = new Map<string, number>();
  /** Those of the operator: they die with it. */
  readonly #timers: (() => void)[] = [];

  constructor(pools: Pools) {
    super(pools);
    this.capacity = this.#start();
    this.deliver();
  }

  #start(): GpuCapacity {
    const clock = {
      monotonic: () => this.clock.monotonic(),
      setTimeout: (callback: () => void, ms: number) => {
        const cancel = this.clock.setTimeout(callback, ms);
        this.#timers.push(cancel);
        return cancel;
      },
    };
    const capacity = new GpuCapacity({ ...this.kinds, revisions: objects.revisions }, clock);
    capacity.onFreed((waiting) => {
      for (const ref of waiting) this.due.add(objectKey(ref));
    });
    for (const kind of ["pods", "deployments", "leaderWorkerSets"] as const) {
      this.kinds[kind].onChange(({ object }) => this.#wakeOwner(object));
    }
    this.kinds.llamaDeployments.onChange(({ object }) => this.due.add(keyOf(object)));
    return capacity;
  }

  #wakeOwner({ metadata: { namespace, labels } }: Live<KubeObject>): void {
    const name = labels?.[deploymentLabel];
    if (name !== undefined) this.due.add(`${namespace}/${name}`);
  }

  /** The operator dies with its passes; the next one lists everything. */
  restart(): void {
    this.inFlight.clear();
    this.#later.clear();
    for (const cancel of this.#timers.splice(0)) cancel();
    for (const kind of Object.values(this.kinds)) kind.restart();
    this.capacity = this.#start();
    for (const holder of this.models.keys()) this.due.add(holder);
  }

  /** Lets time pass, and those that asked for another pass be due. */
  async pass(seconds: number): Promise<void> {
    await this.clock.advance(seconds * 1000);
    for (const [holder, dueMs] of this.#later) {
      if (dueMs > this.clock.monotonic()) continue;
      this.#later.delete(holder);
      this.due.add(holder);
    }
  }

  /** A pass decides. It begins when the cache has what the model's passes wrote before. */
  decide(holder: string): void {
    if (this.inFlight.has(holder) || !this.due.delete(holder)) return;
    const { llamaDeployments, controllerRevisions, deployments, leaderWorkerSets } = this.kinds;
    for (const kind of [llamaDeployments, controllerRevisions, deployments, leaderWorkerSets]) kind.deliver();
    const decision = decide(holder, this.kinds, this.capacity, this.clock.now());
    if (decision !== undefined) this.inFlight.set(holder, decision);
    const { againInSeconds } = decision ?? {};
    if (againInSeconds !== undefined) this.#later.set(holder, this.clock.monotonic() + againInSeconds * 1000);
  }

  /** A pass writes what it decided, or fails and is tried again. */
  finish(holder: string, failed = false): void {
    const decision = this.inFlight.get(holder);
    if (decision === undefined) return;
    this.inFlight.delete(holder);
    const { model } = decision;
    if (failed) {
      this.capacity.release(holder);
      this.due.add(holder);
      return;
    }
    // The garbage collector takes what is made for a model that is gone.
    if (!this.models.has(holder)) return this.capacity.release(holder);
    const { deployments, leaderWorkerSets } = this.kinds;
    const { deployment } = decision;
    if (deployment !== undefined) {
      const before = deployments.live.get(holder)?.spec?.replicas;
      // What is withdrawn has been seen: see the caveats of GpuCapacity.
      if (deployment < (before ?? 0)) this.kinds.pods.deliver();
      if (before !== deployment) deployments.write(objects.deployment(model, deployment));
    }
    for (const slot of decision.create) leaderWorkerSets.write(objects.group(model, slot, this.clock.now()));
    for (const name of decision.remove) this.removeGroup(name);
    const current = this.models.get(holder);
    if (current === undefined || isSameWait(current, decision)) return undefined;
    this.models.set(holder, { ...current, waitingForGpus: decision.waitingForGpus });
    this.kinds.llamaDeployments.write(
      objects.llamaDeployment({ ...current, waitingForGpus: decision.waitingForGpus }),
    );
    return undefined;
  }

  /** Lets everybody work until nobody has anything to do. */
  async settle(
    pick: Draw,
    observe: () => void = () => {},
    { grows = true }: { readonly grows?: boolean } = {},
  ): Promise<void> {
    let isQuiet = false;
    for (let round = 0; round < 400; round += 1) {
      const before = this.version;
      for (const holder of this.inFlight.keys()) this.finish(holder);
      for (const holder of [...this.due].toSorted(() => pick(3) - 1)) {
        this.decide(holder);
        this.finish(holder);
        observe();
      }
      this.runControllers();
      for (const pod of this.unplacedPods().toSorted(() => pick(3) - 1)) {
        this.schedule(pick, pod);
        observe();
      }
      if (grows) for (const pool of this.kinds.gpuPools.live.keys()) this.grow(pool);
      this.deliver();
      // What changes by time alone comes within a minute, or two.
      await this.pass(isQuiet ? 121 : 0.2);
      const isAtRest = this.version === before && this.due.size === 0;
      if (isAtRest && isQuiet) return;
      isQuiet = isAtRest;
    }
    throw new Error("the fleet does not come to rest");
  }
}

function isSameWait(a: Pick<Model, "waitingForGpus">, b: Pick<Model, "waitingForGpus">): boolean {
  return (
    a.waitingForGpus?.since === b.waitingForGpus?.since &&
    a.waitingForGpus?.replicas === b.waitingForGpus?.replicas
  );
}
