import { describe, expect, test } from "vitest";
import { examplePool, exampleSpec, h100Pool } from "../testing/example-pools.ts";
import type { Plan, PoolFacts } from "./plan.ts";
import { plan } from "./planner.ts";

const gibibyte = 2 ** 30;

function planned(spec: Readonly<Record<string, unknown>>, pools: readonly PoolFacts[] = [h100Pool]): Plan {
  const result = plan({ spec: exampleSpec(spec), pools });
  if (result.kind === "refusal") throw new Error(result.message);
  return result;
}

const instruct = (size: string) => ({ model: { name: `llama-3.1-${size}-instruct` } });
const weights = (format: string) => ({ quantization: { weights: format } });

describe("on nodes of eight H100 80GB", () => {
  test.each([
    ["8B takes one GPU, in BF16", instruct("8b"), "bf16", 1, 1, 1],
    ["70B takes two, in FP8", instruct("70b"), "fp8", 2, 1, 1],
    ["70B in BF16 takes four", { ...instruct("70b"), ...weights("bf16") }, "bf16", 4, 1, 1],
    ["405B takes the eight of a node, in FP8", instruct("405b"), "fp8", 8, 1, 1],
    ["405B in BF16 takes two nodes", { ...instruct("405b"), ...weights("bf16") }, "bf16", 8, 2, 2],
    [
      "3B in FP8 is quantised on the fly",
      { model: { name: "llama-3.2-3b-instruct" }, ...weights("fp8") },
      "fp8",
      1,
      1,
      1,
    ],
  ])("%s", (_, spec, format, tensor, pipeline, nodes) => {
    const { weights: chosen, ...rest } = planned(spec);
    expect(chosen.format).toBe(format);
    expect(rest).toMatchObject({ tensor, pipeline, nodesPerReplica: nodes, kvCache: "bf16" });
    expect(rest.gpusPerReplica).toBe(tensor * pipeline);
  });

  test("405B in FP8 has 47.8 GiB of weights per GPU, and in BF16 over two nodes 47.3", () => {
    const fp8 = planned(instruct("405b"));
    const bf16 = planned({ ...instruct("405b"), ...weights("bf16") });
    expect(fp8.memoryPerGpu.weights / gibibyte).toBeCloseTo(47.8, 1);
    expect(bf16.memoryPerGpu.weights / gibibyte).toBeCloseTo(47.3, 1);
    expect(bf16.weights.totalBytes).toBe(811_706_777_600);
    expect(bf16.weights.bytesPerNode / bf16.weights.totalBytes).toBeCloseTo(0.5, 2);
  });

  test("every limit that a default could change is stated", () => {
    expect(planned(instruct("8b")).limits).toEqual({
      maxModelLen: 131_072,
      maxNumSeqs: 1024,
      maxNumBatchedTokens: 8192,
      gpuMemoryUtilization: 0.92,
      blockSize: 16,
    });
  });

  test("flags of the spec are taken into the limits", () => {
    const args = {
      "max-num-seqs": "128",
      "max-num-batched-tokens": "16384",
      "gpu-memory-utilization": "0.85",
      "enforce-eager": "",
    };
    const { limits, memoryPerGpu } = planned({ ...instruct("8b"), engine: { args } });
    expect(limits).toMatchObject({
      maxNumSeqs: 128,
      maxNumBatchedTokens: 16_384,
      gpuMemoryUtilization: 0.85,
    });
    expect(memoryPerGpu.graphs).toBe(0);
  });

  test("sequences are lowered only as far as it takes, and the plan says so", () => {
    const tight = { ...instruct("70b"), ...weights("fp8"), parallelism: { tensor: 1 } };
    const { limits, because } = planned({ ...tight, context: { maxTokens: 4096 } });
    expect(limits.maxNumSeqs).toBe(256);
    expect(because).toContain("max-num-seqs lowered from 1024 to 256, so that it fits");
  });

  test("an FP8 KV cache is chosen only where BF16 fits nowhere", () => {
    const crowded = {
      ...instruct("8b"),
      context: { minConcurrency: 30 },
      parallelism: { tensor: 8, pipeline: 1 },
    };
    expect(planned({ ...crowded, context: { minConcurrency: 20 } }).kvCache).toBe("bf16");
    const fp8 = planned({ ...crowded, context: { minConcurrency: 40 } });
    expect(fp8.kvCache).toBe("fp8");
    expect(fp8.because).toContain("FP8 KV cache: in BF16 it would not fit");
  });

  test("where BF16 KV takes a second node and FP8 KV does not, the plan mentions it", () => {
    const { nodesPerReplica, because } = planned({ ...instruct("405b"), context: { minConcurrency: 4 } });
    expect(nodesPerReplica).toBe(2);
    expect(because).toContain("with quantization.kvCache fp8, 8 GPUs would do");
  });

  test("degrees that are asked for are kept", () => {
    const wide = planned({ ...instruct("8b"), parallelism: { tensor: 4 } });
    expect(wide).toMatchObject({ tensor: 4, pipeline: 1, gpusPerReplica: 4 });
    const staged = planned({ ...instruct("8b"), parallelism: { tensor: 2, pipeline: 2 } });
    expect(staged).toMatchObject({ tensor: 2, pipeline: 2, nodesPerReplica: 1, gpusPerReplica: 4 });
    const grouped = planned({ ...instruct("8b"), parallelism: { tensor: 4, pipeline: 4 } });
    expect(grouped).toMatchObject({ nodesPerReplica: 2, gpusPerReplica: 16 });
    expect(grouped.pod.gpus).toBe(8);
  });
});

