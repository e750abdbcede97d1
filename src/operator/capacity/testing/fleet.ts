// A small cluster for stories about GPUs: pools, models, the controllers that make their pods, and a scheduler that may
// place any pod on any node where it fits. The cache lags behind until it is told to catch up, passes over several
// models run side by side, and may fail between their decision and their write.
import type { LlamaDeployment, GpuPool } from "@llama-operator/llama/api";
import { objectKey, type KubeObject, type Live } from "@llama-operator/kube-runtime/client";
import { FakeClock } from "@llama-operator/kube-runtime/testing";
import type { Node } from "../../observed/node.ts";
import { holdsDevices, type Pod } from "../../observed/pod.ts";
import type { PriorityClass } from "../../observed/priority-class.ts";
import { deploymentLabel, groupNameLabel } from "../../workloads/labels.ts";
import { GpuCapacity } from "../gpu-capacity.ts";
import type { DeploymentObject, GroupObject } from "../sources.ts";
import { LaggingKind } from "./lagging-kind.ts";
import * as objects from "./objects.ts";
import type { Model } from "./objects.ts";
import { decide, type Decision } from "./pass.ts";

export interface FleetOptions {
  /** Nodes of each pool that are there, and those that an autoscaler may add. */
  readonly pools: Readonly<Record<string, { readonly nodes: number; readonly growth?: number }>>;
}

export class Fleet {
  readonly clock = new FakeClock();
  #version = 0;
  readonly #kind = <T extends KubeObject>(): LaggingKind<T> => new LaggingKind<T>(() => (this.#version += 1));
  readonly kinds = {
    nodes: this.#kind<Node>(),
    pods: this.#kind<Pod>(),
    gpuPools: this.#kind<GpuPool & KubeObject>(),
    llamaDeployments: this.#kind<LlamaDeployment & KubeObject>(),
    deployments: this.#kind<DeploymentObject>(),
    leaderWorkerSets: this.#kind<GroupObject>(),
    controllerRevisions: this.#kind<KubeObject>(),
    priorityClasses: this.#kind<PriorityClass>(),
  };
  readonly models = new Map<string, Model>();
  /** Models whose pass is due. */
  readonly due = new Set<string>();
  /** Passes that have decided and not written. */
  readonly inFlight = new Map<string, Decision>();
  capacity: GpuCapacity;
  #serial = 0;

  constructor({ pools }: FleetOptions) {
    for (const [name, { nodes, growth = 0 }] of Object.entries(pools)) {
      this.kinds.gpuPools.write(objects.gpuPool(name, growth === 0 ? undefined : nodes + growth));
      for (let at = 0; at < nodes; at += 1) this.addNode(name);
    }
    for (const [name, value] of [
      ["low", -10],
      ["high", 100],
    ] as const) {
      this.kinds.priorityClasses.write(objects.priorityClass(name, value));
    }
    this.capacity = this.#start();
    this.deliver();
  }

