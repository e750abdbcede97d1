// A small cluster for stories about GPUs: pools, models, the controllers that make their pods, an autoscaler, and a
// scheduler that may place any pod on any node where it fits. The cache lags behind until it is told to catch up.
import type { GpuPool, LlamaDeployment } from "@llama-operator/llama/api";
import { objectKey, type KubeObject, type Live } from "@llama-operator/kube-runtime/client";
import type { Node } from "../../observed/node.ts";
import { holdsDevices, type Pod } from "../../observed/pod.ts";
import type { PriorityClass } from "../../observed/priority-class.ts";
import { deploymentLabel, groupNameLabel } from "../../workloads/labels.ts";
import type { DeploymentObject, GroupObject } from "../sources.ts";
import { LaggingKind } from "./lagging-kind.ts";
import * as objects from "./objects.ts";
import type { Model } from "./objects.ts";

/** Nodes of each pool that are there, and those that an autoscaler may add. */
export type Pools = Readonly<Record<string, { readonly nodes: number; readonly growth?: number }>>;

/** Draws a number below `count`. */
export type Draw = (count: number) => number;

export class Cluster {
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
  /** The most pods of a model's groups that a quota lets through. */
  readonly quotas = new Map<string, number>();
  #serial = 0;

  constructor(pools: Pools) {
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
  }

  /** Grows with every write. */
  get version(): number {
    return this.#version;
  }

  newName(prefix: string): string {
    this.#serial += 1;
    return `${prefix}${this.#serial}`;
  }

  addNode(pool: string): void {
    this.kinds.nodes.write(objects.node(this.newName(`${pool}-`), pool));
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

  removeGroup(key: string): void {
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
      for (let at = its.length; at < wanted; at += 1) pods.write(objects.pod(model, this.newName("pod-")));
    }
    for (const [key, object] of leaderWorkerSets.live) {
      const model = this.models.get(ownerOf(object));
      const size = object.spec?.leaderWorkerTemplate?.size ?? 0;
      if (model === undefined) continue;
      const quota = this.quotas.get(model.holder) ?? Number.POSITIVE_INFINITY;
      for (let at = this.podsOfGroup(key).length; at < size; at += 1) {
        if (this.podsOf(model.holder).length >= quota) break;
        pods.write(objects.pod(model, this.newName("pod-"), object.metadata.name));
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
  schedule(pick: Draw, pod = draw(pick, this.unplacedPods())): void {
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
  grow(pool: string): void {
    const max = this.kinds.gpuPools.live.get(pool)?.spec.nodes?.max ?? 0;
    const isWanted = this.unplacedPods().some(
      (pod) => pod.unschedulable !== undefined && this.models.get(ownerOf(pod))?.pool === pool,
    );
    if (isWanted && this.freeGpus(pool).size < max) this.addNode(pool);
  }

  /** The cache shows a model, and pods of it on these nodes, or on none. */
  show(model: Model, nodeNames: readonly (string | undefined)[] = []): void {
    this.apply(model);
    for (const nodeName of nodeNames) {
      const pod = objects.pod(model, this.newName("pod-"));
      this.kinds.pods.write(nodeName === undefined ? pod : { ...pod, nodeName });
    }
    this.deliver();
  }

  deliver(): void {
    for (const kind of Object.values(this.kinds)) kind.deliver();
  }
}

export function draw<T>(pick: Draw, items: Iterable<T>): T | undefined {
  const all = [...items];
  return all[pick(all.length)];
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
