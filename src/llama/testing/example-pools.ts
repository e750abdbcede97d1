// Pools and specs for this folder's tests, written as a user would write them and read through the schemas.
import { gpuPoolSpec } from "../api/gpu-pool.ts";
import { llamaDeploymentSpec } from "../api/llama-deployment.ts";
import type { LlamaDeploymentSpec } from "../api/llama-deployment.ts";
import type { PoolFacts } from "../planning/plan.ts";

/** A pool from a spec as in a manifest. */
export function examplePool(
  name: string,
  spec: Readonly<Record<string, unknown>>,
  facts: Partial<Pick<PoolFacts, "labels" | "freeGpus">> = {},
): PoolFacts {
  return { name, labels: {}, spec: gpuPoolSpec.parse(spec), ...facts };
}

/** A deployment's spec as in a manifest, with its defaults. */
export function exampleSpec(spec: Readonly<Record<string, unknown>>): LlamaDeploymentSpec {
  return llamaDeploymentSpec.parse(spec);
}

/** Nodes of eight H100 80GB: the machine of the demo. */
export const h100Pool = examplePool("h100", {
  gpu: { product: "nvidia-h100-80gb", perNode: 8 },
  machineShape: "a3-highgpu-8g",
});
