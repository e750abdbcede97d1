// Free GPUs, the pods that are assumed to take some of them, and the queue for the rest: one thing, because an answer
// to "how many replicas may I make?" needs all three.
//
// Guarantees, as long as nobody but LlamaDeployments makes pods that fit the pool's nodes
// - A group (a replica that spans nodes) is made only when all its pods find nodes, wherever the scheduler puts the
//   pods that exist without a node by then. So two groups never each hold half of what they need.
// - Requests are served in order: priority, then age, then name. While a group stands ahead of it, a LlamaDeployment
//   gets only what the group cannot be short of afterwards; so a group does not starve behind small models.
// - A request that the pool could never hold stands in nobody's way.
// - What is remembered beside the cache goes with the holder's next pass, or with the holder.
// Assumptions
// - A pass calls release, free, assume and enqueue or dequeue in this order and awaits nothing from free to enqueue.
//   It calls release again when it fails or is blocked before its workloads are written.
// - It is made before any other handler of its sources' changes, so that whoever is woken finds them counted.
// Caveats
// - Pods of others without a node are not counted: which pool they are for is not known. They may take a group's node
//   in the instant between the count and its placement; the group is then first for the next one.
// - Nodes that a pool may still grow by count as free. If they never come, groups that were made for them wait.
import { isDeepStrictEqual } from "node:util";
import type { GpuPoolSpec, LlamaDeployment } from "@llama-operator/llama/api";
import type { Clock } from "@llama-operator/kube-runtime";
import {
  objectKey,
  parseObjectKey,
  refOf,
  type KubeObject,
  type Live,
  type ObjectRef,
} from "@llama-operator/kube-runtime/client";
import { deploymentLabel } from "../workloads/labels.ts";
import type { Pod } from "../observed/pod.ts";
import { AssumedPods } from "./assumed-pods.ts";
import { everFits, sharedWith } from "./contenders.ts";
import { DeviceUse } from "./device-use.ts";
import type { AssumedWorkload } from "./made-pods.ts";
import { PoolNodes, withGrowth, withoutPods, type NodeCapacity } from "./pool-nodes.ts";
import { compareRequests, GpuQueue, type GpuRequest } from "./queue.ts";
import { isScattered, roomFor } from "./room.ts";
import { storedRequest } from "./stored-request.ts";
import type { CapacitySources, Observed } from "./sources.ts";

/** What a holder may make now. */
export interface FreeGpus {
  /**
   * Of groups: further replicas that may be made. Of single pods: replicas that may be without a node at once, those
   * that are made already among them.
   */
  readonly replicas: number;
  /**
   * The first LlamaDeployment (`namespace/name`) that stands ahead. Where none does, single pods are made in full:
   * the scheduler has a queue of its own, and an autoscaler may wait for them.
   */
  readonly behind?: string | undefined;
  /**
   * That one is of higher priority: then single pods that have no node yet are to be taken back too. At equal priority
   * they stay where they are, in the scheduler's queue: they are few, and came first.
   */
  readonly outranked: boolean;
  /** The nodes that are there have the GPUs of a replica free, and not in the whole nodes that it takes. */
  readonly scattered: boolean;
}

/** Changes come in bursts; those that wait are woken once a burst. */
const burstMs = 200;

export class GpuCapacity {
  readonly #sources: CapacitySources;
  readonly #clock: Pick<Clock, "setTimeout">;
  readonly #nodes: PoolNodes;
  readonly #assumed: AssumedPods;
  readonly #queue = new GpuQueue();
  /** What each holder was last answered. */
  readonly #answers = new Map<string, FreeGpus>();
  readonly #changedPools = new Set<string>();
  readonly #wake: ((waiting: readonly ObjectRef[]) => void)[] = [];
  #defaultPriority = 0;
  #burst = false;

