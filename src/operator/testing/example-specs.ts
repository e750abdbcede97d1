// The specs that most scenarios use, by what they take of nodes with eight H100.

/** One GPU. */
export const oneGpu = { model: { name: "llama-3.1-8b-instruct" } } as const;

/** All eight GPUs of a node. */
export const wholeNode = {
  model: { name: "llama-3.1-70b-instruct" },
  parallelism: { tensor: 8, pipeline: 1 },
} as const;

/** Two whole nodes: a LeaderWorkerSet. */
export const twoNodes = {
  model: { name: "llama-3.1-405b-instruct" },
  quantization: { weights: "bf16" },
} as const;

/** Refused by the engine, whatever the pool; the API server cannot see that. */
export const refusedEngine = { args: { tokenizer: "another" } } as const;
