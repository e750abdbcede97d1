// The message of every refusal, and what is offered instead: read as a table.
import { describe, expect, test } from "vitest";
import { examplePool, exampleSpec, h100Pool } from "../testing/example-pools.ts";
import type { PoolFacts, Refusal } from "./plan.ts";
import { plan, planInDetail } from "./planner.ts";

function refused(spec: Readonly<Record<string, unknown>>, pools: readonly PoolFacts[] = [h100Pool]): Refusal {
  const result = plan({ spec: exampleSpec(spec), pools });
  if (result.kind === "plan") throw new Error(`planned: ${result.because.join("; ")}`);
  return result;
}

/** What the user reads: the reason, the message, and the alternatives' summaries. */
function words({ reason, message, alternatives }: Refusal): readonly string[] {
  return [`${reason}: ${message}`, ...alternatives.map(({ summary }) => `or ${summary}`)];
}

const model = (name: string) => ({ model: { name } });
const largest = model("llama-3.1-405b-instruct");
const eightB = model("llama-3.1-8b-instruct");

test("a measured overhead that leaves no room refuses in both answers alike", () => {
  const spec = exampleSpec({
    model: { name: "llama-3.1-8b-instruct" },
    parallelism: { tensor: 1, pipeline: 1 },
  });
  const usual = plan({ spec, pools: [h100Pool] });
  if (usual.kind !== "plan") throw new Error(usual.message);
  const { limits } = usual;
  const measuredOverheads = (["bf16", "fp8"] as const).flatMap((weights) =>
    [1024, 512, 256, 128, 64].map((maxNumSeqs) => ({
      engine: "vllm" as const,
      version: "0.32.0",
      gpu: "nvidia-h100-80gb",
      tensor: 1,
      pipeline: 1,
      model: "llama-3.1-8b-instruct",
      weights,
      maxNumSeqs,
      maxNumBatchedTokens: limits.maxNumBatchedTokens,
      overheadBytes: 70 * 2 ** 30,
    })),
  );
  const request = { spec, pools: [h100Pool], measuredOverheads };
  expect(plan(request)).toMatchObject({ kind: "refusal", reason: "DoesNotFit" });
  expect(planInDetail(request)).toEqual(plan(request));
});

describe("what the engine would not load", () => {
  const repository = "meta-llama/Llama-3.1-405B-Instruct-FP8";
  const metas = {
    model: {
      name: "llama-3.1-405b-instruct",
      source: { huggingFace: { repository, revision: "64a54b704768dfd589a3e4ac05d546052f67f4fd" } },
    },
  };

  test("is Meta's own FP8 without the flag for deprecated formats", () => {
    expect(plan({ spec: exampleSpec(metas), pools: [h100Pool] })).toMatchObject({
      kind: "refusal",
      reason: "InvalidSpec",
      message: expect.stringContaining('set engine.args.allow-deprecated-quantization to ""'),
    });
    const engine = { args: { "allow-deprecated-quantization": "" } };
    expect(plan({ spec: exampleSpec({ ...metas, engine }), pools: [h100Pool] }).kind).toBe("plan");
  });

  test("is a classifier, with what to do instead", () => {
    const spec = exampleSpec({ model: { name: "prompt-guard-86m" } });
    expect(plan({ spec, pools: [h100Pool] })).toMatchObject({
      reason: "UnknownModel",
      message: expect.stringContaining("classifies text of up to 512 tokens"),
    });
  });
});

