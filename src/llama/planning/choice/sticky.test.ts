import { describe, expect, test } from "vitest";
import { examplePool, exampleSpec, h100Pool } from "../../testing/example-pools.ts";
import type { Plan, PoolFacts } from "../plan.ts";
import { plan } from "../planner.ts";

type Fields = Readonly<Record<string, unknown>>;

function planned(spec: Fields, pools: readonly PoolFacts[], current?: Plan): Plan {
  const result = plan({ spec: exampleSpec(spec), pools, ...(current && { current }) });
  if (result.kind === "refusal") throw new Error(result.message);
  return result;
}

const spec: Fields = { model: { name: "llama-3.1-70b-instruct" } };
const h200Pool = examplePool("h200", {
  gpu: { product: "nvidia-h200-141gb", perNode: 8 },
  machineShape: "a3-ultragpu-8g",
});
const current = planned(spec, [h100Pool]);

describe("the plan in force is kept as it is", () => {
  test("when a better pool comes", () => {
    expect(planned(spec, [h100Pool, h200Pool]).pool).toBe("h200");
    expect(planned(spec, [h100Pool, h200Pool], current)).toBe(current);
  });

  test("when its pool is full", () => {
    expect(planned(spec, [{ ...h100Pool, freeGpus: [0] }], current)).toBe(current);
  });

  test("when the spec changes in what it answers anyway", () => {
    expect(planned({ ...spec, replicas: 3 }, [h100Pool], current)).toBe(current);
    expect(planned({ ...spec, parallelism: { tensor: 2 } }, [h100Pool], current)).toBe(current);
    expect(planned({ ...spec, quantization: { weights: "fp8" } }, [h100Pool], current)).toBe(current);
  });

  test("when a newer catalog would pin another revision", () => {
    const { source } = current.weights;
    if (source.kind !== "huggingFace") throw new Error("expected a repository");
    const older: Plan = {
      ...current,
      weights: { ...current.weights, source: { ...source, revision: "f".repeat(40) } },
    };
    expect(planned(spec, [h100Pool], older)).toBe(older);
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
    expect(planned(changed, [h100Pool], current)).toEqual(planned(changed, [h100Pool]));
    expect(planned(changed, [h100Pool], current)).not.toEqual(current);
  });

  test("when its pool has gone", () => {
    expect(planned(spec, [h200Pool], current).pool).toBe("h200");
  });

  test("when its pool has other GPUs now", () => {
    const changed = examplePool("h100", { gpu: { product: "nvidia-h200-141gb", perNode: 8 } });
    expect(planned(spec, [changed], current).gpu).toBe("nvidia-h200-141gb");
  });
});
