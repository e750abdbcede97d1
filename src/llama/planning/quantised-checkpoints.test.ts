// What a checkpoint's quantisation allows, through the planner: layouts that vLLM refuses are refused by the method's
// name, are never chosen, and what would work is offered.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { examplePool, exampleSpec, h100Pool } from "../testing/example-pools.ts";
import type { Plan, Refusal } from "./plan.ts";
import { plan } from "./planner.ts";

const source = { persistentVolumeClaim: { claimName: "w" } };

const llama70b = {
  hiddenSize: 8192,
  layers: 80,
  attentionHeads: 64,
  keyValueHeads: 8,
  headDimension: 128,
  feedForwardSize: 28_672,
  vocabularySize: 128_256,
  maxPositions: 131_072,
};

const small = {
  hiddenSize: 256,
  layers: 1,
  attentionHeads: 2,
  keyValueHeads: 2,
  headDimension: 128,
  feedForwardSize: 384,
  vocabularySize: 64,
  maxPositions: 4096,
};

const blocks = (outputs: number, inputs: number) => ({
  weights: "fp8",
  quantMethod: "fp8",
  quantBlock: { outputs, inputs },
});

const ask = (
  profile: Readonly<Record<string, unknown>>,
  spec: Readonly<Record<string, unknown>> = {},
): Plan | Refusal =>
  plan({
    spec: exampleSpec({ model: { name: "ours", profile, source }, ...spec }),
    pools: [h100Pool],
  });
const withTensor = (profile: Readonly<Record<string, unknown>>, tensor: number) =>
  ask(profile, { parallelism: { tensor } });

function planned(result: Plan | Refusal): Plan {
  if (result.kind === "refusal") throw new Error(result.message);
  return result;
}

function refused(result: Plan | Refusal): Refusal {
  if (result.kind === "plan") throw new Error(`planned: ${result.because.join("; ")}`);
  return result;
}

describe("bitsandbytes that is already quantised", () => {
  const bitsandbytes = { weights: "int4", quantMethod: "bitsandbytes" };

  test("is never split by tensor: 70B takes pipeline stages inside the node", () => {
    const spec = { context: { minConcurrency: 4 } };
    expect(planned(ask({ ...llama70b, ...bitsandbytes }, spec))).toMatchObject({
      tensor: 1,
      pipeline: 4,
      nodesPerReplica: 1,
    });
  });

  test("is refused with a tensor degree by its name, and degree 1 or stages are offered", () => {
    const { reason, message, alternatives } = refused(withTensor({ ...small, ...bitsandbytes }, 2));
    expect(reason).toBe("IllegalParallelism");
    expect(message).toBe(
      "parallelism.tensor 2 cannot split a checkpoint that is quantised by bitsandbytes, whose scales belong to whole matrices; pipeline stages can (ours in INT4); legal degrees are 1",
    );
    expect(alternatives[0]?.patch).toEqual({ parallelism: { tensor: 1 } });
    const large = refused(
      ask({ ...llama70b, ...bitsandbytes }, { context: { minConcurrency: 4 }, parallelism: { tensor: 4 } }),
    );
    expect(large.alternatives[0]?.summary).toContain("tensor 1 x pipeline 4");
  });

  test("says that the published image has no loader for it, unless the spec names an image", () => {
    const note = expect.stringContaining("through vllm-bnb-plugin");
    expect(planned(ask({ ...small, ...bitsandbytes })).because).toContainEqual(note);
    const own = { engine: { image: "registry.example/vllm-bnb:1" } };
    expect(planned(ask({ ...small, ...bitsandbytes }, own)).because).not.toContainEqual(note);
    const older = { engine: { version: "0.27.1" } };
    expect(planned(ask({ ...small, ...bitsandbytes }, older)).because).not.toContainEqual(note);
  });
});