describe("what does not fit", () => {
  test("405B in BF16 on one node, because of its weights", () => {
    const spec = {
      ...largest,
      quantization: { weights: "bf16" },
      parallelism: { tensor: 8, pipeline: 1 },
    };
    expect(words(refused(spec))).toEqual([
      "DoesNotFit: Llama 3.1 405B Instruct in BF16 with tensor 8 on pool h100 needs 94.5 GiB of weights per GPU, and each H100 80GB has 79.2 GiB visible",
      "or weights in FP8: 8 x H100 80GB on one node (tensor 8)",
      "or pipeline 2: 16 x H100 80GB on two nodes (tensor 8 x pipeline 2)",
    ]);
    expect(refused(spec).alternatives.map(({ patch }) => patch)).toEqual([
      { quantization: { weights: "fp8" } },
      { parallelism: { pipeline: 2 } },
    ]);
  });

  test("70B in BF16 on two GPUs, because of its KV cache", () => {
    const spec = {
      ...model("llama-3.1-70b-instruct"),
      quantization: { weights: "bf16", kvCache: "bf16" },
      parallelism: { tensor: 2, pipeline: 1 },
    };
    expect(words(refused(spec))).toEqual([
      "DoesNotFit: Llama 3.1 70B Instruct in BF16 with tensor 2 on pool h100 leaves 3.9 GiB per GPU for the KV cache, after 65.7 GiB of weights and 3.2 GiB for activations, graphs, communication and margin, and 1 request of 128K tokens needs 20.0 GiB in BF16",
      "or a context of 25K tokens: 2 x H100 80GB on one node (tensor 2)",
      "or weights in FP8: 2 x H100 80GB on one node (tensor 2)",
      "or tensor 4: 4 x H100 80GB on one node (tensor 4)",
      "or pipeline 2: 4 x H100 80GB on one node (tensor 2 x pipeline 2)",
    ]);
  });

  test("a model whose weights leave no room for the rest", () => {
    const l4 = examplePool("l4", { gpu: { product: "nvidia-l4", perNode: 1 }, nodes: { max: 1 } });
    const spec = {
      ...eightB,
      quantization: { weights: "bf16" },
      engine: { args: { "gpu-memory-utilization": "0.7" } },
    };
    expect(words(refused(spec, [l4]))).toEqual([
      "DoesNotFit: Llama 3.1 8B Instruct in BF16 with tensor 1 on pool l4 needs 15.0 GiB of weights and 1.8 GiB for activations, graphs, communication and margin per GPU, and the engine's budget is 15.4 GiB (0.7 of 22.0 GiB)",
    ]);
  });

  test("too many requests at once", () => {
    const spec = { ...eightB, parallelism: { tensor: 1, pipeline: 1 }, context: { minConcurrency: 9 } };
    expect(words(refused(spec))).toEqual([
      "DoesNotFit: Llama 3.1 8B Instruct in FP8 with tensor 1 on pool h100 leaves 62.4 GiB per GPU for the KV cache, after 8.5 GiB of weights and 2.0 GiB for activations, graphs, communication and margin, and 9 requests of 128K tokens need 72.0 GiB in FP8",
      "or 7 requests of full length at once: 1 x H100 80GB on one node (tensor 1)",
      "or a context of 110K tokens: 1 x H100 80GB on one node (tensor 1)",
      "or tensor 2: 2 x H100 80GB on one node (tensor 2)",
      "or pipeline 2: 2 x H100 80GB on one node (tensor 1 x pipeline 2)",
    ]);
  });

  test("more of the GPU than CUDA and NCCL leave", () => {
    const spec = { ...eightB, engine: { args: { "gpu-memory-utilization": "0.999" } } };
    expect(words(refused(spec))).toEqual([
      "DoesNotFit: Llama 3.1 8B Instruct in BF16 with tensor 1 on pool h100 leaves 0.08 GiB per GPU outside the engine's budget with gpu-memory-utilization 0.999, and CUDA and NCCL may take 0.5 GiB",
      "or the engine's default gpu-memory-utilization: 1 x H100 80GB on one node (tensor 1)",
    ]);
  });

  test("a checkpoint larger than the node's disk", () => {
    const p5 = examplePool("p5", {
      gpu: { product: "nvidia-h100-80gb", perNode: 8 },
      machineShape: "p5.48xlarge",
    });
    expect(words(refused(eightB, [p5]))).toEqual([
      "DoesNotFit: Llama 3.1 8B Instruct in BF16 with tensor 1 on pool p5 needs 25.0 GiB of node-local disk for the checkpoint and caches, and the machine (p5.48xlarge) offers pods 13.0 GiB: join its local disks and say so in the pool's spec.allocatable.ephemeralStorage, or serve from a persistentVolumeClaim",
    ]);
  });

  test("a group larger than the pool may grow", () => {
    const small = examplePool("small", {
      gpu: { product: "nvidia-h100-80gb", perNode: 8 },
      nodes: { max: 1 },
    });
    const spec = {
      ...largest,
      quantization: { weights: "bf16" },
      parallelism: { tensor: 8, pipeline: 2 },
    };
    expect(words(refused(spec, [small]))).toEqual([
      "DoesNotFit: Llama 3.1 405B Instruct in BF16 with tensor 8 and pipeline 2 over 2 nodes on pool small needs 2 whole nodes, and the pool may have 1",
    ]);
  });

  test("an FP8 KV cache on GPUs without kernels for it", () => {
    const a100 = examplePool("a100", { gpu: { product: "nvidia-a100-80gb", perNode: 1 }, nodes: { max: 1 } });
    expect(words(refused({ ...eightB, quantization: { kvCache: "fp8" } }, [a100]))).toEqual([
      "DoesNotFit: Llama 3.1 8B Instruct in BF16 with tensor 1 on pool a100 cannot keep its KV cache in FP8: vLLM 0.32.0 has no sound kernels for it on ampere GPUs",
    ]);
  });

  test("BF16 weights to be quantised on the fly that do not fit while they load", () => {
    const l4 = examplePool("l4", { gpu: { product: "nvidia-l4", perNode: 1 }, nodes: { max: 1 } });
    const spec = {
      ...model("llama-3.1-8b"),
      quantization: { weights: "fp8" },
      context: { maxTokens: 4096 },
      engine: { args: { "gpu-memory-utilization": "0.7" } },
    };
    expect(words(refused(spec, [l4]))[0]).toBe(
      "DoesNotFit: Llama 3.1 8B in FP8 with tensor 1 on pool l4 would be quantised while it loads, and until then its BF16 weights take 15.0 GiB per GPU of an engine's budget of 15.4 GiB: name an FP8 checkpoint",
    );
  });

  test("a GPU that the catalog lacks", () => {
    const unknown = examplePool("old", { gpu: { product: "nvidia-v100", perNode: 8 } });
    expect(words(refused(eightB, [unknown]))[0]).toContain(
      "DoesNotFit: pool old has GPUs of product nvidia-v100, which the catalog lacks; it knows nvidia-h100-80gb,",
    );
  });

  test("a pool that contradicts its machine shape", () => {
    const mixed = examplePool("mixed", {
      gpu: { product: "nvidia-h200-141gb", perNode: 8 },
      machineShape: "a3-highgpu-8g",
    });
    expect(words(refused(eightB, [mixed]))).toEqual([
      "DoesNotFit: pool mixed says that its GPUs are nvidia-h200-141gb, but a3-highgpu-8g has nvidia-h100-80gb",
    ]);
  });
});

