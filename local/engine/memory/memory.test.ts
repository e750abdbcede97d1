import { describe, expect, test } from "vitest";
import { parseServeArguments } from "../command-line/argv.ts";
import { resolveEngineConfig } from "../config.ts";
import { gpuOfNode } from "./gpu.ts";
import { type KvCache, sizeKvCache } from "./memory.ts";
import { EngineStartError } from "../start-error.ts";

const gibibyte = 2 ** 30;
const h100 = { "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3" };
const h200 = { "cloud.google.com/gke-accelerator": "nvidia-h200-141gb" };

/** A command line on a node with the given labels and GPUs, with a token at hand. */
function serve(line: string, labels: Readonly<Record<string, string>> = h100, gpuCount = 8): KvCache {
  const args = parseServeArguments(line.split(" "));
  const gpu = gpuOfNode(labels);
  const host = { env: { HF_TOKEN: "hf_test" }, gpu, gpuCount, modelHint: undefined };
  const config = resolveEngineConfig(args, host);
  if (gpu === undefined) throw new Error("no such GPU");
  return sizeKvCache({ ...args, ...config, gpu });
}

function refusal(line: string, gpuCount = 8): string {
  try {
    serve(line, h100, gpuCount);
  } catch (error) {
    if (error instanceof EngineStartError) return error.message;
    throw error;
  }
  throw new Error(`started: ${line}`);
}

const small = "--max-num-seqs 256 --max-num-batched-tokens 8192";
const llama8b = "meta-llama/Llama-3.1-8B-Instruct";
const llama70b = "meta-llama/Llama-3.3-70B-Instruct";
const fp8of70b = "RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic";
const llama405b = "meta-llama/Llama-3.1-405B-Instruct";
const fp8of405b = "RedHatAI/Meta-Llama-3.1-405B-Instruct-FP8-dynamic";

describe("the KV cache of vLLM 0.32", () => {
  // Weights and cache in GiB per GPU, one entry a pipeline stage; tokens of the whole replica. Worked out by
  // hand: weights from the architectures, overhead from sampler state 1.03 U, forward pass, NCCL and graphs.
  test.each([
    ["8B in BF16 on one GPU", `${llama8b} ${small}`, h100, [14.96], [56.61], 463_760],
    ["70B in FP8 on two GPUs", `${fp8of70b} -tp 2 ${small}`, h100, [33.83], [36.43], 238_720],
    ["405B in FP8 on eight GPUs", `${fp8of405b} -tp 8 ${small}`, h100, [47.74], [21.83], 363_280],
    [
      "405B in FP8 with an FP8 cache",
      `${fp8of405b} -tp 8 ${small} --kv-cache-dtype fp8`,
      h100,
      [47.74],
      [21.83],
      726_560,
    ],
    [
      "405B in BF16 over two nodes",
      `${llama405b} -tp 8 -pp 2 --nnodes 2 ${small}`,
      h100,
      [47.25, 47.25],
      [23.29, 22.67],
      754_560,
    ],
    [
      "405B in BF16 over four nodes",
      `${llama405b} -tp 8 -pp 4 --nnodes 4 ${small}`,
      h100,
      [23.5, 23.75, 23.75, 23.5],
      [47.48, 46.71, 46.71, 46.85],
      3_061_168,
    ],
    [
      "70B in BF16 on four H200",
      `${llama70b} -tp 4 --max-model-len 8192 --max-num-seqs 1024 --max-num-batched-tokens 8192`,
      h200,
      [32.86],
      [92.95],
      1_218_368,
    ],
  ])("holds %s", (_, line, labels, weightsGib, availableGib, tokens) => {
    const cache = serve(line, labels);
    expect(cache.stages.map(({ weightBytes }) => weightBytes / gibibyte)).toEqual(
      weightsGib.map((gib) => expect.closeTo(gib, 2)),
    );
    expect(cache.stages.map(({ availableBytes }) => availableBytes / gibibyte)).toEqual(
      availableGib.map((gib) => expect.closeTo(gib, 2)),
    );
    expect(cache.tokens).toBe(tokens);
    expect(cache.maxConcurrency).toBeCloseTo(tokens / cache.maxModelLen, 4);
  });

  test("is FP8 for NVIDIA's 70B FP8, whose checkpoint asks for an FP8 cache", () => {
    const asked = serve(`${fp8of70b} -tp 2 ${small} --kv-cache-dtype fp8`);
    const declared = serve(`nvidia/Llama-3.3-70B-Instruct-FP8 -tp 2 ${small}`);
    expect(declared.blocks).toBe(asked.blocks);
  });

  test("replicates KV heads beyond one per GPU, so that TP 16 holds no more per GPU than TP 8 would", () => {
    const eight = serve(`${llama8b} -tp 8 ${small} --kv-cache-memory-bytes 10G`);
    const sixteen = serve(`${llama8b} -tp 16 --nnodes 2 ${small} --kv-cache-memory-bytes 10G`);
    expect(sixteen.blocks).toBe(eight.blocks);
  });

  test("finds the longest context itself when asked to", () => {
    const cache = serve(`${fp8of70b} --max-model-len auto ${small}`);
    expect(cache.maxModelLen).toBeLessThan(131_072);
    expect(cache.maxConcurrency).toBeGreaterThanOrEqual(1);
  });

  test("takes the defaults of an 80 GB card that is no A100", () => {
    expect(serve(llama8b).blocks).toBe(
      serve(`${llama8b} --max-num-seqs 1024 --max-num-batched-tokens 8192`).blocks,
    );
  });
});

