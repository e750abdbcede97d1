// Whether a pool's driver runs the engine of the models on it. Clouds choose drivers by themselves and do not say which
// before there is a node, so this checks only pools whose configuration states a branch.
import { vllmDriverFloor } from "@llama-operator/llama/catalog";
import type { PoolConfiguration } from "../config/pool.ts";
import { nameOf } from "./placed-model.ts";
import type { PlacedModel, RefusedModel } from "./placed-model.ts";

/** Models whose engine is newer than their pool's driver. What a custom image holds is not known. */
export function driverProblems(
  pools: readonly PoolConfiguration[],
  placed: readonly PlacedModel[],
): readonly RefusedModel[] {
  return placed.flatMap(({ model, plan }) => {
    const index = pools.findIndex(({ name }) => name === plan.pool);
    const branch = pools[index]?.driverBranch;
    if (branch === undefined || model.spec.engine.image !== undefined) return [];
    const { cuda, driverBranch } = vllmDriverFloor;
    if (branch >= driverBranch) return [];
    return [
      {
        model: nameOf(model),
        message: `the image of vLLM ${plan.engine.version} has CUDA ${cuda}, which needs driver ${driverBranch} or later, and pool ${plan.pool} has ${branch}. What would work: a newer driver and pools[${index}].driverBranch ${driverBranch}, or a spec.engine.image of yours with an older CUDA`,
      },
    ];
  });
}
