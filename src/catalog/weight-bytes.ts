// Bytes of a checkpoint by part, from the architecture and what of it is quantised.
// Shapes: the parameters of Hugging Face's LlamaForCausalLM.
import type { Architecture } from "./models.ts";

export type WeightFormat = "bf16" | "fp8";

/** Which parts of a checkpoint are in which format. Embeddings, output head and norms are BF16 in all of them. */
export interface WeightLayout {
  readonly attention: WeightFormat;
  readonly feedForward: WeightFormat;
  /** Format of the first and the last layer, where it differs: Meta's FP8 leaves them alone. */
  readonly boundaryLayers?: WeightFormat;
}

/** All linear layers in BF16. */
export const bf16Layout: WeightLayout = { attention: "bf16", feedForward: "bf16" };
/** All linear layers in FP8: Red Hat's, NVIDIA's, and what an engine makes on the fly. */
export const fp8Layout: WeightLayout = { attention: "fp8", feedForward: "fp8" };
/** Meta's FBGEMM: only the feed-forward blocks, without those of the first and last layer. */
export const fbgemmLayout: WeightLayout = { attention: "bf16", feedForward: "fp8", boundaryLayers: "bf16" };

export const bytesPerWeight: Readonly<Record<WeightFormat, number>> = { bf16: 2, fp8: 1 };

/** Parameters of one decoder layer by part. */
export interface LayerParameters {
  /** Query and output projections: split over all ranks. */
  readonly query: number;
  readonly output: number;
  /** Key and value projections together: split over at most as many ranks as there are key-value heads. */
  readonly keyValue: number;
  /** Gate, up and down projections together. */
  readonly feedForward: number;
  /** Both RMS norms: on every rank whole. */
  readonly norms: number;
}

export function layerParameters(architecture: Architecture): LayerParameters {
  const { hiddenSize, attentionHeads, keyValueHeads, headDimension, feedForwardSize } = architecture;
  const projection = hiddenSize * attentionHeads * headDimension;
  return {
    query: projection,
    output: projection,
    keyValue: 2 * hiddenSize * keyValueHeads * headDimension,
    feedForward: 3 * hiddenSize * feedForwardSize,
    norms: 2 * hiddenSize,
  };
}

/** Parameters of the embedding matrix, and of an output head that is not tied to it. */
export function vocabularyParameters(architecture: Architecture): number {
  return architecture.vocabularySize * architecture.hiddenSize;
}

/** All parameters of the model: 405,853,388,800 for Llama 3.1 405B. */
export function parameterCount(architecture: Architecture): number {
  const layer = layerParameters(architecture);
  const perLayer = layer.query + layer.output + layer.keyValue + layer.feedForward + layer.norms;
  const matrices = architecture.tiedEmbeddings ? 1 : 2;
  return (
    architecture.layers * perLayer + architecture.hiddenSize + matrices * vocabularyParameters(architecture)
  );
}

/** The layout of layer `index`, counted from zero. */
export function layoutOfLayer(layout: WeightLayout, index: number, layers: number): WeightLayout {
  if (layout.boundaryLayers === undefined || (index > 0 && index < layers - 1)) return layout;
  return { attention: layout.boundaryLayers, feedForward: layout.boundaryLayers };
}

/** Bytes of a whole checkpoint by part. */
export interface CheckpointBytes {
  readonly linear: number;
  readonly embeddings: number;
  /** Output head; 0 where it is tied to the embeddings. */
  readonly head: number;
  readonly norms: number;
  readonly total: number;
}

/** Bytes of a checkpoint; quantisation scales (under 0.03 %) and file headers are left out. */
export function checkpointBytes(architecture: Architecture, layout: WeightLayout): CheckpointBytes {
  const layer = layerParameters(architecture);
  let linear = 0;
  for (let index = 0; index < architecture.layers; index += 1) {
    const formats = layoutOfLayer(layout, index, architecture.layers);
    linear += (layer.query + layer.output + layer.keyValue) * bytesPerWeight[formats.attention];
    linear += layer.feedForward * bytesPerWeight[formats.feedForward];
  }
  const embeddings = vocabularyParameters(architecture) * bytesPerWeight.bf16;
  const head = architecture.tiedEmbeddings ? 0 : embeddings;
  const norms = (architecture.layers * layer.norms + architecture.hiddenSize) * bytesPerWeight.bf16;
  return { linear, embeddings, head, norms, total: linear + embeddings + head + norms };
}
