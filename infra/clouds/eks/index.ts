// What a person's own Pulumi program gets for Amazon EKS: `@llama-operator/infra/eks`.
export { EksControlPlane } from "./components/cluster.ts";
export type { EksControlPlaneArgs } from "./components/cluster.ts";
export { EfaSecurityGroup } from "./components/efa-security-group.ts";
export type { EfaSecurityGroupArgs } from "./components/efa-security-group.ts";
export { EksGpuDrivers } from "./components/gpu-drivers.ts";
export type { EksGpuDriversArgs } from "./components/gpu-drivers.ts";
export { EksGpuNodePool } from "./components/gpu-node-pool.ts";
export type { EksGpuNodePoolArgs } from "./components/gpu-node-pool.ts";
export { eksKubeconfig } from "./components/kubeconfig.ts";
export { EksNetwork } from "./components/network.ts";
export type { EksNetworkArgs } from "./components/network.ts";
export { nodeGroupReplacingFields } from "./components/replacing-fields.ts";
/** A pool as `guardPools` takes it, with all that it stands on. */
export { guardedPool as guardedEksPool } from "./guarded-pool.ts";
