// What a person's own Pulumi program gets for Google Kubernetes Engine: `@llama-operator/infra/gke`.
export { GkeControlPlane } from "./components/gke/cluster.ts";
export type { GkeControlPlaneArgs } from "./components/gke/cluster.ts";
export { GkeFabricNetworks } from "./components/gke/fabric-networks.ts";
export type { GkeFabricNetworksArgs, FabricNetwork } from "./components/gke/fabric-networks.ts";
export { GkeFabricObjects } from "./components/gke/fabric-objects.ts";
export type { GkeFabricObjectsArgs } from "./components/gke/fabric-objects.ts";
export { GkeGpuNodePool } from "./components/gke/gpu-node-pool.ts";
export type { GkeGpuNodePoolArgs } from "./components/gke/gpu-node-pool.ts";
export { gkeContext, gkeKubeconfig } from "./components/gke/kubeconfig.ts";
export { GkeNetwork } from "./components/gke/network.ts";
export type { GkeNetworkArgs } from "./components/gke/network.ts";
export { GkeNodeIdentity } from "./components/gke/node-identity.ts";
export type { GkeNodeIdentityArgs } from "./components/gke/node-identity.ts";
export { GkeSystemPool } from "./components/gke/system-pool.ts";
export type { GkeSystemPoolArgs } from "./components/gke/system-pool.ts";
export type { GkeCluster } from "./config/clouds/gke/cluster.ts";
export type { GkePool } from "./config/clouds/gke/pool.ts";
