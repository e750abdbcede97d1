// Bytes of weights on each GPU: what tensor and pipeline parallelism put where, as vLLM shards a Llama.
import type { Architecture, WeightFormat } from "./checkpoints.ts";

/** Bytes per weight of a linear layer; int4 carries a scale and a zero per 128 weights. */
const bytesPerWeight: Readonly<Record<WeightFormat, number>> = {
  bf16: 2,
  fp8: 1,
  "fp8-mlp-only": 1,
  int8: 1,
  int4: 0.5 + (2 + 0.5) / 128,
};

/**
 * Layers of each pipeline stage: what does not divide evenly goes to the middle stages, from the last but one
 * backwards (126 over 4 is 31, 32, 32, 31), because the ends hold embedding and head.
 * Source: get_pp_indices, vllm/distributed/utils.py.
 */
export function layersPerStage(layers: number, pipelineParallelSize: number): readonly number[] {
  const base = Math.floor(layers / pipelineParallelSize);
  const stages = Array.from({ length: pipelineParallelSize }, () => base);
  const remainder = layers % pipelineParallelSize;
  for (let extra = 0; extra < remainder; extra += 1) {
    stages[pipelineParallelSize - 2 - extra] = base + 1;
  }
  return stages;
}

/** Weight bytes on one GPU of the given stage (0-based). KV heads are replicated beyond one per GPU. */
export function weightBytesPerGpu(
  architecture: Architecture,
  format: WeightFormat,
  tensorParallelSize: number,
  pipelineParallelSize: number,
  stage: number,
): number {
  const { hiddenSize, heads, kvHeads, headDim, feedForward, vocabulary, tiedEmbeddings } = architecture;
  const stages = layersPerStage(architecture.layers, pipelineParallelSize);
  const layers = stages[stage] ?? 0;
  const kvShare = Math.min(tensorParallelSize, kvHeads);
  const attention =
    (2 * hiddenSize * heads * headDim) / tensorParallelSize + (2 * hiddenSize * kvHeads * headDim) / kvShare;
  const mlp = (3 * hiddenSize * feedForward) / tensorParallelSize;
  const norms = 2 * hiddenSize * 2;
  const embedding = (vocabulary * hiddenSize * 2) / tensorParallelSize;

  const isFirst = stage === 0;
  const isLast = stage === pipelineParallelSize - 1;
  const quantized = bytesPerWeight[format];
  const attentionBytes = attention * (format === "fp8-mlp-only" ? 2 : quantized);
  let bytes = layers * (attentionBytes + mlp * quantized + norms);
  if (format === "fp8-mlp-only") {
    // Meta keeps the MLPs of the first and the last layer in bf16 (Llama 3 paper, arXiv 2407.21783).
    bytes += (Number(isFirst) + Number(isLast)) * mlp * (2 - quantized);
  }
  if (isFirst) bytes += embedding;
  if (isLast) bytes += hiddenSize * 2 + (tiedEmbeddings && isFirst ? 0 : embedding);
  return Math.ceil(bytes);
}
