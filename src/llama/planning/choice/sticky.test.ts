import { describe, expect, test } from "vitest";
import { examplePool, exampleSpec, h100Pool } from "../../testing/example-pools.ts";
import { wishOf } from "../intent/wish.ts";
import type { Plan, PlanInForce, PoolFacts } from "../plan.ts";
import { plan } from "../planner.ts";

type Fields = Readonly<Record<string, unknown>>;

function planned(spec: Fields, pools: readonly PoolFacts[], current?: PlanInForce): Plan {
  const result = plan({ spec: exampleSpec(spec), pools, ...(current && { current }) });
  if (result.kind === "refusal") throw new Error(result.message);
  return result;
}

const spec: Fields = { model: { name: "llama-3.1-70b-instruct" } };
const h200Pool = examplePool("h200", {
  gpu: { product: "nvidia-h200-141gb", perNode: 8 },
  machineShape: "a3-ultragpu-8g",
});
const inForce = planned(spec, [h100Pool]);
const current: PlanInForce = { plan: inForce, madeFor: wishOf(exampleSpec(spec)) };

/** As another catalog and another planner would have made it. */
function otherwise(plan: Plan): Plan {
  const { source } = plan.weights;
  if (source.kind !== "huggingFace") throw new Error("expected a repository");
  return {
    ...plan,
    weights: { ...plan.weights, source: { ...source, revision: "f".repeat(40) } },
    tensor: 8,
    gpusPerReplica: 8,
    pod: { ...plan.pod, gpus: 8 },
    kvCache: "fp8",
    limits: { ...plan.limits, maxNumSeqs: 96, gpuMemoryUtilization: 0.77 },
    memoryPerGpu: { ...plan.memoryPerGpu, weights: plan.memoryPerGpu.total },
  };
}

describe("the plan in force is kept as it is", () => {
  test("when a better pool comes", () => {
    expect(planned(spec, [h100Pool, h200Pool]).pool).toBe("h200");
    expect(planned(spec, [h100Pool, h200Pool], current)).toBe(inForce);
  });

  test("when its pool is full", () => {
    expect(planned(spec, [{ ...h100Pool, freeGpus: [0] }], current)).toBe(inForce);
  });

  test.each([
    ["another number of replicas", { replicas: 3 }],
    ["a flag that no memory follows from", { engine: { args: { seed: "1" } } }],
    ["another image", { engine: { image: "example.com/vllm" } }],
    ["what is the default anyway", { context: { minConcurrency: 1 }, quantization: { kvCache: "auto" } }],
  ] as const)("when the spec asks for %s", (_, changed) => {
    const older = { ...current, plan: otherwise(inForce) };
    expect(planned({ ...spec, ...changed }, [h100Pool], older)).toBe(older.plan);
  });

  test.each([
    { persistentVolumeClaim: { claimName: "weights", path: "70b" } },
    { huggingFace: { repository: "acme/llama", revision: "0".repeat(40) } },
  ])("when it was stored with its keys in another order, with weights from %j", (source) => {
    const wanted: Fields = { model: { name: "llama-3.1-70b-instruct", source } };
    const made = planned(wanted, [h100Pool]);
    const stored = Object.fromEntries(Object.entries(made.weights.source).toReversed());
    const plan = { ...made, kvCacheTokens: 1, weights: { ...made.weights, source: stored } } as Plan;
    expect(planned(wanted, [h100Pool], { plan, madeFor: undefined })).toBe(plan);
  });

  test("when a newer catalog and planner would have made it otherwise, or say that it does not fit", () => {
    const older = { ...current, plan: otherwise(inForce) };
    expect(planned(spec, [h100Pool], older)).toBe(older.plan);
  });

  test("when it is not known what it was made for, and it has all that the spec names", () => {
    const older = otherwise(inForce);
    expect(planned(spec, [h100Pool], { plan: older })).toBe(older);
    expect(planned({ ...spec, parallelism: { tensor: 8 } }, [h100Pool], { plan: older })).toBe(older);
  });
});

describe("the plan in force gives way", () => {
  const changes: readonly (readonly [string, Fields])[] = [
    ["another model", { model: { name: "llama-3.3-70b-instruct" } }],
    ["another context", { ...spec, context: { maxTokens: 8192 } }],
    ["more requests than it holds", { ...spec, context: { minConcurrency: 2 } }],
    ["other degrees", { ...spec, parallelism: { tensor: 4 } }],
    ["another format of weights", { ...spec, quantization: { weights: "bf16" } }],
    ["another KV cache", { ...spec, quantization: { kvCache: "fp8" } }],
    ["another version of the engine", { ...spec, engine: { version: "0.33.0" } }],
    ["another batch", { ...spec, engine: { args: { "max-num-seqs": "64" } } }],
  ];
  test.each(changes)("to %s", (_, changed) => {
    for (const given of [current, { plan: inForce }]) {
      expect(planned(changed, [h100Pool], given)).toEqual(planned(changed, [h100Pool]));
      expect(planned(changed, [h100Pool], given)).not.toEqual(inForce);
    }
  });

  test.each(changes)("to the spec of the beginning, after %s", (_, changed) => {
    const made = { plan: planned(changed, [h100Pool]), madeFor: wishOf(exampleSpec(changed)) };
    expect(planned(spec, [h100Pool], made)).toEqual(inForce);
  });

  test("when its pool has gone", () => {
    expect(planned(spec, [h200Pool], current).pool).toBe("h200");
  });

  test("when its pool has other GPUs now", () => {
    const changed = examplePool("h100", { gpu: { product: "nvidia-h200-141gb", perNode: 8 } });
    expect(planned(spec, [changed], current).gpu).toBe("nvidia-h200-141gb");
  });
});
