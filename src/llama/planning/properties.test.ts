// What must hold of every plan, whatever the model, the pool and the spec: tried with generated ones.
import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { gpuPoolSpec } from "../api/gpu-pool.ts";
import { llamaDeploymentSpec } from "../api/llama-deployment.ts";
import type { LlamaDeploymentSpec } from "../api/llama-deployment.ts";
import { vllmRegimes } from "../catalog/engines/vllm-regimes.ts";
import { gpus } from "../catalog/gpus.ts";
import { models } from "../catalog/models.ts";
import { bf16Layout, fp8Layout } from "../catalog/weight-bytes.ts";
import { mergePatch } from "./choice/alternatives.ts";
import { totalBytes } from "./messages/explanation.ts";
import { accountMemory } from "./memory/memory.ts";
import { wishOf } from "./intent/wish.ts";
import type { PoolFacts } from "./plan.ts";
import { plan, planInDetail } from "./planner.ts";

// Hundreds of plans a property: seconds, but a busy machine may take many.
vi.setConfig({ testTimeout: 60_000 });

const pool: fc.Arbitrary<PoolFacts> = fc
  .record({
    product: fc.constantFrom(...gpus.map(({ name }) => name)),
    perNode: fc.constantFrom(1, 2, 4, 8),
    max: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
    name: fc.constantFrom("a", "b", "c"),
  })
  .map(({ product, perNode, max, name }) => ({
    name,
    labels: {},
    spec: gpuPoolSpec.parse({ gpu: { product, perNode }, ...(max === undefined ? {} : { nodes: { max } }) }),
  }));
const pools = fc.uniqueArray(pool, { minLength: 1, maxLength: 3, selector: ({ name }) => name });

