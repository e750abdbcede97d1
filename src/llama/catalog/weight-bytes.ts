// Bytes of a checkpoint by part, from the architecture and what of it is quantised: exact to the byte, so that
// a plan's numbers are those of the files. Shapes: the parameters of Hugging Face's LlamaForCausalLM.
import type { Architecture } from "./models.ts";

export type WeightFormat = "bf16" | "fp8" | "int8" | "int4";
/** What an engine may keep its KV cache in. */
export type KvCacheFormat = Extract<WeightFormat, "bf16" | "fp8">;

/** Weights that share a scale in the group-wise formats; 128 in every published INT4 checkpoint of the catalog. */
export const int4GroupSize = 128;

/**
 * Bytes that a quantised matrix stores beside its weights: scales, zero points, and the order of its inputs.
 * All 0 where they are not counted.
 */
export interface QuantisationExtras {
  readonly perMatrix: number;
  /** Per output channel: the scale of per-channel formats, and the bias that AutoGPTQ writes. */
  readonly perOutput: number;
  /** Per input channel: the group index of GPTQ's activation order, 4 B. */
  readonly perInput: number;
  /** Per 128 weights: a 16-bit scale, and half a byte where there is a zero point. */
  readonly perGroup: number;
}

/** Bytes of a checkpoint by part, read from its headers: `spec.model.profile.weightBytes`. */
export interface StatedBytes {
  /** All decoder layers with their norms and scales. */
  readonly layers: number;
  readonly embeddings: number;
  /** Output head and final norm; 0 where it is tied to the embeddings. */
  readonly head: number;
}

/** Which parts of a checkpoint are in which format. Embeddings, output head and norms are 16-bit in all of them. */
export interface WeightLayout {
  readonly attention: WeightFormat;
  readonly feedForward: WeightFormat;
  /** Format of the first and the last layer, where it differs: Meta's FP8 leaves them alone. */
  readonly boundaryLayers?: WeightFormat;
  /** Of each matrix that is not BF16; absent where there is none worth counting. */
  readonly extras?: QuantisationExtras;
  /** Bytes as the files' own headers state them, in the place of what follows from the formats. */
  readonly stated?: StatedBytes;
  /** The output head is stored although the model ties it to the embeddings: Red Hat's Llama 3.2. */
  readonly headStored?: boolean;
}

const noExtras: QuantisationExtras = { perMatrix: 0, perOutput: 0, perInput: 0, perGroup: 0 };

/** All linear layers in one format. */
function uniform(format: WeightFormat, extras: Partial<QuantisationExtras> = {}): WeightLayout {
  return { attention: format, feedForward: format, extras: { ...noExtras, ...extras } };
}

/** All linear layers in BF16. */
export const bf16Layout: WeightLayout = { attention: "bf16", feedForward: "bf16" };
/** All linear layers in FP8 with one scale a matrix: what an engine makes on the fly. */
export const fp8Layout: WeightLayout = uniform("fp8", { perMatrix: 4 });
/** Red Hat's static FP8: a BF16 scale of the weights and one of the inputs a matrix. */
export const fp8StaticLayout: WeightLayout = uniform("fp8", { perMatrix: 4 });
/** Red Hat's FP8-dynamic: a BF16 scale per output channel. */
export const fp8DynamicLayout: WeightLayout = uniform("fp8", { perOutput: 2 });
/** NVIDIA's FP8: an FP32 scale of the weights and one of the inputs a matrix. */
export const fp8ModeloptLayout: WeightLayout = uniform("fp8", { perMatrix: 8 });
/**
 * Meta's FBGEMM: only the feed-forward blocks, without those of the first and last layer; an FP32 scale per output
 * channel. Source: FbgemmFp8Linear in Hugging Face's transformers.
 */
