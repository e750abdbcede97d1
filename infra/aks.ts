// What a person's own Pulumi program gets for Azure Kubernetes Service: `@llama-operator/infra/aks`.
export { AksControlPlane } from "./components/aks/cluster.ts";
export type { AksControlPlaneArgs } from "./components/aks/cluster.ts";
export { AksGpuDrivers } from "./components/aks/gpu-drivers.ts";
export type { AksGpuDriversArgs } from "./components/aks/gpu-drivers.ts";
export { AksGpuNodePool } from "./components/aks/gpu-node-pool.ts";
export type { AksGpuNodePoolArgs } from "./components/aks/gpu-node-pool.ts";
export { aksEndpoint, aksKubeconfig } from "./components/aks/kubeconfig.ts";
export { AksNetwork } from "./components/aks/network.ts";
export type { AksNetworkArgs } from "./components/aks/network.ts";
export { agentPoolReplacingFields } from "./components/aks/replacing-fields.ts";
