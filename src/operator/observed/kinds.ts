// The kinds that the controllers watch, and what the cache keeps of each: objects of ours whole, because drift is
// repaired leaf by leaf; of foreign objects only what says that a name is taken.
import {
  gpuPools as gpuPoolType,
  llamaDeployments as llamaDeploymentType,
  type GpuPool,
  type LlamaDeployment,
} from "@llama-operator/llama/api";
import {
  controllerOf,
  type KubeObject,
  type Live,
  type LiveMeta,
  resourceType,
} from "@llama-operator/kube-runtime/client";
import { plannedByUs } from "../workloads/labels.ts";

const namespaced = (group: string, version: string, kind: string, plural: string) =>
  resourceType({ group, version, kind, plural, namespaced: true });

export const llamaDeployments = resourceType<LlamaDeployment & KubeObject>(llamaDeploymentType);
export const gpuPools = resourceType<GpuPool & KubeObject>(gpuPoolType);

export const nodes = resourceType({
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  namespaced: false,
});
export const namespaces = resourceType({
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  namespaced: false,
});
export const pods = namespaced("", "v1", "Pod", "pods");
export const services = namespaced("", "v1", "Service", "services");
export const serviceAccounts = namespaced("", "v1", "ServiceAccount", "serviceaccounts");
export const podDisruptionBudgets = namespaced("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets");
export const controllerRevisions = namespaced("apps", "v1", "ControllerRevision", "controllerrevisions");
export const deployments = namespaced("apps", "v1", "Deployment", "deployments");
export const leaderWorkerSets = namespaced(
  "leaderworkerset.x-k8s.io",
  "v1",
  "LeaderWorkerSet",
  "leaderworkersets",
);

/** Keeps objects of ours without managedFields; of others name, labels aside, and who controls them. */
export function projectOwned(raw: Live<KubeObject>): Live<KubeObject> {
  const { metadata } = raw;
  if (plannedByUs(metadata.labels)) return raw;
  const owner = controllerOf(raw);
  return { apiVersion: raw.apiVersion, kind: raw.kind, metadata: identity(metadata, owner && [owner]) };
}

/** Keeps a namespace's labels: they say its Pod Security level and which pools it may use. */
export function projectNamespace(raw: Live<KubeObject>): Live<KubeObject> {
  const { metadata } = raw;
  return {
    apiVersion: raw.apiVersion,
    kind: raw.kind,
    metadata: {
      ...identity(metadata, undefined),
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
    },
  };
}

function identity(metadata: LiveMeta, ownerReferences: LiveMeta["ownerReferences"]): LiveMeta {
  const { name, namespace, uid, resourceVersion, deletionTimestamp } = metadata;
  return {
    name,
    uid,
    resourceVersion,
    ...(namespace === undefined ? {} : { namespace }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
  };
}
