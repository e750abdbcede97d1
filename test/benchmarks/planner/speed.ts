// How many plans one core makes a second: of new specs, and of specs whose plan is in force, as in every reconcile.
import { gpuPoolSpec } from "../../../src/llama/api/gpu-pool.ts";
import { llamaDeploymentSpec } from "../../../src/llama/api/llama-deployment.ts";
import { wishOf } from "../../../src/llama/planning/intent/wish.ts";
import type { PlanRequest, PoolFacts } from "../../../src/llama/planning/plan.ts";
import { plan } from "../../../src/llama/planning/planner.ts";

const models = ["llama-3.1-8b-instruct", "llama-3.3-70b-instruct", "llama-3.1-405b-instruct"];
const rounds = 3000;

export interface PlanSpeed {
  readonly model: string;
  /** Plans a second with no plan in force: every layout of every checkpoint is tried. */
  readonly fresh: number;
  /** Plans a second with the plan in force. */
  readonly kept: number;
}

function perSecond(request: PlanRequest): number {
  for (let count = 0; count < rounds; count += 1) plan(request);
  const started = performance.now();
  for (let count = 0; count < rounds; count += 1) plan(request);
  return (rounds * 1000) / (performance.now() - started);
}

/** Measures on a pool of eight H100 a node. */
export function planSpeeds(): readonly PlanSpeed[] {
  const spec = gpuPoolSpec.parse({
    gpu: { product: "nvidia-h100-80gb", perNode: 8 },
    machineShape: "a3-highgpu-8g",
  });
  const pools: readonly PoolFacts[] = [{ name: "h100", labels: {}, spec }];
  return models.map((model) => {
    const request: PlanRequest = { spec: llamaDeploymentSpec.parse({ model: { name: model } }), pools };
    const madeFor = wishOf(request.spec);
    const current = plan(request);
    if (current.kind === "refusal") throw new Error(current.message);
    return {
      model,
      fresh: perSecond(request),
      kept: perSecond({ ...request, current: { plan: current, madeFor } }),
    };
  });
}
