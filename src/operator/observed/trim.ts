// What the cache keeps of objects that are not projected: objects of ours whole, because drift is repaired leaf by leaf;
// of foreign objects only what says that a name is taken.
import { controllerOf, type KubeObject, type Live, type LiveMeta } from "@llama-operator/kube-runtime/client";
import { plannedByUs } from "../workloads/labels.ts";

/** Keeps objects of ours, by label or by owner, without managedFields; of others name, labels aside, and who controls them. */
export function trimChild<T extends KubeObject>(raw: Live<T>): Live<T>;
export function trimChild(raw: Live<KubeObject>): Live<KubeObject> {
  const { metadata } = raw;
  const owner = controllerOf(raw);
  if (plannedByUs(metadata.labels) || owner?.kind === "LlamaDeployment") return raw;
  return { apiVersion: raw.apiVersion, kind: raw.kind, metadata: identity(metadata, owner && [owner]) };
}

/** Keeps a namespace's labels: they say its Pod Security level and which pools it may use. */
export function trimNamespace(raw: Live<KubeObject>): Live<KubeObject> {
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
