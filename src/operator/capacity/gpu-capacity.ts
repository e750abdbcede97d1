// Free GPUs, the pods that are assumed to take some of them, and the queue for the rest: one thing, because an answer
// to "how many replicas may I make?" needs all three.
//
// Guarantees, as long as nobody but LlamaDeployments makes pods that fit the pool's nodes
// - A group (a replica that spans nodes) is made only when all its pods find nodes, wherever the scheduler puts the
//   pods that exist without a node by then. So two groups never each hold half of what they need.
// - Requests are served in order: priority, then age, then name. While a group stands ahead of it, a LlamaDeployment
//   gets only what the group cannot be short of afterwards; so a group does not starve behind small models.
// - Nodes that a pool may still grow by count as free, so that several groups can wait for theirs at once. Where fewer
//   come, or one at a time, groups that hold a part are taken back for the first, so that it serves; see toGiveBack.
//   Nothing that answers, and no group that has all its nodes, is ever taken back.
// - A request that the pool could never hold stands in nobody's way, nor do pods that nobody makes for a minute.
// - What is remembered beside the cache goes with the holder's next pass, or with the holder.
// Assumptions
// - A pass calls release, free, assume and enqueue or dequeue in this order and awaits nothing from free to enqueue.
//   It calls release again when it fails or is blocked before its workloads are written.
// - It is made before any other handler of its sources' changes, so that whoever is woken finds them counted.
// Caveats
// - Pods of others without a node are not counted: which pool they are for is not known. They may take a group's node
//   in the instant between the count and its placement; the group is then first for the next one. So may a pod that is
//   evicted or withdrawn in that instant, before the cache has shown it.
// - A group that holds a part of its nodes keeps them while it waits for the rest, however long, from those behind it.
// - Pods without a node of an equal that made them before a group came are not taken back: one that makes more than
//   its pool holds keeps such groups waiting until it asks for less.
// - A group that waits for nodes that others hold keeps their pool closed to small models behind it, however long.
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
import { unplacedRanksOf, type AssumedWorkload, type MadePods } from "./made-pods.ts";
import type { NodeCapacity } from "./node-capacity.ts";
import { obstacleOf } from "./obstacle.ts";
import { atMost, heldBy, PoolNodes, withGivenBack, withGrowth, type PoolCapacity } from "./pool-nodes.ts";
import { GivenBack } from "./given-back.ts";
import { contestOf, type Contest, type PartialGroup } from "./partial-groups.ts";
import { GpuQueue, spansNodes, type GpuRequest } from "./queue.ts";
import { Priorities } from "./priorities.ts";
import { isScattered, roomFor } from "./room.ts";
import { storedRequest } from "./stored-request.ts";
import type { CapacitySources, Observed } from "./sources.ts";
import { WakeUps, type FreeGpus } from "./wake-ups.ts";

export type { FreeGpus } from "./wake-ups.ts";

const nothing: FreeGpus = {
  replicas: 0,
  behind: undefined,
  outranked: false,
  scattered: false,
  refused: false,
  obstacle: undefined,
  toGiveBack: [],
};

export class GpuCapacity {
  readonly #sources: CapacitySources;
  readonly #nodes: PoolNodes;
  readonly #assumed: AssumedPods;
  readonly #givenBack: GivenBack;
  readonly #queue = new GpuQueue();
  readonly #priorities: Priorities;
  readonly #wakeUps: WakeUps;

  constructor(sources: CapacitySources, clock: Pick<Clock, "monotonic" | "setTimeout">) {
    this.#sources = sources;
    const use = new DeviceUse((node) => this.#nodeChanged(node));
    this.#nodes = new PoolNodes(sources.nodes.store, use);
    this.#assumed = new AssumedPods(sources, () => clock.monotonic());
    this.#givenBack = new GivenBack(() => clock.monotonic());
    const answer = (request: GpuRequest): FreeGpus => this.#answer(request, []);
    const priorityOf = (name: string | undefined): number => this.#priorities.of(name);
    this.#wakeUps = new WakeUps(this.#queue, this.#assumed, { clock, answer, priorityOf });
    this.#priorities = new Priorities(sources.priorityClasses, () =>
      this.#wakeUps.changed(this.#queue.pools()),
    );
    this.#watch(use);
  }

