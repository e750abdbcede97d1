// LlamaDeployments as a person would write them, made side by side over a given number of connections.
import { apiGroupVersion, llamaDeployments } from "../../../src/llama/api/resources.ts";
import type { KubeClient } from "../../../src/kube-runtime/client/client.ts";
import type { KubeObject, Live } from "../../../src/kube-runtime/client/object.ts";
import { resourceType } from "../../../src/kube-runtime/client/resource.ts";

export const deploymentType = resourceType<Manifest>(llamaDeployments);

/** The connections of a client: the operator's default, and the bare loop's. */
export const connections = 16;

export interface Manifest extends KubeObject {
  readonly spec: object;
  readonly status?: { readonly readyReplicas?: number; readonly conditions?: readonly StatusCondition[] };
}

interface StatusCondition {
  readonly type: string;
  readonly status: string;
}

const namespaces = resourceType({
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  namespaced: false,
});

/** Names of one length, so that each can be found in a text. */
export function nameOf(index: number): string {
  return `llama-${String(index).padStart(5, "0")}`;
}

export const namePattern = /llama-\d{5}/;

/** Llama 3.1 8B with everything planned: one GPU a replica. */
export function manifest(namespace: string, name: string, replicas: number): Manifest {
  return {
    apiVersion: apiGroupVersion,
    kind: "LlamaDeployment",
    metadata: { name, namespace },
    spec: { model: { name: "llama-3.1-8b-instruct" }, replicas },
  };
}

/** Creates them in order, as many at a time as there are connections. */
export async function createAll(
  client: KubeClient,
  manifests: readonly Manifest[],
  signal: AbortSignal,
  onCreated: (object: Live<Manifest>) => void = () => undefined,
): Promise<void> {
  const remaining = manifests.values();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (const each of remaining) onCreated(await client.create(deploymentType, each, { signal }));
    }),
  );
}

export async function createNamespace(client: KubeClient, name: string, signal: AbortSignal): Promise<void> {
  await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } }, { signal });
}

/** Deletes a namespace; what is in it goes with it. */
export async function deleteNamespace(client: KubeClient, name: string, signal: AbortSignal): Promise<void> {
  await client.delete(namespaces, { name }, { signal });
}

/** Whether the namespace is gone, with all that was in it. */
export async function isNamespaceGone(
  client: KubeClient,
  name: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { items } = await client.list(namespaces, { fieldSelector: `metadata.name=${name}`, signal });
  return items.length === 0;
}
