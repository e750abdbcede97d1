// The kinds that the operator watches, each declared once: how the API server serves it, what the cache keeps of it,
// how it is indexed, whether it may be missing, and whether the operator makes it. Caches, informers and the types of
// children that are written follow from this record; only the rights in the chart's ClusterRole are written by hand
// beside it, and a test compares the two.
import type { IControllerRevision } from "kubernetes-models/apps/v1/ControllerRevision";
import type { IDeployment } from "kubernetes-models/apps/v1/Deployment";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import type { IService } from "kubernetes-models/v1/Service";
import type { IServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import { gpuPools, llamaDeployments, type GpuPool, type LlamaDeployment } from "@llama-operator/llama/api";
import type { InformerOptions } from "@llama-operator/kube-runtime/cache";
import {
  controllerOf,
  objectKey,
  resourceType,
  type KubeObject,
  type Live,
  type ResourceType,
} from "@llama-operator/kube-runtime/client";
import { deploymentLabel } from "../workloads/labels.ts";
import type { ILeaderWorkerSet } from "../workloads/leader-worker-set.ts";
import { projectNode, type Node } from "./node.ts";
import { deploymentsOf, projectPod, type Pod } from "./pod.ts";
import { projectPriorityClass, type PriorityClass } from "./priority-class.ts";
import { trimChild, trimNamespace } from "./trim.ts";

/** Index of pods and children: `namespace/name` of the LlamaDeployment that their label names. */
export const byDeployment = "deployment";

/** A kind as the cache holds it: `T` is what trimming leaves of an object. */
export interface WatchedKind<T extends KubeObject> extends InformerOptions<T> {
  /** Whether the operator makes objects of this kind, each controlled by a LlamaDeployment. */
  readonly owned: boolean;
}

/** A child in the cache. Of a foreign object that holds its name there is no more than the metadata. */
type Child<T> = KubeObject & Partial<Omit<T, keyof KubeObject>>;

/** The names by which the API server serves a kind. */
type Served = Pick<ResourceType, "group" | "version" | "kind" | "plural" | "namespaced">;

/** By the label, and by whom the object is controlled by: a label can be taken away. */
const indexes = {
  [byDeployment]: (object: Live<KubeObject>): readonly string[] => {
    const { namespace = "", labels } = object.metadata;
    const controller = controllerOf(object);
    const names = new Set([labels?.[deploymentLabel]]);
    if (controller?.kind === "LlamaDeployment") names.add(controller.name);
    return [...names].flatMap((name) => (name === undefined ? [] : [`${namespace}/${name}`]));
  },
};

const podIndexes = { [byDeployment]: (pod: Live<Pod>) => deploymentsOf(pod).map(objectKey) };

function whole<T extends KubeObject>(served: Served): WatchedKind<T> {
  return { type: resourceType<T>(served), owned: false };
}

/** A kind of which the cache keeps a projection: its objects have another shape than those that a client reads. */
function projected<T extends KubeObject>(
  [group, version, kind, plural]: readonly [string, string, string, string],
  how: Pick<InformerOptions<T>, "trim" | "indexes"> & { readonly namespaced: boolean },
): WatchedKind<T> {
  const { namespaced, ...options } = how;
  return {
    type: resourceType<T>({ group, version, kind, plural, namespaced }),
    ...options,
    owned: false,
  };
}

function child<T>(
  [group, version, kind, plural]: readonly [string, string, string, string],
  { optional = false } = {},
): WatchedKind<Child<T>> {
  return {
    type: resourceType<Child<T>>({ group, version, kind, plural, namespaced: true }),
    trim: trimChild,
    indexes,
    optional,
    owned: true,
  };
}

const cluster = { namespaced: false };
const namespaced = { namespaced: true };

/** Every kind that the operator watches, in the order in which the caches list them. */
export const watched = {
  llamaDeployments: whole<LlamaDeployment & KubeObject>(llamaDeployments),
  gpuPools: whole<GpuPool & KubeObject>(gpuPools),
  nodes: projected<Node>(["", "v1", "Node", "nodes"], { ...cluster, trim: projectNode }),
  namespaces: projected<KubeObject>(["", "v1", "Namespace", "namespaces"], {
    ...cluster,
    trim: trimNamespace,
  }),
  pods: projected<Pod>(["", "v1", "Pod", "pods"], { ...namespaced, trim: projectPod, indexes: podIndexes }),
  priorityClasses: projected<PriorityClass>(["scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses"], {
    ...cluster,
    trim: projectPriorityClass,
  }),
  services: child<IService>(["", "v1", "Service", "services"]),
  serviceAccounts: child<IServiceAccount>(["", "v1", "ServiceAccount", "serviceaccounts"]),
  podDisruptionBudgets: child<IPodDisruptionBudget>([
    "policy",
    "v1",
    "PodDisruptionBudget",
    "poddisruptionbudgets",
  ]),
  controllerRevisions: child<IControllerRevision>([
    "apps",
    "v1",
    "ControllerRevision",
    "controllerrevisions",
  ]),
  deployments: child<IDeployment>(["apps", "v1", "Deployment", "deployments"]),
  // Its CRD may be missing, come late, or be removed.
  leaderWorkerSets: child<ILeaderWorkerSet>(
    ["leaderworkerset.x-k8s.io", "v1", "LeaderWorkerSet", "leaderworkersets"],
    { optional: true },
  ),
};

export type Watched = typeof watched;

/** What the cache holds of one of the kinds. */
export type Kept<K extends keyof Watched> = Watched[K] extends WatchedKind<infer T> ? T : never;
