// Declares what the controllers watch, with the trimming and the indexes that they rely on, in one place.
import type { KubeObject, Live, ResourceType } from "@llama-operator/kube-runtime/client";
import type { Cache, Informer } from "@llama-operator/kube-runtime/cache";
import { deploymentLabel } from "../workloads/labels.ts";
import { byDeployment, type Caches } from "./caches.ts";
import * as kinds from "./kinds.ts";
import { projectNode, type Node } from "./node.ts";
import { projectPod, type Pod } from "./pod.ts";

function deploymentKey({ metadata }: Live<KubeObject>): readonly string[] {
  const name = metadata.labels?.[deploymentLabel];
  return name === undefined ? [] : [`${metadata.namespace ?? ""}/${name}`];
}

const indexes = { [byDeployment]: deploymentKey };

/** @throws RangeError when one of the kinds is declared elsewhere */
export function declareInformers(cache: Cache) {
  const owned = (type: ResourceType, optional = false): Informer<KubeObject> =>
    cache.add<KubeObject>({ type, indexes, trim: kinds.projectOwned, optional });
  return {
    llamaDeployments: cache.add({ type: kinds.llamaDeployments }),
    gpuPools: cache.add({ type: kinds.gpuPools }),
    nodes: cache.add<Node>({ type: kinds.nodes as ResourceType<Node>, trim: projectNode }),
    namespaces: cache.add({ type: kinds.namespaces, trim: kinds.projectNamespace }),
    pods: cache.add<Pod>({ type: kinds.pods as ResourceType<Pod>, indexes, trim: projectPod }),
    services: owned(kinds.services),
    serviceAccounts: owned(kinds.serviceAccounts),
    podDisruptionBudgets: owned(kinds.podDisruptionBudgets),
    controllerRevisions: owned(kinds.controllerRevisions),
    deployments: owned(kinds.deployments),
    leaderWorkerSets: owned(kinds.leaderWorkerSets, true),
  };
}

export type Informers = ReturnType<typeof declareInformers>;

/** The stores behind the informers, as reconcilers read them. */
export function cachesOf(informers: Informers): Caches {
  const { leaderWorkerSets } = informers;
  return {
    llamaDeployments: informers.llamaDeployments.store,
    gpuPools: informers.gpuPools.store,
    nodes: informers.nodes.store,
    namespaces: informers.namespaces.store,
    pods: informers.pods.store,
    services: informers.services.store,
    serviceAccounts: informers.serviceAccounts.store,
    podDisruptionBudgets: informers.podDisruptionBudgets.store,
    controllerRevisions: informers.controllerRevisions.store,
    deployments: informers.deployments.store,
    leaderWorkerSets: leaderWorkerSets.store,
    servesLeaderWorkerSets: () => leaderWorkerSets.served,
  };
}