describe("weights", () => {
  const revision = "0123456789abcdef0123456789abcdef01234567";

  test("come from the catalog's pinned repository where the spec names none", () => {
    expect(planned(instruct("8b")).weights.source).toEqual({
      kind: "huggingFace",
      repository: "meta-llama/Llama-3.1-8B-Instruct",
      revision: "0e9e39f249a16976918f6564b8830bc894c89659",
      gated: true,
    });
  });

  test("of a repository that the catalog knows have its format, at the spec's revision", () => {
    const repository = "RedHatAI/Meta-Llama-3.1-405B-Instruct-FP8";
    const source = { huggingFace: { repository, revision } };
    const { weights: chosen } = planned({ model: { name: "llama-3.1-405b-instruct", source } });
    expect(chosen).toMatchObject({
      format: "fp8",
      quantMethod: "compressed-tensors",
      source: { repository, revision },
    });
  });

  test("of an unknown repository are taken at the spec's word", () => {
    const source = { huggingFace: { repository: "someone/a-fine-tune", revision } };
    const model = { name: "llama-3.1-8b-instruct", source };
    const assumed = planned({ model });
    expect(assumed.weights.format).toBe("bf16");
    expect(assumed.because.join()).toContain("someone/a-fine-tune is taken to hold BF16 weights");
    const stated = planned({ model, ...weights("fp8") });
    expect(stated.weights.format).toBe("fp8");
    expect(stated.weights.quantMethod).toBeUndefined();
  });

  test("on a volume need no disk of the node but for caches", () => {
    const source = { persistentVolumeClaim: { claimName: "weights", path: "8b" } };
    const { weights: chosen, pod } = planned({ model: { name: "llama-3.1-8b-instruct", source } });
    expect(chosen.source).toEqual({ kind: "persistentVolumeClaim", claimName: "weights", path: "8b" });
    expect(pod.ephemeralStorageBytes).toBe(10 * gibibyte);
  });

  test("are as large as a profile's headers state, split as their parts are", () => {
    const architecture = {
      hiddenSize: 4096,
      layers: 32,
      attentionHeads: 32,
      keyValueHeads: 8,
      headDimension: 128,
      feedForwardSize: 14_336,
      vocabularySize: 128_256,
      maxPositions: 131_072,
    };
    const source = { persistentVolumeClaim: { claimName: "weights" } };
    const at = (profile: Readonly<Record<string, unknown>>, tensor: number) =>
      planned({ model: { name: "ours", profile, source }, parallelism: { tensor } });
    const matrix = 128_256 * 4096 * 2;
    const layers = 16_060_522_496 - 2 * matrix - 8192;
    const weightBytes = { layers, embeddings: matrix, head: matrix + 8192 };
    for (const tensor of [1, 4]) {
      const derived = at(architecture, tensor).memoryPerGpu.weights;
      const stated = at({ ...architecture, weightBytes }, tensor).memoryPerGpu.weights;
      expect(Math.abs(stated - derived)).toBeLessThan(10_000);
    }
    const int4 = { ...architecture, weights: "int4", quantMethod: "awq" };
    const awq = { layers: 3_630_000_000, embeddings: matrix, head: matrix };
    const result = at({ ...int4, weightBytes: awq }, 1);
    expect(result.weights).toMatchObject({
      format: "int4",
      quantMethod: "awq",
      totalBytes: 3_630_000_000 + 2 * matrix,
    });
  });

  test("of a model that the catalog lacks are planned from its profile", () => {
    const profile = {
      hiddenSize: 5120,
      layers: 40,
      attentionHeads: 40,
      keyValueHeads: 8,
      headDimension: 128,
      feedForwardSize: 13_824,
      vocabularySize: 128_256,
      maxPositions: 32_768,
    };
    const source = { huggingFace: { repository: "someone/llama-12b", revision } };
    const result = planned({ model: { name: "our-12b", profile, source } });
    expect(result).toMatchObject({ model: "our-12b", tensor: 1 });
    expect(result.limits.maxModelLen).toBe(32_768);
  });
});