describe("blocks of FP8 weights", () => {
  test("are not cut: 384 gate outputs over two GPUs are 192, no multiple of 128", () => {
    const profile = { ...small, ...blocks(128, 128) };
    const { reason, message, alternatives } = refused(withTensor(profile, 2));
    expect(reason).toBe("IllegalParallelism");
    expect(message).toBe(
      "parallelism.tensor 2 would cut blocks of 128 x 128 FP8 weights that share a scale: gate_proj has 192 outputs on each GPU, which 128 does not divide (ours in FP8); legal degrees are 1",
    );
    expect(alternatives[0]?.patch).toEqual({ parallelism: { tensor: 1 } });
    expect(planned(ask(profile)).tensor).toBe(1);
    // Blocks of another size are judged by their own.
    expect(planned(withTensor({ ...small, ...blocks(64, 64) }, 2)).tensor).toBe(2);
  });

  // Four heads and 1,024 columns over two GPUs: 512 of each, so that one number at a time can break.
  const even = { ...small, hiddenSize: 512, attentionHeads: 4, keyValueHeads: 4, feedForwardSize: 1024 };
  test.each([
    ["q_proj", { attentionHeads: 6, keyValueHeads: 2, headDimension: 64 }, blocks(128, 64), "192 outputs"],
    ["k_proj", { attentionHeads: 8, keyValueHeads: 2, headDimension: 64 }, blocks(128, 64), "64 outputs"],
    ["o_proj", { attentionHeads: 6, keyValueHeads: 2, headDimension: 64 }, blocks(64, 128), "192 inputs"],
    ["gate_proj", { feedForwardSize: 1152 }, blocks(128, 64), "576 outputs"],
    ["down_proj", { feedForwardSize: 1152 }, blocks(64, 128), "576 inputs"],
  ])("are judged for %s by itself", (matrix, sizes, quantised, what) => {
    const { message } = refused(withTensor({ ...even, ...sizes, ...quantised }, 2));
    expect(message).toContain(`${matrix} has ${what} on each GPU`);
    expect(planned(withTensor({ ...even, ...sizes, weights: "fp8", quantMethod: "fp8" }, 2)).tensor).toBe(2);
  });

  test("must end where merged matrices meet, even on one GPU; the last of them need not", () => {
    const odd = { ...even, feedForwardSize: 1056 };
    const { message } = refused(ask({ ...odd, ...blocks(128, 128) }));
    expect(message).toBe(
      "any tensor degree would cut blocks of 128 x 128 FP8 weights that share a scale: gate_proj has 1056 outputs on each GPU, which 128 does not divide (ours in FP8); no degree is legal: name another checkpoint",
    );
    const lastIsOdd = { ...even, attentionHeads: 4, keyValueHeads: 1 };
    expect(planned(ask({ ...lastIsOdd, ...blocks(128, 256) })).tensor).toBe(1);
  });

  test("leave a model of 70B every degree of its shapes", () => {
    for (const tensor of [1, 2, 4, 8]) {
      expect(
        planned(
          ask(
            { ...llama70b, ...blocks(128, 128) },
            { parallelism: { tensor }, context: { maxTokens: 4096 } },
          ),
        ).tensor,
      ).toBe(tensor);
    }
  });
});

describe("groups of integers", () => {
  const int4 = { ...small, weights: "int4", quantMethod: "gptq" };

  test("are those that the profile states, and of 128 where it states none", () => {
    expect(refused(withTensor(int4, 2)).message).toContain(
      "would cut groups of 128 INT4 weights that share a scale: down_proj has 192 inputs on each GPU",
    );
    expect(planned(withTensor({ ...int4, quantBlock: { outputs: 1, inputs: 64 } }, 2)).tensor).toBe(2);
    expect(planned(withTensor({ ...int4, quantBlock: { outputs: 1 } }, 2)).tensor).toBe(2);
    expect(
      refused(withTensor({ ...int4, weights: "int8", quantBlock: { outputs: 1, inputs: 128 } }, 2)).message,
    ).toContain("groups of 128 INT8 weights");
  });
});

describe("a method", () => {
  test.each(["torchao", "hqq", "quip", "eetq", "deepspeedfp", "quark", "aqlm", "mxfp4"])(
    "that is not known is refused by its name, whatever the weights look like: %s",
    (quantMethod) => {
      for (const quantization of [{}, { weights: "fp8" }]) {
        const { reason, message } = refused(
          ask({ ...small, weights: "bf16", quantMethod }, { quantization }),
        );
        expect(reason).toBe("InvalidSpec");
        expect(message).toContain(`quantisation method ${quantMethod} is not known to the operator`);
      }
    },
  );

  test("of ModelOpt is refused on GPUs without FP8 arithmetic, from whoever it comes", () => {
    const result = plan({
      spec: exampleSpec({
        model: { name: "ours", profile: { ...small, weights: "fp8", quantMethod: "modelopt" }, source },
      }),
      pools: [examplePool("a100", { gpu: { product: "nvidia-a100-80gb", perNode: 8 } })],
    });
    expect(refused(result).message).toContain("is a modelopt checkpoint, whose kernels the A100 80GB lacks");
  });

  test("of GGUF is refused in every width, 16 bits too", () => {
    for (const weights of ["bf16", "int8", "int4"]) {
      expect(refused(ask({ ...small, weights, quantMethod: "gguf" })).message).toContain(
        "vLLM loads no GGUF files",
      );
    }
  });
});