describe("what is not legal", () => {
  test("a tensor degree that does not divide the heads", () => {
    expect(words(refused({ ...largest, parallelism: { tensor: 3 } }))).toEqual([
      "IllegalParallelism: parallelism.tensor 3 does not divide the 128 attention heads of Llama 3.1 405B Instruct; legal degrees are 1, 2, 4, 8, 16, 32, 64",
      "or tensor 8: 8 x H100 80GB on one node (tensor 8)",
    ]);
  });

  test("tensor parallelism across nodes", () => {
    expect(words(refused({ ...largest, parallelism: { tensor: 16 } }))).toEqual([
      "IllegalParallelism: parallelism: tensor 16 is more than the 8 GPUs that are joined in a node of pool h100; pipeline stages may cross nodes",
      "or tensor 8: 8 x H100 80GB on one node (tensor 8)",
    ]);
  });

  test("GPUs that are no whole nodes", () => {
    expect(words(refused({ ...largest, parallelism: { tensor: 4, pipeline: 3 } }))[0]).toBe(
      "IllegalParallelism: parallelism: tensor 4 x pipeline 3 is neither inside a node of 8 GPUs of pool h100 nor a number of whole nodes",
    );
  });

  test("more stages than layers", () => {
    const spec = { ...model("llama-3.2-1b-instruct"), parallelism: { pipeline: 24 } };
    expect(words(refused(spec))[0]).toBe(
      "IllegalParallelism: parallelism: pipeline 24 is more than the model's 16 layers",
    );
  });
});

