// The GPU Operator works on every GPU node of a cluster: beside pools that bring a driver or a device plugin of their own
// it puts a second device plugin, and lays its container toolkit over that of another driver.
// Source: azure.github.io/aks-rdma-infiniband/configurations/gpu-drivers ("mutually exclusive").
import type { ConfigurationProblem } from "../config/problem.ts";

/** Pools that cannot be beside one with the GPU Operator; `message` is told which that is, such as `pools[0]`. */
export function gpuOperatorProblems<Pool extends { readonly driver: string }>(
  pools: readonly (Pool | undefined)[],
  isApart: (pool: Pool) => boolean,
  message: (operated: string, pool: Pool) => string,
): readonly ConfigurationProblem[] {
  const operated = pools.findIndex((pool) => pool?.driver === "gpuOperator");
  if (operated === -1) return [];
  return pools.flatMap((pool, index) =>
    pool !== undefined && isApart(pool)
      ? [{ path: `pools[${index}].driver`, message: message(`pools[${operated}]`, pool) }]
      : [],
  );
}