describe("pools", () => {
  const h200 = examplePool("h200", {
    gpu: { product: "nvidia-h200-141gb", perNode: 8 },
    machineShape: "a3-ultragpu-8g",
  });

  test("with fewer GPUs win, then those with more KV cache", () => {
    expect(planned(instruct("70b"), [h100Pool, h200]).pool).toBe("h200");
    expect(planned(instruct("70b"), [h100Pool, h200]).gpusPerReplica).toBe(1);
    expect(planned(instruct("8b"), [h100Pool, h200]).pool).toBe("h200");
  });

  test("that are alike are chosen by free room, then by name", () => {
    const full = { ...h100Pool, name: "a-full", freeGpus: [0, 0] };
    const free = { ...h100Pool, name: "b-free", freeGpus: [2, 8] };
    const growing = examplePool(
      "c-growing",
      { gpu: { product: "nvidia-h100-80gb", perNode: 8 }, machineShape: "a3-highgpu-8g", nodes: { max: 4 } },
      { freeGpus: [1] },
    );
    expect(planned(instruct("405b"), [full, free]).pool).toBe("b-free");
    expect(planned(instruct("405b"), [full, growing]).pool).toBe("c-growing");
    expect(planned(instruct("405b"), [{ ...full, name: "b" }, full]).pool).toBe("a-full");
  });

  test("are selected by their labels", () => {
    const spec = { ...instruct("8b"), placement: { poolSelector: { matchLabels: { team: "research" } } } };
    const labelled = { ...h100Pool, name: "research", labels: { team: "research" } };
    expect(planned(spec, [h200, labelled]).pool).toBe("research");
  });

  test("of A100 get no checkpoint whose kernels need FP8 arithmetic", () => {
    const a100 = examplePool("a100", { gpu: { product: "nvidia-a100-80gb", perNode: 8 } });
    for (const model of ["llama-3.1-70b-instruct", "llama-3.3-70b-instruct"]) {
      const chosen = planned({ model: { name: model } }, [a100]);
      expect(chosen.weights.quantMethod).toBe("compressed-tensors");
      expect(chosen.gpusPerReplica).toBe(2);
    }
  });

  test("whose nodes have one GPU each form groups of pipeline stages", () => {
    const single = examplePool("single", {
      gpu: { product: "nvidia-h100-80gb", perNode: 1 },
      machineShape: "a3-highgpu-1g",
    });
    const result = planned({ ...instruct("70b"), ...weights("fp8") }, [single]);
    expect(result).toMatchObject({ tensor: 1, pipeline: 2, nodesPerReplica: 2 });
    expect(result.because).toContain("pool single has no fabric: stages talk over plain TCP");
  });

  test("give their selector, tolerations and, to groups only, their fabric's devices to the pods", () => {
    const efa = examplePool("p5", {
      gpu: { product: "nvidia-h100-80gb", perNode: 8 },
      machineShape: "p5.48xlarge",
      allocatable: { ephemeralStorage: "24Ti" },
      nodeSelector: { pool: "p5" },
      tolerations: [{ key: "nvidia.com/gpu", operator: "Exists" }],
      fabric: { type: "efa", resources: { "vpc.amazonaws.com/efa": "32" } },
    });
    const alone = planned(instruct("405b"), [efa]);
    expect(alone.nodeSelector).toEqual({ pool: "p5" });
    expect(alone.tolerations).toEqual([{ key: "nvidia.com/gpu", operator: "Exists" }]);
    expect(alone.pod.fabric).toEqual({});
    const group = planned({ ...instruct("405b"), ...weights("bf16") }, [efa]);
    expect(group.pod.fabric).toEqual({ "vpc.amazonaws.com/efa": "32" });
    expect(group.fabric).toBe("efa");
  });
});