describe("a checkpoint that declares an FP8 KV cache", () => {
  const declared = { ...llama70b, weights: "fp8", quantMethod: "modelopt", declaresFp8KvCache: true };
  const about = (result: Plan | Refusal) =>
    planned(result).because.filter((line) => line.includes("declares an FP8 KV cache"));

  test("is planned in BF16, and the plan says how many tokens FP8 would hold", () => {
    const [line = ""] = about(ask(declared));
    const asked = planned(ask(declared, { quantization: { kvCache: "fp8" } }));
    const tokens = asked.kvCacheTokens.toLocaleString("en-US");
    expect(line).toBe(
      `the checkpoint declares an FP8 KV cache: with quantization.kvCache fp8 it would hold ${tokens} tokens`,
    );
    expect(about(ask(declared, { quantization: { kvCache: "fp8" } }))).toEqual([]);
    expect(about(ask(declared, { quantization: { kvCache: "bf16" } }))).toEqual([]);
  });

  test("is said of the catalog's as well", () => {
    const spec = exampleSpec({
      model: { name: "llama-3.1-70b-instruct" },
      quantization: { weights: "fp8" },
    });
    expect(about(plan({ spec, pools: [h100Pool] }))).toHaveLength(1);
  });
});

test("no degree is ever chosen that cuts what shares a scale, and none is offered", () => {
  const side = fc.constantFrom(1, 16, 32, 64, 96, 128, 256);
  const model = fc.record({
    attentionHeads: fc.constantFrom(2, 4, 6, 8, 12, 16, 24, 32),
    grouping: fc.constantFrom(1, 2, 4, 8),
    headDimension: fc.constantFrom(32, 64, 96, 128),
    feedForwardSize: fc.integer({ min: 4, max: 64 }).map((parts) => parts * 96),
    scheme: fc.oneof(
      fc.record({ weights: fc.constant("fp8"), outputs: side, inputs: side }),
      fc.record({ weights: fc.constantFrom("int4", "int8"), outputs: fc.constant(1), inputs: side }),
    ),
    tensor: fc.option(fc.constantFrom(1, 2, 4, 8), { nil: undefined }),
  });
  fc.assert(
    fc.property(model, ({ attentionHeads, grouping, headDimension, feedForwardSize, scheme, tensor }) => {
      const keyValueHeads = Math.max(1, Math.floor(attentionHeads / grouping));
      const { weights, outputs, inputs } = scheme;
      const sizes = { attentionHeads, keyValueHeads, headDimension, feedForwardSize, hiddenSize: 1536 };
      const profile = { ...small, ...sizes, weights, quantMethod: "fp8", quantBlock: { outputs, inputs } };
      const result = ask(profile, tensor === undefined ? {} : { parallelism: { tensor } });
      const keeps = (degree: number) => {
        const perRank = [attentionHeads * headDimension, feedForwardSize].map((width) => width / degree);
        const keyValue = Math.max(1, keyValueHeads / degree) * headDimension;
        const [query = 0, feedForward = 0] = perRank;
        const rows = degree === 1 ? [query, keyValue, feedForward] : [...perRank, keyValue];
        const columns = weights === "fp8" && degree === 1 ? [] : perRank;
        return [...rows.map((width) => width % outputs), ...columns.map((width) => width % inputs)].every(
          (rest) => rest === 0,
        );
      };
      const chosen =
        result.kind === "plan"
          ? [result.tensor]
          : result.alternatives.flatMap(({ patch }) => {
              const { parallelism } = patch as { readonly parallelism?: { readonly tensor?: number | null } };
              return parallelism?.tensor ?? [];
            });
      expect(chosen.filter((degree) => !keeps(degree))).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