const spec: fc.Arbitrary<LlamaDeploymentSpec> = fc
  .record({
    model: fc.record({ name: fc.constantFrom(...models.map(({ name }) => name)) }),
    quantization: fc.record({
      weights: fc.constantFrom("auto", "bf16", "fp8"),
      kvCache: fc.constantFrom("auto", "bf16", "fp8"),
    }),
    context: fc.record(
      { maxTokens: fc.integer({ min: 1, max: 140_000 }), minConcurrency: fc.integer({ min: 1, max: 64 }) },
      { requiredKeys: [] },
    ),
    parallelism: fc.record(
      { tensor: fc.integer({ min: 1, max: 16 }), pipeline: fc.integer({ min: 1, max: 4 }) },
      { requiredKeys: [] },
    ),
    engine: fc.record(
      {
        version: fc.constantFrom("0.22.0", "0.22.1", "0.24.0", "0.32.0", "0.50.0"),
        args: fc.record(
          {
            "max-num-seqs": fc.constantFrom("1", "16", "256", "1024", "4096"),
            "gpu-memory-utilization": fc.constantFrom("0.5", "0.9", "0.98"),
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    ),
  })
  .map((fields) => llamaDeploymentSpec.parse(fields));

describe("for any spec and pools", () => {
  test("a plan's parts add up to the GPU to the byte, and keep inside the engine's budget", () => {
    fc.assert(
      fc.property(spec, pools, (wanted, offered) => {
        const result = plan({ spec: wanted, pools: offered });
        if (result.kind === "refusal") return;
        const { total, reserved, ...used } = result.memoryPerGpu;
        const usedBytes = Object.values(used).reduce((sum, part) => sum + part, 0);
        expect(usedBytes + reserved).toBe(total);
        expect(Object.values(result.memoryPerGpu).every((part) => Number.isInteger(part) && part >= 0)).toBe(
          true,
        );
        expect(usedBytes).toBeLessThanOrEqual(Math.ceil(result.limits.gpuMemoryUtilization * total));
      }),
      { numRuns: 300 },
    );
  });

  test("the explanation adds up to the GPU to the byte, and its start to the plan's", () => {
    fc.assert(
      fc.property(spec, pools, (wanted, offered) => {
        const details = planInDetail({ spec: wanted, pools: offered });
        if ("kind" in details) return;
        expect(totalBytes(details.terms)).toBe(details.plan.memoryPerGpu.total);
        const phases = details.startup.reduce((sum, [, seconds]) => sum + seconds, 0);
        expect(phases).toBe(details.plan.startupSeconds);
        expect(details.plan).toEqual(plan({ spec: wanted, pools: offered }));
      }),
      { numRuns: 200 },
    );
  });

  test("a plan holds the requests that were asked for, on whole nodes where it spans several", () => {
    fc.assert(
      fc.property(spec, pools, (wanted, offered) => {
        const result = plan({ spec: wanted, pools: offered });
        if (result.kind === "refusal") return;
        const { minConcurrency } = wanted.context;
        expect(result.kvCacheTokens).toBeGreaterThanOrEqual(minConcurrency * result.limits.maxModelLen);
        expect(result.maxConcurrency).toBeGreaterThanOrEqual(minConcurrency);
        expect(result.tensor * result.pipeline).toBe(result.gpusPerReplica);
        const perNode = offered.find(({ name }) => name === result.pool)?.spec.gpu.perNode ?? 0;
        expect(result.nodesPerReplica === 1 ? result.pod.gpus <= perNode : result.pod.gpus === perNode).toBe(
          true,
        );
      }),
      { numRuns: 300 },
    );
  });

  test("what the spec asks for explicitly is kept or refused", () => {
    fc.assert(
      fc.property(spec, pools, (wanted, offered) => {
        const result = plan({ spec: wanted, pools: offered });
        if (result.kind === "refusal") return;
        expect([undefined, result.tensor]).toContain(wanted.parallelism.tensor);
        expect([undefined, result.pipeline]).toContain(wanted.parallelism.pipeline);
        expect(["auto", result.weights.format]).toContain(wanted.quantization.weights);
        expect(["auto", result.kvCache]).toContain(wanted.quantization.kvCache);
        expect([undefined, String(result.limits.maxNumSeqs)]).toContain(wanted.engine.args["max-num-seqs"]);
      }),
      { numRuns: 300 },
    );
  });

  test("every alternative is a valid spec that really plans", () => {
    fc.assert(
      fc.property(spec, pools, (wanted, offered) => {
        const result = plan({ spec: wanted, pools: offered });
        if (result.kind === "plan") return;
        for (const { patch } of result.alternatives) {
          const changed = llamaDeploymentSpec.parse(mergePatch(wanted, patch));
          expect(plan({ spec: changed, pools: offered }).kind).toBe("plan");
        }
      }),
      { numRuns: 200 },
    );
  });

  test("a plan that was made for another spec leaves nothing behind", () => {
    fc.assert(
      fc.property(spec, spec, pools, (earlier, wanted, offered) => {
        const before = plan({ spec: earlier, pools: offered });
        if (before.kind === "refusal") return;
        const current = { plan: before, madeFor: wishOf(earlier) };
        expect(plan({ spec: wanted, pools: offered, current })).toEqual(
          plan({ spec: wanted, pools: offered }),
        );
      }),
      { numRuns: 200 },
    );
  });

  test("a plan is kept when it is planned again with itself in force", () => {
    fc.assert(
      fc.property(spec, pools, (wanted, offered) => {
        const current = plan({ spec: wanted, pools: offered });
        if (current.kind === "refusal") return;
        const madeFor = wishOf(wanted);
        expect(plan({ spec: wanted, pools: offered, current: { plan: current, madeFor } })).toBe(current);
        expect(plan({ spec: wanted, pools: offered, current: { plan: current } })).toBe(current);
      }),
      { numRuns: 200 },
    );
  });
});

test("with the limits fixed, more memory never fits less", () => {
  const input = fc.record({
    model: fc.constantFrom(...models),
    layout: fc.constantFrom(bf16Layout, fp8Layout),
    tensor: fc.constantFrom(1, 2, 4, 8),
    pipeline: fc.constantFrom(1, 2, 3),
    kvCache: fc.constantFrom("bf16" as const, "fp8" as const),
    regime: fc.constantFrom(...vllmRegimes),
    visibleGib: fc.double({ min: 16, max: 180, noNaN: true }),
    moreGib: fc.double({ min: 0, max: 100, noNaN: true }),
    gpuMemoryUtilization: fc.double({ min: 0.3, max: 0.97, noNaN: true }),
    maxNumSeqs: fc.constantFrom(16, 256, 1024),
  });
  fc.assert(
    fc.property(input, ({ model, visibleGib, moreGib, gpuMemoryUtilization, maxNumSeqs, ...rest }) => {
      const limits = {
        maxModelLen: 8192,
        maxNumSeqs,
        maxNumBatchedTokens: 8192,
        gpuMemoryUtilization,
        blockSize: 16,
      };
      const withGib = (gib: number) =>
        accountMemory({
          ...rest,
          architecture: model.architecture,
          gpu: { visibleBytes: Math.floor(gib * 2 ** 30), architecture: "hopper", nvlink: "switch" },
          marginBytes: rest.regime.trust.several.marginBytes,
          limits,
          eager: false,
          minConcurrency: 1,
        });
      const less = withGib(visibleGib);
      const more = withGib(visibleGib + moreGib);
      expect(more.kvCacheTokens).toBeGreaterThanOrEqual(less.kvCacheTokens);
      expect(less.fits && !more.fits).toBe(false);
    }),
    { numRuns: 500 },
  );
});