export const fbgemmLayout: WeightLayout = {
  attention: "bf16",
  feedForward: "fp8",
  boundaryLayers: "bf16",
  extras: { ...noExtras, perOutput: 4 },
};
/** INT8 of compressed-tensors (w8a8): a BF16 scale per output channel. */
export const int8Layout: WeightLayout = uniform("int8", { perOutput: 2 });
/** INT4 of compressed-tensors (w4a16): symmetric, a BF16 scale a group, and the matrix' shape as two 64-bit numbers. */
export const int4Layout: WeightLayout = uniform("int4", { perMatrix: 16, perGroup: 2 });
/** The same in GPTQ's activation order, which stores the group of each input channel. */
export const int4ActivationOrderLayout: WeightLayout = uniform("int4", {
  perMatrix: 16,
  perInput: 4,
  perGroup: 2,
});
/** AutoAWQ's INT4: an FP16 scale and a 4-bit zero point a group. */
export const awqLayout: WeightLayout = uniform("int4", { perGroup: 2.5 });
/** AutoGPTQ's INT4: the same, a group index per input channel, and an FP16 bias per output channel, all zeros. */
export const gptqLayout: WeightLayout = uniform("int4", { perOutput: 2, perInput: 4, perGroup: 2.5 });

/** Bytes of one weight, without its share of the scales. */
export const bytesPerWeight: Readonly<Record<WeightFormat, number>> = {
  bf16: 2,
  fp8: 1,
  int8: 1,
  int4: 0.5,
};

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
  return { ...layout, attention: layout.boundaryLayers, feedForward: layout.boundaryLayers };
}

/** Bytes of `count` matrices of one shape. */
function matrixBytes(
  shape: { readonly inputs: number; readonly outputs: number },
  count: number,
  format: WeightFormat,
  extras: QuantisationExtras = noExtras,
): number {
  const weights = shape.inputs * shape.outputs;
  const beside =
    format === "bf16"
      ? 0
      : extras.perMatrix +
        shape.outputs * extras.perOutput +
        shape.inputs * extras.perInput +
        (weights / int4GroupSize) * extras.perGroup;
  return count * (weights * bytesPerWeight[format] + beside);
}

/** Bytes of one decoder layer by part, scales and zero points among them. */
export function layerBytes(architecture: Architecture, formats: WeightLayout): LayerParameters {
  const { hiddenSize, attentionHeads, keyValueHeads, headDimension, feedForwardSize } = architecture;
  const { attention, feedForward, extras } = formats;
  const query = attentionHeads * headDimension;
  const keyValue = keyValueHeads * headDimension;
  const up = { inputs: hiddenSize, outputs: feedForwardSize };
  const down = { inputs: feedForwardSize, outputs: hiddenSize };
  return {
    query: matrixBytes({ inputs: hiddenSize, outputs: query }, 1, attention, extras),
    output: matrixBytes({ inputs: query, outputs: hiddenSize }, 1, attention, extras),
    keyValue: matrixBytes({ inputs: hiddenSize, outputs: keyValue }, 2, attention, extras),
    feedForward: matrixBytes(up, 2, feedForward, extras) + matrixBytes(down, 1, feedForward, extras),
    norms: 2 * hiddenSize * bytesPerWeight.bf16,
  };
}

/** Bytes of a whole checkpoint by part. */
export interface CheckpointBytes {
  /** Attention and feed-forward matrices with their scales. */
  readonly linear: number;
  readonly embeddings: number;
  /** Output head; 0 where it is tied to the embeddings. */
  readonly head: number;
  readonly norms: number;
  readonly total: number;
}

/** Bytes of a checkpoint's tensors; the files' headers, under 0.01 %, are left out. */
export function checkpointBytes(architecture: Architecture, layout: WeightLayout): CheckpointBytes {
  if (layout.stated !== undefined) {
    const { layers, embeddings, head } = layout.stated;
    return { linear: layers, embeddings, head, norms: 0, total: layers + embeddings + head };
  }
  const linearOf = (formats: WeightLayout): number => {
    const layer = layerBytes(architecture, formats);
    return layer.query + layer.output + layer.keyValue + layer.feedForward;
  };
  // First and last; a model of one layer has one that is both.
  const boundaries = Math.min(2, architecture.layers);
  const linear =
    boundaries * linearOf(layoutOfLayer(layout, 0, architecture.layers)) +
    (architecture.layers - boundaries) * linearOf(layout);
  const embeddings = vocabularyParameters(architecture) * bytesPerWeight.bf16;
  const headStored = !architecture.tiedEmbeddings || layout.headStored === true;
  const head = headStored ? embeddings : 0;
  const norms = (2 * architecture.layers + 1) * architecture.hiddenSize * bytesPerWeight.bf16;
  return { linear, embeddings, head, norms, total: linear + embeddings + head + norms };
}
