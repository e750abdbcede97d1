// What a person's own Pulumi program gets for Google Kubernetes Engine: `@llama-operator/infra/gke`.
export { GkeControlPlane } from "./components/cluster.ts";
export type { GkeControlPlaneArgs } from "./components/cluster.ts";
export { GkeFabricNetworks } from "./components/fabric-networks.ts";
export type { GkeFabricNetworksArgs, FabricNetwork } from "./components/fabric-networks.ts";
export { GkeFabricObjects } from "./components/fabric-objects.ts";
export type { GkeFabricObjectsArgs } from "./components/fabric-objects.ts";
export { GkeGpuOperator } from "./components/gpu-operator.ts";
export type { GkeGpuOperatorArgs } from "./components/gpu-operator.ts";
export { GkeGpuNodePool } from "./components/gpu-node-pool.ts";
export type { GkeGpuNodePoolArgs } from "./components/gpu-node-pool.ts";
export { gkeContext, gkeKubeconfig } from "./components/kubeconfig.ts";
export { GkeNetwork } from "./components/network.ts";
export type { GkeNetworkArgs } from "./components/network.ts";
export { GkeNodeIdentity } from "./components/node-identity.ts";
export type { GkeNodeIdentityArgs } from "./components/node-identity.ts";
export { GkeSystemPool } from "./components/system-pool.ts";
export type { GkeSystemPoolArgs } from "./components/system-pool.ts";
export type { GkeCluster } from "./config/cluster.ts";
export type { GkePool } from "./config/pool.ts";
export { nodePoolReplacingFields } from "./components/replacing-fields.ts";
/** A pool as `guardPools` takes it, with all that it stands on. */
export { guardedPool as guardedGkePool } from "./guarded-pool.ts";