describe("refusals to start", () => {
  test("says how much KV cache one request needs and what length would fit", () => {
    expect(refusal(`${fp8of70b} ${small}`)).toMatch(
      /ValueError: To serve at least one request with the model's max seq len \(131072\), \(40\.0 GiB KV cache is needed, which is larger than the available KV cache memory \(2\.53 GiB\)\. Based on the available memory, the estimated maximum model length is 8288\. Try increasing `gpu_memory_utilization`/,
    );
  });

  test.each([
    [
      "no room for any cache",
      `${fp8of70b} ${small} --gpu-memory-utilization 0.85`,
      8,
      "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`",
    ],
    [
      "more than is free",
      `${llama8b} --gpu-memory-utilization 0.999`,
      8,
      "ValueError: Free memory on device cuda:0 (78.68/79.18 GiB) on startup is less than desired GPU memory utilization (0.999, 79.1 GiB).",
    ],
    [
      "a utilization above one",
      `${llama8b} --gpu-memory-utilization 1.2`,
      8,
      "Input should be less than or equal to 1",
    ],
    ["weights larger than the GPU", `${llama70b} ${small}`, 8, "torch.OutOfMemoryError: CUDA out of memory."],
    [
      "heads that do not divide",
      `${llama8b} -tp 3`,
      8,
      "Total number of attention heads (32) must be divisible by tensor parallel size (3).",
    ],
    [
      "a context beyond the model's",
      `${llama8b} --max-model-len 200000`,
      8,
      "User-specified max_model_len (200000) is greater than the derived max_model_len (max_position_embeddings=131072 or model_max_length=None in model's config.json).",
    ],
    [
      "fewer GPUs than ranks",
      `${llama405b} -tp 8 -pp 2`,
      8,
      "World size (16) is larger than the number of available GPUs (8) in this node.",
    ],
    [
      "ranks that nodes do not divide",
      `${llama405b} -tp 8 -pp 1 --nnodes 3`,
      8,
      "global world_size (8) must be divisible by nnodes_within_dp (3).",
    ],
    [
      "a node with too few GPUs",
      `${llama405b} -tp 8 -pp 2 --nnodes 2`,
      4,
      "local rank 4 is out of bounds for 4 devices.",
    ],
    ["no GPU at all", llama8b, 0, "RuntimeError: Failed to infer device type"],
    [
      "Meta's FP8, whose format is deprecated",
      "meta-llama/Llama-3.1-405B-Instruct-FP8 -tp 8",
      8,
      "--allow-deprecated-quantization",
    ],
    [
      "a quantization that the checkpoint has not",
      `${fp8of70b} -tp 2 --quantization awq`,
      8,
      "Quantization method specified in the model config (compressed-tensors) does not match the quantization method specified in the `quantization` argument (awq).",
    ],
    [
      "a repository that does not exist",
      "acme/does-not-exist",
      8,
      "is not a valid model identifier listed on 'https://huggingface.co/models'",
    ],
    [
      "fewer batched tokens than sequences",
      `${llama8b} --max-num-batched-tokens 128 --max-num-seqs 256`,
      8,
      "max_num_batched_tokens (128) must be greater than or equal to max_num_seqs (256).",
    ],
  ])("refuses %s", (_, line, gpuCount, words) => {
    expect(refusal(line, gpuCount)).toContain(words);
  });

  test("refuses a gated repository without a token, and takes a path of a volume without one", () => {
    const gpu = gpuOfNode(h100);
    const host = { env: {}, gpu, gpuCount: 1, modelHint: undefined };
    expect(() => resolveEngineConfig(parseServeArguments([llama8b]), host)).toThrow(
      /You are trying to access a gated repo\.[^]*401 Client Error/,
    );
    const onVolume = resolveEngineConfig(parseServeArguments([`/models/${llama8b}`]), host);
    expect(onVolume.checkpoint.architecture.name).toBe("Llama 3.1 8B");
  });
});
