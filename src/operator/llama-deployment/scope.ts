// Everything that one pass knows, read once at its start: the object, its children and pods, the pools that its
// namespace may use. Steps read it, and leave what they find in `findings`; nothing is read twice.
import type { GpuPool, LlamaDeployment } from "@llama-operator/llama/api";
import {
  controllerOf,
  type KubeObject,
  type Live,
  type ObjectRef,
} from "@llama-operator/kube-runtime/client";
import type { Plan, PoolFacts } from "@llama-operator/llama/planning";
import type { Owner } from "../workloads/names.ts";
import { byDeployment, type Caches } from "../observed/caches.ts";
import { matchesLabels, type NodeRoom } from "../capacity/capacity.ts";
import type { Pod } from "../observed/pod.ts";
import type { PoolRooms } from "../capacity/pool-rooms.ts";

/** The children that exist, of this object or under its names. */
export interface Children {
  readonly service: Live<KubeObject> | undefined;
  readonly serviceAccount: Live<KubeObject> | undefined;
  readonly podDisruptionBudget: Live<KubeObject> | undefined;
  readonly revisions: readonly Live<KubeObject>[];
  readonly deployments: readonly Live<KubeObject>[];
  readonly leaderWorkerSets: readonly Live<KubeObject>[];
}

export interface Scope {
  readonly object: Live<LlamaDeployment & KubeObject>;
  readonly owner: Owner;
  readonly now: Date;
  /** Labels of the namespace; its Pod Security level among them. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** Pools that the namespace may use. */
  readonly pools: readonly Live<GpuPool & KubeObject>[];
  readonly children: Children;
  readonly pods: readonly Pod[];
  readonly servesLeaderWorkerSets: boolean;
  /** Free GPUs of a pool's usable nodes; none for a pool that is not there. */
  readonly room: (pool: string) => readonly NodeRoom[];
}

export interface ScopeSources {
  readonly caches: Caches;
  readonly rooms: Pick<PoolRooms, "of">;
}

/** Reads the scope of an object; undefined where it is gone or being deleted: owner references do the rest. */
export function readScope(sources: ScopeSources, ref: ObjectRef, now: Date): Scope | undefined {
  const { caches } = sources;
  const object = caches.llamaDeployments.get(ref);
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return undefined;
  const { name, namespace = "", uid } = object.metadata;
  const key = `${namespace}/${name}`;
  const namespaceLabels = caches.namespaces.get({ name: namespace })?.metadata.labels ?? {};
  return {
    object,
    owner: { name, namespace, uid },
    now,
    namespaceLabels,
    pools: usablePools(caches, namespaceLabels),
    children: {
      service: caches.services.get({ namespace, name }),
      serviceAccount: caches.serviceAccounts.get({ namespace, name }),
      podDisruptionBudget: caches.podDisruptionBudgets.get({ namespace, name }),
      revisions: ownedBy(caches.controllerRevisions.byIndex(byDeployment, key), uid),
      deployments: ownedBy(caches.deployments.byIndex(byDeployment, key), uid),
      leaderWorkerSets: ownedBy(caches.leaderWorkerSets.byIndex(byDeployment, key), uid),
    },
    pods: caches.pods.byIndex(byDeployment, key),
    servesLeaderWorkerSets: caches.servesLeaderWorkerSets(),
    room: roomOf(sources),
  };
}

/** The pools that a namespace with these labels may use. */
export function usablePools(
  { gpuPools }: Pick<Caches, "gpuPools">,
  namespaceLabels: Readonly<Record<string, string>>,
): Scope["pools"] {
  return gpuPools
    .list()
    .filter(({ spec }) => matchesLabels(namespaceLabels, spec.namespaceSelector?.matchLabels ?? {}));
}

export function roomOf({ caches, rooms }: ScopeSources): Scope["room"] {
  return (pool) => {
    const found = caches.gpuPools.get({ name: pool });
    return found === undefined ? [] : rooms.of(found.spec);
  };
}

function ownedBy(objects: readonly Live<KubeObject>[], uid: string): readonly Live<KubeObject>[] {
  return objects.filter((object) => controllerOf(object)?.uid === uid);
}

/** The pools as the planner wants them; free GPUs are counted only where a choice is still open. */
export function poolFacts(
  scope: Pick<Scope, "pools" | "room">,
  current: Plan | undefined,
): readonly PoolFacts[] {
  return scope.pools.map(({ metadata, spec }) => ({
    name: metadata.name,
    labels: metadata.labels ?? {},
    spec,
    ...(current === undefined ? { freeGpus: scope.room(metadata.name).map(({ free }) => free) } : {}),
  }));
}