  #start(): GpuCapacity {
    const capacity = new GpuCapacity({ ...this.kinds, revisions: objects.revisions }, this.clock);
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
    for (const kind of Object.values(this.kinds)) kind.restart();
    this.capacity = this.#start();
    for (const holder of this.models.keys()) this.due.add(holder);
  }

  addNode(pool: string): void {
    this.kinds.nodes.write(objects.node(`${pool}-${(this.#serial += 1)}`, pool));
  }

  apply(model: Model): void {
    this.models.set(model.holder, model);
    this.kinds.llamaDeployments.write(objects.llamaDeployment(model));
    this.kinds.controllerRevisions.write(objects.controllerRevision(model));
  }

  scale(holder: string, replicas: number): void {
    const model = this.models.get(holder);
    if (model !== undefined) this.apply({ ...model, replicas });
  }

  /** Deletes a model; the garbage collector takes what was made for it at once. */
  delete(holder: string): void {
    if (!this.models.delete(holder)) return;
    this.kinds.llamaDeployments.remove(holder);
    for (const kind of ["deployments", "leaderWorkerSets", "controllerRevisions", "pods"] as const) {
      for (const [key, object] of this.kinds[kind].live) {
        if (ownerOf(object) === holder) this.kinds[kind].remove(key);
      }
    }
  }

  /** A pass decides. It begins when the cache has what the model's passes wrote before. */
  decide(holder: string): void {
    if (this.inFlight.has(holder) || !this.due.delete(holder)) return;
    const { llamaDeployments, controllerRevisions, deployments, leaderWorkerSets } = this.kinds;
    for (const kind of [llamaDeployments, controllerRevisions, deployments, leaderWorkerSets]) kind.deliver();
    const decision = decide(holder, this.kinds, this.capacity, this.clock.now());
    if (decision !== undefined) this.inFlight.set(holder, decision);
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
    for (const slot of decision.create) leaderWorkerSets.write(objects.group(model, slot));
    for (const name of decision.remove) this.#removeGroup(name);
    const current = this.models.get(holder);
    if (current === undefined || isSameWait(current, decision)) return undefined;
    this.models.set(holder, { ...current, waitingForGpus: decision.waitingForGpus });
    this.kinds.llamaDeployments.write(
      objects.llamaDeployment({ ...current, waitingForGpus: decision.waitingForGpus }),
    );
    return undefined;
  }

  #removeGroup(key: string): void {
    this.kinds.leaderWorkerSets.remove(key);
    for (const pod of this.podsOfGroup(key)) this.kinds.pods.remove(keyOf(pod));
  }

  podsOfGroup(key: string): Live<Pod>[] {
    return [...this.kinds.pods.live.values()].filter(
      ({ metadata: { namespace, labels } }) => `${namespace}/${labels?.[groupNameLabel]}` === key,
    );
  }

  podsOf(holder: string): Live<Pod>[] {
    return [...this.kinds.pods.live.values()].filter((pod) => ownerOf(pod) === holder);
  }

  /** The Deployment and LeaderWorkerSet controllers: pods become as many as are asked for, the unplaced go first. */
  runControllers(): void {
    const { deployments, leaderWorkerSets, pods } = this.kinds;
    for (const [key, { spec }] of deployments.live) {
      const model = this.models.get(key);
      if (model === undefined) continue;
      const its = this.podsOf(key).toSorted(
        (a, b) => Number(a.nodeName !== undefined) - Number(b.nodeName !== undefined),
      );
      const wanted = spec?.replicas ?? 0;
      for (const pod of its.slice(0, Math.max(0, its.length - wanted))) pods.remove(keyOf(pod));
      for (let at = its.length; at < wanted; at += 1)
        pods.write(objects.pod(model, `pod-${(this.#serial += 1)}`));
    }
    for (const [key, object] of leaderWorkerSets.live) {
      const model = this.models.get(ownerOf(object));
      const size = object.spec?.leaderWorkerTemplate?.size ?? 0;
      if (model === undefined) continue;
      for (let at = this.podsOfGroup(key).length; at < size; at += 1) {
        pods.write(objects.pod(model, `pod-${(this.#serial += 1)}`, object.metadata.name));
      }
    }
  }

  /** Free GPUs of each node of a pool, in truth. */
  freeGpus(pool: string): Map<string, number> {
    const free = new Map<string, number>();
    for (const { metadata } of this.kinds.nodes.live.values()) {
      if (metadata.labels["pool"] === pool) free.set(metadata.name, objects.gpusPerNode);
    }
    for (const pod of this.kinds.pods.live.values()) {
      const left = free.get(pod.nodeName ?? "");
      if (pod.nodeName !== undefined && left !== undefined && holdsDevices(pod))
        free.set(pod.nodeName, left - gpusOf(pod));
    }
    return free;
  }

  unplacedPods(): Live<Pod>[] {
    return [...this.kinds.pods.live.values()].filter(({ nodeName }) => nodeName === undefined);
  }

  /** The scheduler takes any pod and puts it on any node where it fits; where it fits on none, it says so. */
  schedule(pick: (count: number) => number, pod = draw(pick, this.unplacedPods())): void {
    if (pod === undefined) return;
    const pool = this.models.get(ownerOf(pod))?.pool ?? "";
    const fitting = [...this.freeGpus(pool)].filter(([, free]) => free >= gpusOf(pod));
    const [nodeName] = draw(pick, fitting) ?? [];
    if (nodeName !== undefined) this.kinds.pods.write({ ...pod, nodeName, phase: "Running" });
    else if (pod.unschedulable === undefined) {
      this.kinds.pods.write({
        ...pod,
        unschedulable: "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.",
      });
    }
  }

  /** A node for a pod that the scheduler could not place, where the pool may grow. */
  grow(pool: string): boolean {
    const max = this.kinds.gpuPools.live.get(pool)?.spec.nodes?.max ?? 0;
    const isWanted = this.unplacedPods().some(
      (pod) => pod.unschedulable !== undefined && this.models.get(ownerOf(pod))?.pool === pool,
    );
    if (!isWanted || this.freeGpus(pool).size >= max) return false;
    this.addNode(pool);
    return true;
  }

  deliver(): void {
    for (const kind of Object.values(this.kinds)) kind.deliver();
  }

  /** Lets everybody work until nobody has anything to do. */
  async settle(pick: (count: number) => number, observe: () => void = () => {}): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      const before = this.#version;
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
      for (const pool of this.kinds.gpuPools.live.keys()) this.grow(pool);
      this.deliver();
      await this.clock.advance(200);
      if (this.#version === before && this.due.size === 0) return;
    }
    throw new Error("the fleet does not come to rest");
  }
}

function draw<T>(pick: (count: number) => number, items: readonly T[]): T | undefined {
  return items[pick(items.length)];
}

function isSameWait(a: Pick<Model, "waitingForGpus">, b: Pick<Model, "waitingForGpus">): boolean {
  return (
    a.waitingForGpus?.since === b.waitingForGpus?.since &&
    a.waitingForGpus?.replicas === b.waitingForGpus?.replicas
  );
}

export function keyOf({ metadata: { namespace, name } }: Live<KubeObject>): string {
  return objectKey({ namespace, name });
}

export function ownerOf({ metadata: { namespace, labels } }: Live<KubeObject>): string {
  return `${namespace}/${labels?.[deploymentLabel]}`;
}

function gpusOf(pod: Pod): number {
  return pod.devices["nvidia.com/gpu"] ?? 0;
}
