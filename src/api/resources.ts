// The two kinds as the API server serves them: where their URLs lie, and the shape of a whole object.
// Plain data and types; the client and the controllers build on them.
import type { GpuPoolSpec, GpuPoolStatus } from "./gpu-pool.ts";
import type { LlamaDeploymentSpec, LlamaDeploymentStatus } from "./llama-deployment.ts";

export const apiGroup = "llama-operator.dev";
export const apiGroupVersion = `${apiGroup}/v1alpha1` as const;

/** LlamaDeployments: namespaced. */
export const llamaDeployments = {
  group: apiGroup,
  version: "v1alpha1",
  kind: "LlamaDeployment",
  plural: "llamadeployments",
  namespaced: true,
} as const;

/** GpuPools: cluster-scoped. */
export const gpuPools = {
  group: apiGroup,
  version: "v1alpha1",
  kind: "GpuPool",
  plural: "gpupools",
  namespaced: false,
} as const;

/** The metadata that both kinds carry; timestamps are RFC 3339. */
export interface ResourceMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
}

/** A LlamaDeployment, its spec with all defaults, as the API server returns it. */
export interface LlamaDeployment {
  readonly apiVersion: typeof apiGroupVersion;
  readonly kind: "LlamaDeployment";
  readonly metadata: ResourceMetadata;
  readonly spec: LlamaDeploymentSpec;
  readonly status?: LlamaDeploymentStatus;
}

/** A GpuPool, its spec with all defaults, as the API server returns it. */
export interface GpuPool {
  readonly apiVersion: typeof apiGroupVersion;
  readonly kind: "GpuPool";
  readonly metadata: ResourceMetadata;
  readonly spec: GpuPoolSpec;
  readonly status?: GpuPoolStatus;
}
