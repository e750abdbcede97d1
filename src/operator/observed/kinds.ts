// The watched kinds by name, as a client is asked for them: `client.list(pods)`. Clients read whole objects, so the
// kinds of which the cache keeps a projection have plain objects here.
import type { KubeObject, ResourceType } from "@llama-operator/kube-runtime/client";
import { watched } from "./watched.ts";

export const { type: llamaDeployments } = watched.llamaDeployments;
export const { type: gpuPools } = watched.gpuPools;
export const nodes: ResourceType = watched.nodes.type;
export const pods: ResourceType = watched.pods.type;
export const { type: namespaces } = watched.namespaces;
export const { type: services } = watched.services;
export const { type: podDisruptionBudgets } = watched.podDisruptionBudgets;
export const { type: controllerRevisions } = watched.controllerRevisions;
export const { type: deployments } = watched.deployments;

/** The kinds of the objects that the operator makes for a LlamaDeployment. */
export const childTypes: readonly ResourceType[] = Object.values(watched)
  .filter(({ owned }) => owned)
  .map(({ type }) => type);

const byKind: ReadonlyMap<string, ResourceType> = new Map(childTypes.map((type) => [type.kind, type]));

/** The type of a child, to apply or delete it. @throws TypeError for a kind that the operator does not make */
export function childTypeOf({ kind }: KubeObject): ResourceType {
  const type = byKind.get(kind);
  if (type === undefined) throw new TypeError(`the operator makes no ${kind}`);
  return type;
}