describe("the engine's version", () => {
  test("decides how much is left free, and the plan says what that rests on", () => {
    const at = (version: string) => planned({ ...instruct("8b"), engine: { version } });
    const derived =
      "the overhead of vLLM 0.32.0 is derived, not measured: 1.0 GiB per GPU are left free for it";
    expect(at("0.32.0").because).toContain(derived);
    expect(planned(instruct("405b")).because).toContain(derived);
    const asLogged = planned({ ...instruct("8b"), engine: { args: { "max-num-seqs": "256" } } });
    expect(asLogged.because).toContain(
      "the overhead of vLLM 0.32.0 is measured: 0.5 GiB per GPU are left free for it",
    );
    const unknown = at("0.40.0");
    expect(unknown.because).toContain(
      "vLLM 0.40.0 is newer than any that is known: 2.0 GiB per GPU are left free for it",
    );
    expect(unknown.kvCacheTokens).toBeLessThan(at("0.32.0").kvCacheTokens);
  });

  test("does not hide what flags take beside the plan", () => {
    const { because } = planned({ ...instruct("8b"), engine: { args: { "compilation-config": "{}" } } });
    expect(because).toContain("the memory that engine.args.compilation-config takes is not counted");
  });
});

test("smaller graphs leave more for the KV cache", () => {
  const withLargest = (largest: string) =>
    planned({ ...instruct("8b"), engine: { args: { "max-cudagraph-capture-size": largest } } });
  expect(withLargest("8").memoryPerGpu.graphs).toBeLessThan(withLargest("512").memoryPerGpu.graphs / 5);
  expect(withLargest("512").memoryPerGpu.graphs).toBe(planned(instruct("8b")).memoryPerGpu.graphs);
  expect(withLargest("8").kvCacheTokens).toBeGreaterThan(withLargest("512").kvCacheTokens);
});

describe("beside the model", () => {
  const withArgs = (args: Readonly<Record<string, string>>) =>
    planned({ ...instruct("8b"), engine: { args } }).memoryPerGpu.additional;

  test("LoRA slots take A and B of each adapter for the seven linear layers", () => {
    // 32 layers x rank x (inputs + outputs of q, k, v, o, gate, up, down) x 2 B.
    const widths = 2 * (4096 + 4096) + 2 * (4096 + 1024) + 3 * (4096 + 14_336);
    expect(withArgs({ "enable-lora": "" })).toBe(32 * 16 * widths * 2);
    expect(withArgs({ "enable-lora": "", "max-loras": "4", "max-lora-rank": "64" })).toBe(
      4 * 32 * 64 * widths * 2,
    );
  });

  test("a draft model takes its weights, and a part of each KV block", () => {
    const config = (extra: object) => ({
      "speculative-config": JSON.stringify({ num_speculative_tokens: 3, ...extra }),
    });
    expect(withArgs(config({ method: "ngram" }))).toBe(0);
    expect(withArgs(config({ model: "meta-llama/Llama-3.2-1B-Instruct" })) / 2 ** 30).toBeCloseTo(2.3, 1);
    const plain = planned(instruct("8b"));
    const drafted = planned({
      ...instruct("8b"),
      engine: { args: config({ model: "meta-llama/Llama-3.2-1B-Instruct" }) },
    });
    // 32,768 B a token of the draft beside 131,072 of the model.
    const perToken = ({ memoryPerGpu, kvCacheTokens }: Plan) => memoryPerGpu.kvCache / kvCacheTokens;
    expect(perToken(drafted) / perToken(plain)).toBe(1.25);
  });

  test("a draft of unknown size is said to be uncounted, and no JSON is refused", () => {
    const engine = (text: string) => ({ args: { "speculative-config": text } });
    const unknown = '{"model": "acme/tiny", "num_speculative_tokens": 3}';
    expect(planned({ ...instruct("8b"), engine: engine(unknown) }).because).toContain(
      "the memory that engine.args.speculative-config takes is not counted",
    );
    for (const bad of ["three", "[]", "{}", '{"num_speculative_tokens": 0}']) {
      const result = plan({
        spec: exampleSpec({ ...instruct("8b"), engine: engine(bad) }),
        pools: [h100Pool],
      });
      expect(result).toMatchObject({ kind: "refusal", reason: "InvalidSpec" });
    }
  });
});