  constructor(sources: CapacitySources, clock: Pick<Clock, "setTimeout">) {
    this.#sources = sources;
    this.#clock = clock;
    const use = new DeviceUse((node) => this.#nodeChanged(node));
    this.#nodes = new PoolNodes(sources.nodes.store, use);
    this.#assumed = new AssumedPods(sources);
    this.#watch(use);
  }

  /** The usable nodes of a pool, with their free GPUs; none of a pool that is not there. */
  nodes(pool: string): readonly NodeCapacity[] {
    const spec = this.#specOf(pool);
    return spec === undefined ? [] : [...this.#nodes.of(pool, spec).byName.values()];
  }

  /** What the holder may make now; with `releasing`, once these pods of it are gone. */
  free(request: GpuRequest, { releasing = [] }: { readonly releasing?: readonly Pod[] } = {}): FreeGpus {
    const answer = this.#answer(request, releasing);
    if (releasing.length === 0) this.#answers.set(request.holder, answer);
    return answer;
  }

  /** Counts a workload, by its name, that is about to be written; to be called before anything is awaited. */
  assume(workload: string, decided: AssumedWorkload): void {
    if (this.#isThere(decided.holder)) this.#assumed.assume(workload, decided);
    this.#changed([decided.pool]);
  }

  /** Forgets what the holder's last pass decided: its pass begins, failed or was blocked. */
  release(holder: string): void {
    this.#assumed.release(holder);
    this.#changed([]);
  }

  /** The holder waits for GPUs; in place of what it asked for before. */
  enqueue(request: GpuRequest): void {
    if (this.#isThere(request.holder)) this.#changed(this.#queue.set(request));
  }

  /** The holder waits no more. */
  dequeue(holder: string): void {
    this.#changed(this.#queue.delete(holder));
  }

  /** Calls back with those that wait and would be answered otherwise than before, the first in the queue first. */
  onFreed(callback: (waiting: readonly ObjectRef[]) => void): void {
    this.#wake.push(callback);
  }

  #answer(request: GpuRequest, releasing: readonly Pod[]): FreeGpus {
    const spec = this.#specOf(request.pool);
    if (spec === undefined) return { replicas: 0, outranked: false, scattered: false };
    const pool = this.#nodes.of(request.pool, spec);
    const total = withGrowth(pool, pool.total);
    const shared = sharedWith(request, {
      unplaced: this.#assumed.unplaced(request.pool),
      queued: this.#queue.of(request.pool),
      priorityOf: this.#priorityOf,
      everFits: (ahead) => everFits(ahead, total, this.#assumed.of(ahead.holder)),
    });
    const free = withGrowth(pool, withoutPods(pool, releasing));
    const { behind, outranked } = shared;
    return {
      replicas: roomFor(free, request.footprint, shared),
      ...(behind === undefined ? {} : { behind }),
      outranked,
      scattered: isScattered(pool.free, request.footprint),
    };
  }

  readonly #priorityOf = (name: string | undefined): number =>
    name === undefined
      ? this.#defaultPriority
      : (this.#sources.priorityClasses.store.get({ name })?.value ?? 0);

  #specOf(pool: string): GpuPoolSpec | undefined {
    return this.#sources.gpuPools.store.get({ name: pool })?.spec;
  }

  #isThere(holder: string): boolean {
    const object = this.#sources.llamaDeployments.store.get(parseObjectKey(holder));
    return object !== undefined && object.metadata.deletionTimestamp === undefined;
  }

  #forget(holder: string): void {
    this.#answers.delete(holder);
    this.release(holder);
    this.dequeue(holder);
  }

  /** The one subscription to everything that is counted. */
  #watch(use: DeviceUse): void {
    const { nodes, pods, gpuPools, llamaDeployments, priorityClasses } = this.#sources;
    const { deployments, leaderWorkerSets, controllerRevisions } = this.#sources;
    nodes.onChange(({ type, object }) => {
      if (type === "added") this.#assumed.nodeAdded();
      this.#nodeChanged(object.metadata.name);
    });
    pods.onChange((change) => {
      if (change.type === "deleted") use.forget(change.object);
      else use.observe(change.object);
      this.#childChanged(change.object);
    });
    for (const kind of [deployments, leaderWorkerSets, controllerRevisions] as const) {
      (kind as Observed<KubeObject>).onChange(({ object }) => this.#childChanged(object));
    }
    gpuPools.onChange(({ type, object }) => {
      if (type === "deleted") this.#nodes.forget(object.metadata.name);
      this.#changed([object.metadata.name]);
    });
    priorityClasses.onChange(() => {
      const isDefault = priorityClasses.store.list().find(({ globalDefault }) => globalDefault);
      this.#defaultPriority = isDefault?.value ?? 0;
      this.#changed(this.#queue.pools());
    });
    llamaDeployments.onChange((change) => {
      const { object } = change;
      const previous = change.type === "updated" ? change.previous : undefined;
      const isOther = previous !== undefined && previous.metadata.uid !== object.metadata.uid;
      if (isOther || !this.#isThere(objectKey(refOf(object)))) this.#forget(objectKey(refOf(object)));
      if (change.type !== "deleted") this.#restore(object, isOther ? undefined : previous);
    });
  }

  /** Takes over what status says, where another leader, or this one before its restart, wrote it. */
  #restore(
    object: Live<LlamaDeployment & KubeObject>,
    previous: Live<LlamaDeployment & KubeObject> | undefined,
  ): void {
    const request = storedRequest(object);
    const before = previous && storedRequest(previous);
    if (isDeepStrictEqual(request, before)) return;
    if (request === undefined) this.dequeue(objectKey(refOf(object)));
    else this.enqueue(request);
  }

  #nodeChanged(name: string): void {
    this.#changed(this.#nodes.nodeChanged(name));
  }

  #childChanged({ metadata: { namespace = "", labels } }: Live<KubeObject>): void {
    const name = labels?.[deploymentLabel];
    if (name === undefined) return;
    this.#assumed.changed(`${namespace}/${name}`);
    this.#changed([]);
  }

  #changed(pools: Iterable<string>): void {
    for (const pool of pools) this.#changedPools.add(pool);
    if (this.#burst || this.#queue.size === 0) return;
    this.#burst = true;
    this.#clock.setTimeout(() => this.#wakeWaiting(), burstMs);
  }

  #wakeWaiting(): void {
    this.#burst = false;
    const pools = new Set([...this.#changedPools, ...this.#assumed.takeChangedPools()]);
    this.#changedPools.clear();
    const waiting = [...pools]
      .flatMap((pool) => [...this.#queue.of(pool)])
      .filter((request) => !isDeepStrictEqual(this.#answer(request, []), this.#answers.get(request.holder)))
      .toSorted((a, b) => compareRequests(a, b, this.#priorityOf))
      .map(({ holder }) => parseObjectKey(holder));
    if (waiting.length > 0) for (const wake of this.#wake) wake(waiting);
  }
}
