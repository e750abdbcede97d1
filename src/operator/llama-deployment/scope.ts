// Everything that one pass knows, read once at its start: the object, its children with their revisions and replicas, the
// pools that its namespace may use. Nothing is read twice, so that all steps of a pass see the same world.
import type { GpuPool, LlamaDeployment } from "@llama-operator/llama/api";
import { matchesLabels } from "@llama-operator/llama/api";
import {
  controllerOf,
  isTerminating,
  type KubeObject,
  type Live,
  type ObjectRef,
} from "@llama-operator/kube-runtime/client";
import type { PoolFacts } from "@llama-operator/llama/planning";
import { plannedByUs } from "../workloads/labels.ts";
import type { Owner } from "../workloads/names.ts";
import { byDeployment, type Caches } from "../observed/caches.ts";
import type { GpuCapacity } from "../capacity/gpu-capacity.ts";
import type { NodeCapacity } from "../capacity/node-capacity.ts";
import type { Node } from "../observed/node.ts";
import type { Pod } from "../observed/pod.ts";
import type { RevisionReader, StoredRevision } from "./revision/stored.ts";

/** The children that exist, of this object or under its names. */
export interface Children {
  readonly service: Live<KubeObject> | undefined;
  readonly serviceAccount: Live<KubeObject> | undefined;
  readonly podDisruptionBudget: Live<KubeObject> | undefined;
  readonly revisions: readonly Live<KubeObject>[];
  readonly deployments: readonly Live<KubeObject>[];
  readonly leaderWorkerSets: readonly Live<KubeObject>[];
  /** Revisions and workloads with our labels and this object's name that nobody controls: left by an earlier one. */
  readonly orphans: readonly Live<KubeObject>[];
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
  /** Stored revisions that can be read, oldest first. */
  readonly revisions: readonly StoredRevision[];
  readonly pods: readonly Pod[];
  /** Pods of any revision that are still terminating. */
  readonly leavingPods: number;
  readonly servesLeaderWorkerSets: boolean;
  /** Whether the PriorityClass that the spec names, if it names one, is there. */
  readonly hasPriorityClass: boolean;
  /** A node by its name; undefined for one that is gone. */
  readonly nodeNamed: (name: string) => Node | undefined;
  /** Usable nodes of a pool with their free GPUs; none for a pool that is not there. */
  readonly nodesOf: (pool: string) => readonly NodeCapacity[];
}

export interface ScopeSources {
  readonly caches: Caches;
  readonly capacity: Pick<GpuCapacity, "nodes">;
  readonly revisions: RevisionReader;
}

/** Reads the scope of an object; undefined where it is gone or being deleted: owner references do the rest. */
export function readScope(sources: ScopeSources, ref: ObjectRef, now: Date): Scope | undefined {
  const { caches } = sources;
  const object = caches.llamaDeployments.get(ref);
  if (object === undefined || isTerminating(object)) return undefined;
  const { name, namespace = "", uid } = object.metadata;
  const owner = { name, namespace, uid };
  const key = `${namespace}/${name}`;
  const namespaceLabels = caches.namespaces.get({ name: namespace })?.metadata.labels ?? {};
  const revisionObjects = caches.controllerRevisions.byIndex(byDeployment, key);
  const deployments = caches.deployments.byIndex(byDeployment, key);
  const leaderWorkerSets = caches.leaderWorkerSets.byIndex(byDeployment, key);
  const children: Children = {
    service: caches.services.get({ namespace, name }),
    serviceAccount: caches.serviceAccounts.get({ namespace, name }),
    podDisruptionBudget: caches.podDisruptionBudgets.get({ namespace, name }),
    revisions: ownedBy(revisionObjects, uid),
    deployments: ownedBy(deployments, uid),
    leaderWorkerSets: ownedBy(leaderWorkerSets, uid),
    orphans: [...revisionObjects, ...deployments, ...leaderWorkerSets].filter(
      (each) => controllerOf(each) === undefined && plannedByUs(each.metadata.labels),
    ),
  };
  const pods: readonly Pod[] = caches.pods.byIndex(byDeployment, key);
  const revisions = sources.revisions.stored(children.revisions);
  return {
    object,
    owner,
    now,
    namespaceLabels,
    pools: usablePools(caches, namespaceLabels),
    children,
    revisions,
    pods,
    leavingPods: pods.filter(isTerminating).length,
    servesLeaderWorkerSets: caches.servesLeaderWorkerSets(),
    hasPriorityClass: hasPriorityClass(caches, object.spec.podTemplate.priorityClassName),
    nodeNamed: (node) => caches.nodes.get({ name: node }),
    nodesOf: (pool) => sources.capacity.nodes(pool),
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

function hasPriorityClass(
  { priorityClasses }: Pick<Caches, "priorityClasses">,
  name: string | undefined,
): boolean {
  return name === undefined || priorityClasses.get({ name }) !== undefined;
}

function ownedBy(objects: readonly Live<KubeObject>[], uid: string): readonly Live<KubeObject>[] {
  return objects.filter((object) => controllerOf(object)?.uid === uid);
}

/** The pools as the planner wants them. */
export function poolFacts(scope: Pick<Scope, "pools" | "nodesOf">): readonly PoolFacts[] {
  return scope.pools.map(({ metadata, spec }) => ({
    name: metadata.name,
    labels: metadata.labels ?? {},
    spec,
    freeGpus: scope.nodesOf(metadata.name).map(({ free }) => free),
  }));
}