describe("what the spec says wrong", () => {
  test.each([
    [
      "an unknown model",
      model("llama-3.1-8b-instrcut"),
      [
        "UnknownModel: the catalog has no model llama-3.1-8b-instrcut; nearest are llama-3.1-8b-instruct, llama-3.1-70b-instruct, llama-3.2-1b-instruct. Any other model needs model.profile and model.source",
        "or model llama-3.1-8b-instruct: 1 x H100 80GB on one node (tensor 1)",
        "or model llama-3.1-70b-instruct: 2 x H100 80GB on one node (tensor 2)",
        "or model llama-3.2-1b-instruct: 1 x H100 80GB on one node (tensor 1)",
      ],
    ],
    [
      "a context beyond the model's",
      { ...eightB, context: { maxTokens: 262_144 } },
      [
        "ContextTooLong: context.maxTokens is 262,144, and Llama 3.1 8B Instruct ends at 131,072",
        "or a context of 128K tokens: 1 x H100 80GB on one node (tensor 1)",
      ],
    ],
    [
      "an engine that is too old to be safe",
      { ...eightB, engine: { version: "0.22.0" } },
      [
        "UnsupportedEngine: vLLM 0.22.0 is not safe to serve with: versions before 0.22.1 let a request run code in the engine; the oldest that may run is 0.22.1",
        "or vLLM 0.32.0: 1 x H100 80GB on one node (tensor 1)",
      ],
    ],
    [
      "a number of sequences that is none",
      { ...eightB, engine: { args: { "max-num-seqs": "many" } } },
      ['InvalidSpec: engine.args.max-num-seqs must be a whole number of at least 1, not "many"'],
    ],
    [
      "a share of the GPU above one",
      { ...eightB, engine: { args: { "gpu-memory-utilization": "92" } } },
      ['InvalidSpec: engine.args.gpu-memory-utilization must be a number above 0 and at most 1, not "92"'],
    ],
    [
      "a switch with a value",
      { ...eightB, engine: { args: { "enforce-eager": "yes" } } },
      ['InvalidSpec: engine.args.enforce-eager takes no value; write "", not "yes"'],
    ],
    [
      "fewer tokens a step than sequences",
      { ...eightB, engine: { args: { "max-num-seqs": "512", "max-num-batched-tokens": "256" } } },
      [
        "InvalidSpec: engine.args.max-num-batched-tokens (256) must be at least max-num-seqs (512): every running sequence needs a token a step",
      ],
    ],
    [
      "BF16 of an FP8 checkpoint",
      {
        model: {
          name: "llama-3.3-70b-instruct",
          source: {
            huggingFace: {
              repository: "nvidia/Llama-3.3-70B-Instruct-FP8",
              revision: "fde04ee76a27704c88f569542ef023b57d4d0362",
            },
          },
        },
        quantization: { weights: "bf16" },
      },
      [
        "InvalidSpec: quantization.weights is bf16, but model.source holds FP8 weights: name a BF16 checkpoint, or set quantization.weights to fp8",
      ],
    ],
  ])("%s", (_, spec, expected) => {
    const refusal = refused(spec);
    expect(words(refusal)).toEqual(expected);
    expect(refusal.waits).toBe(false);
  });
});

describe("what may change by itself", () => {
  test("no pool at all is a wait", () => {
    const refusal = refused(eightB, []);
    expect(refusal).toEqual({
      kind: "refusal",
      waits: true,
      reason: "NoPool",
      message: "there is no GpuPool that this namespace may use",
      alternatives: [],
    });
  });

  test("no pool with the wanted labels is a wait, and any pool is offered", () => {
    const spec = { ...eightB, placement: { poolSelector: { matchLabels: { team: "research" } } } };
    const refusal = refused(spec);
    expect(refusal.waits).toBe(true);
    expect(words(refusal)).toEqual([
      "NoPool: no GpuPool that this namespace may use has the labels team=research",
      "or any pool: 1 x H100 80GB on one node (tensor 1)",
    ]);
  });

  test("a wrong spec is refused before a pool is missed", () => {
    expect(refused({ ...eightB, context: { maxTokens: 262_144 } }, []).reason).toBe("ContextTooLong");
  });
});
