// What a person's own Pulumi program gets for Amazon EKS: `@llama-operator/infra/eks`.
export { EksControlPlane } from "./components/eks/cluster.ts";
export type { EksControlPlaneArgs } from "./components/eks/cluster.ts";
export { EfaSecurityGroup } from "./components/eks/efa-security-group.ts";
export type { EfaSecurityGroupArgs } from "./components/eks/efa-security-group.ts";
export { EksGpuDrivers } from "./components/eks/gpu-drivers.ts";
export type { EksGpuDriversArgs } from "./components/eks/gpu-drivers.ts";
export { EksGpuNodePool } from "./components/eks/gpu-node-pool.ts";
export type { EksGpuNodePoolArgs } from "./components/eks/gpu-node-pool.ts";
export { eksKubeconfig } from "./components/eks/kubeconfig.ts";
export { EksNetwork } from "./components/eks/network.ts";
export type { EksNetworkArgs } from "./components/eks/network.ts";
export { nodeGroupReplacingFields } from "./components/eks/replacing-fields.ts";
