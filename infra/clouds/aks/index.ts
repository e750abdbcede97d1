// What a person's own Pulumi program gets for Azure Kubernetes Service: `@llama-operator/infra/aks`.
export { AksControlPlane } from "./components/cluster.ts";
export type { AksControlPlaneArgs } from "./components/cluster.ts";
export { AksGpuDrivers } from "./components/gpu-drivers.ts";
export type { AksGpuDriversArgs } from "./components/gpu-drivers.ts";
export { AksGpuNodePool } from "./components/gpu-node-pool.ts";
export type { AksGpuNodePoolArgs } from "./components/gpu-node-pool.ts";
export { aksEndpoint, aksKubeconfig } from "./components/kubeconfig.ts";
export { AksNetwork } from "./components/network.ts";
export type { AksNetworkArgs } from "./components/network.ts";
export { agentPoolReplacingFields } from "./components/replacing-fields.ts";
/** A pool as `guardPools` takes it, with all that it stands on. */
export { guardedPool as guardedAksPool } from "./guarded-pool.ts";
