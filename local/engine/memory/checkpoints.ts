// What the simulated engine would read from a checkpoint's config.json and safetensors index. A table of its
// own, on purpose: if it shared the planner's catalog, a wrong fact would agree with itself.
// Architectures: config.json of the models named; parameters follow from them.

export interface Architecture {
  readonly name: string;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly feedForward: number;
  readonly vocabulary: number;
  readonly tiedEmbeddings: boolean;
  readonly maxPositions: number;
}

/** How the linear layers are stored; embeddings and lm_head are bf16 in all of them. */
export type WeightFormat = "bf16" | "fp8" | "fp8-mlp-only" | "int8" | "int4";

export interface Checkpoint {
  readonly repository: string;
  readonly architecture: Architecture;
  readonly format: WeightFormat;
  /** `quant_method` of its config.json, as `--quantization` names it. */
  readonly quantizationMethod: string | undefined;
  /** The checkpoint declares FP8 KV scales, so that `--kv-cache-dtype auto` means fp8. */
  readonly fp8KvCache: boolean;
  /** Needs a Hugging Face token whose account has accepted the licence. */
  readonly gated: boolean;
}

const llama = { headDim: 128, kvHeads: 8, vocabulary: 128_256, maxPositions: 131_072 } as const;
const llama8b: Architecture = {
  ...llama,
  name: "Llama 3.1 8B",
  hiddenSize: 4096,
  layers: 32,
  heads: 32,
  feedForward: 14_336,
  tiedEmbeddings: false,
};
const llama70b: Architecture = {
  ...llama,
  name: "Llama 3.1 70B",
  hiddenSize: 8192,
  layers: 80,
  heads: 64,
  feedForward: 28_672,
  tiedEmbeddings: false,
};
const llama405b: Architecture = {
  ...llama,
  name: "Llama 3.1 405B",
  hiddenSize: 16_384,
  layers: 126,
  heads: 128,
  feedForward: 53_248,
  tiedEmbeddings: false,
};
const llama1b: Architecture = {
  ...llama,
  name: "Llama 3.2 1B",
  hiddenSize: 2048,
  layers: 16,
  heads: 32,
  headDim: 64,
  feedForward: 8192,
  tiedEmbeddings: true,
};
const llama3b: Architecture = {
  ...llama,
  name: "Llama 3.2 3B",
  hiddenSize: 3072,
  layers: 28,
  heads: 24,
  feedForward: 8192,
  tiedEmbeddings: true,
};

/** By the size that stands in the name; "3.1-8b" also covers Llama Guard 3 8B, which has its architecture. */
const architectureBySize: Readonly<Record<string, Architecture>> = {
  "1b": llama1b,
  "3b": llama3b,
  "8b": llama8b,
  "70b": llama70b,
  "405b": llama405b,
};

/**
 * The checkpoint behind a repository name (`RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic`) or a path of a
 * volume that ends in such a name; `undefined` when it is no Llama this table knows.
 */
export function findCheckpoint(repository: string): Checkpoint | undefined {
  const name = repository.toLowerCase();
  const size = /llama.*?[-_](405b|70b|8b|3b|1b)\b/.exec(name)?.[1];
  const architecture = size === undefined ? undefined : architectureBySize[size];
  if (architecture === undefined) return undefined;
  const isHubName = /^[^/]+\/[^/]+$/.test(repository);
  const owner = isHubName ? (name.split("/")[0] ?? "") : "";
  return {
    repository,
    architecture,
    ...storedFormat(name, owner, size ?? ""),
    gated: owner === "meta-llama",
  };
}

function storedFormat(
  name: string,
  owner: string,
  size: string,
): Pick<Checkpoint, "format" | "quantizationMethod" | "fp8KvCache"> {
  if (/awq/.test(name)) return { format: "int4", quantizationMethod: "awq", fp8KvCache: false };
  if (/gptq|w4a16|int4/.test(name)) return { format: "int4", quantizationMethod: "gptq", fp8KvCache: false };
  if (/int8|w8a8/.test(name)) {
    return { format: "int8", quantizationMethod: "compressed-tensors", fp8KvCache: false };
  }
  if (!/fp8/.test(name)) return { format: "bf16", quantizationMethod: undefined, fp8KvCache: false };
  // Meta's own 405B FP8 quantises only the MLPs; NVIDIA's 70B declares an FP8 KV cache (its config.json).
  if (owner === "meta-llama") {
    return { format: "fp8-mlp-only", quantizationMethod: "fbgemm_fp8", fp8KvCache: false };
  }
  if (owner === "nvidia") {
    return { format: "fp8", quantizationMethod: "modelopt", fp8KvCache: size === "70b" };
  }
  return { format: "fp8", quantizationMethod: "compressed-tensors", fp8KvCache: false };
}