  /** The nodes of a pool where its pods may go, with their free GPUs; none of a pool that is not there. */
  nodes(pool: string): readonly NodeCapacity[] {
    const spec = this.#specOf(pool);
    return spec === undefined ? [] : this.#nodes.list(pool, spec);
  }

  /** What the holder may make now; with `releasing`, once these pods of it are gone. */
  free(request: GpuRequest, { releasing = [] }: { readonly releasing?: readonly Pod[] } = {}): FreeGpus {
    const answer = this.#answer(request, releasing);
    if (releasing.length === 0) this.#wakeUps.answered(request.holder, answer);
    return answer;
  }

  /**
   * Groups of the holder that are to be taken back, by the names of their LeaderWorkerSets: of no use, and in the way of
   * a group that stands ahead. To be asked before {@link free}; in so many seconds, or at once where that is 0.
   */
  toGiveBack(holder: string): { readonly names: readonly string[]; readonly inSeconds: number } {
    const pools = new Set(this.#assumed.of(holder).map(({ pool }) => pool));
    const contests = [...pools].map((pool) => this.#contest(pool));
    const contest = contests.find((each) => namesOf(holder, each).length > 0);
    const inSeconds = this.#givenBack.dueIn(holder, contest) ?? 0;
    return { names: namesOf(holder, contest), inSeconds };
  }

  /** Counts a workload, by its name, that is about to be written; to be called before anything is awaited. */
  assume(workload: string, decided: AssumedWorkload): void {
    if (this.#isThere(decided.holder)) this.#assumed.assume(workload, decided);
    this.#wakeUps.changed([decided.pool]);
  }

  /** Forgets what the holder's last pass decided: its pass begins, failed or was blocked. */
  release(holder: string): void {
    this.#assumed.release(holder);
    this.#wakeUps.changed([]);
  }

  /** The holder waits for GPUs; in place of what it asked for before. */
  enqueue(request: GpuRequest): void {
    if (this.#isThere(request.holder)) this.#wakeUps.changed(this.#queue.set(request));
  }

  /** How long the holder has waited for how many replicas, as it said last. */
  waitOf(holder: string): { readonly sinceMs: number; readonly replicas: number } | undefined {
    const request = this.#queue.get(holder);
    return request && { sinceMs: request.waitsSinceMs ?? request.sinceMs, replicas: request.replicas };
  }

  /** The holder waits no more. */
  dequeue(holder: string): void {
    this.#wakeUps.changed(this.#queue.delete(holder));
  }

  /** Calls back with those that wait and would be answered otherwise than before, the first in the queue first. */
  onFreed(callback: (waiting: readonly ObjectRef[]) => void): void {
    this.#wakeUps.subscribe(callback);
  }

  #answer(request: GpuRequest, releasing: readonly Pod[]): FreeGpus {
    const spec = this.#specOf(request.pool);
    if (spec === undefined) return nothing;
    const pool = this.#nodes.of(request.pool, spec);
    const total = atMost(pool);
    const shared = sharedWith(request, {
      unplaced: this.#unplacedBeside(request, releasing),
      queued: this.#queue.of(request.pool),
      priorityOf: this.#priorities.of,
      everFits: (ahead) => everFits(ahead, total, this.#assumed.of(ahead.holder)),
    });
    const now = withGivenBack(pool, request.footprint, heldBy(releasing, spec));
    const standsBehind = this.#givenBack.standsBehind(request.holder, this.#partialGroups(request.pool));
    const free = standsBehind ? now : withGrowth(pool, now);
    const { behind, outranked } = shared;
    const refused = spansNodes(request) && this.#assumed.of(request.holder).some(refusesGroupsOf(request));
    const replicas = refused ? 0 : roomFor(free, request.footprint, shared);
    return {
      replicas,
      behind,
      outranked,
      scattered: isScattered(pool.free, request.footprint),
      refused,
      obstacle: replicas === 0 ? obstacleOf(pool, request.footprint, shared) : undefined,
      toGiveBack: namesOf(request.holder, this.#contest(request.pool)),
    };
  }

  #partialGroups(pool: string): readonly PartialGroup[] {
    return [...this.#assumed.unplaced(pool)].flatMap(({ partial }) => partial);
  }

  /** Groups of a pool that are in each other's way. */
  #contest(name: string): Contest | undefined {
    const spec = this.#specOf(name);
    const groups = this.#partialGroups(name);
    if (spec === undefined || groups.length < 2) return undefined;
    const pool: PoolCapacity = this.#nodes.of(name, spec);
    return contestOf({
      groups,
      priorityOf: this.#priorities.of,
      freeWithout: (gone, { pod }) =>
        withGivenBack(
          pool,
          pod,
          gone.flatMap(({ held }) => held),
        ),
    });
  }

  /** Pods without a node, but for those that go with what the holder releases. */
  #unplacedBeside({ pool, holder }: GpuRequest, releasing: readonly Pod[]): Iterable<MadePods> {
    const unplaced = this.#assumed.unplaced(pool);
    let ranks = unplacedRanksOf(this.#sources, holder, releasing);
    if (ranks === 0) return unplaced;
    return Iterator.from(unplaced).map((made) => {
      if (made.holder !== holder || !made.isGroup) return made;
      const gone = Math.min(ranks, made.unplaced);
      ranks -= gone;
      return { ...made, unplaced: made.unplaced - gone };
    });
  }

  #specOf(pool: string): GpuPoolSpec | undefined {
    return this.#sources.gpuPools.store.get({ name: pool })?.spec;
  }

  #isThere(holder: string): boolean {
    const object = this.#sources.llamaDeployments.store.get(parseObjectKey(holder));
    return object !== undefined && object.metadata.deletionTimestamp === undefined;
  }

  #forget(holder: string): void {
    this.#wakeUps.forget(holder);
    this.#givenBack.forget(holder);
    this.release(holder);
    this.dequeue(holder);
  }

  /** The one subscription to everything that is counted. */
  #watch(use: DeviceUse): void {
    const { nodes, pods, gpuPools, llamaDeployments } = this.#sources;
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
      this.#wakeUps.changed([object.metadata.name]);
    });
    llamaDeployments.onChange((change) => {
      const { object } = change;
      const isOther = change.type === "updated" && change.previous.metadata.uid !== object.metadata.uid;
      if (isOther || !this.#isThere(keyOf(object))) this.#forget(keyOf(object));
      if (change.type !== "deleted") this.#restore(object);
    });
  }

  /** Takes over what status says, until a pass of this process asks: the one that wrote it has gone, or still leads. */
  #restore(object: Live<LlamaDeployment & KubeObject>): void {
    const holder = keyOf(object);
    if (this.#wakeUps.hasAnswered(holder)) return;
    const request = storedRequest(object);
    if (request === undefined) this.dequeue(holder);
    else this.enqueue(request);
  }

  #nodeChanged(name: string): void {
    this.#wakeUps.changed(this.#nodes.nodeChanged(name));
  }

  #childChanged({ metadata: { namespace = "", labels } }: Live<KubeObject>): void {
    const name = labels?.[deploymentLabel];
    if (name === undefined) return;
    this.#assumed.changed(`${namespace}/${name}`);
    this.#wakeUps.changed([]);
  }
}

function namesOf(holder: string, contest: Contest | undefined): readonly string[] {
  return (contest?.back ?? []).filter((group) => group.holder === holder).map(({ name }) => name);
}

/** A group that is refused says nothing of those of another revision: an edit may have mended what was wrong. */
function refusesGroupsOf({ revision }: GpuRequest): (made: MadePods) => boolean {
  return ({ refusedRevisions }) =>
    revision === undefined ? refusedRevisions.length > 0 : refusedRevisions.includes(revision);
}

function keyOf(object: Live<KubeObject>): string {
  return objectKey(refOf(object));
}
