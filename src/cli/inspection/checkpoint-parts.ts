// Which part of a Llama a tensor belongs to, by its name: in the names of Hugging Face and in those of GGUF.
// Sources: transformers, modeling_llama.py; vLLM, model_executor/layers/quantization/ (names of scales); llama.cpp,
// gguf-py/gguf/constants.py (MODEL_ARCH.LLAMA).
import { InspectionError, malformed, quoted } from "./errors.ts";
import type { Tensor } from "./tensor.ts";
import { adapterMessage } from "./true-names.ts";

/** Parts of a checkpoint; `unused` is what engines do not load. */
export type Part =
  | "attention"
  | "feedForward"
  | "layerNorms"
  | "layerScales"
  | "embeddings"
  | "head"
  | "finalNorm"
  | "unused";

/** A tensor and where it belongs. */
export interface PlacedTensor {
  readonly tensor: Tensor;
  readonly part: Part;
  /** Of a decoder layer, counted from zero. */
  readonly layer?: number;
  /** The module within its layer: `self_attn.k_proj`, `attn_k`. */
  readonly module: string;
  /** The weights themselves, and not a scale, a zero point or a shape. */
  readonly main: boolean;
}

/** Bytes of each part. */
export type PartBytes = Readonly<Record<Part, number>>;

const mainEndings = new Set(["weight", "bias", "qweight", "weight_packed"]);

const huggingFaceLayer = /^model\.layers\.(\d{1,5})\.(.+)$/;
const ggufLayer = /^blk\.(\d{1,5})\.(.+)$/;
const attention = /^(self_attn\.[qkvo]_proj|self_attn\.qkv_proj|attn_(?:q|k|v|output|qkv))\.(.+)$/;
const feedForward = /^(mlp\.(?:gate|up|down|gate_up)_proj|ffn_(?:gate|up|down))\.(.+)$/;
const norms = /^(input_layernorm|post_attention_layernorm|attn_norm|ffn_norm)\.(.+)$/;
/** Scales of the KV cache: a few bytes a layer. */
const keyValueScales = /^(self_attn(?:\.attn)?)\.((?:[kvq]|kv)_scale|prob_output_scale)$/;
/** Buffers that old checkpoints hold and engines compute. */
const rotary = /^(self_attn\.rotary_emb|attn_rot_embd)\.(.+)$/;
const outside: readonly (readonly [RegExp, Part])[] = [
  [/^(model\.embed_tokens|token_embd)\.(.+)$/, "embeddings"],
  [/^(lm_head|output)\.(.+)$/, "head"],
  [/^(model\.norm|output_norm)\.(.+)$/, "finalNorm"],
  [/^(rope_freqs|rope_factors_long|rope_factors_short)\.(.+)$/, "unused"],
];

/** Finds the part of each tensor. @throws InspectionError for a name that no Llama has. */
export function placeTensors(file: string, tensors: readonly Tensor[]): readonly PlacedTensor[] {
  return tensors.map((tensor) => {
    const placed = placeInLayer(tensor) ?? placeOutside(tensor);
    if (placed === undefined && /\blora_[AB]\b/.test(tensor.name)) {
      throw new InspectionError("unsupported", `${file}: ${adapterMessage("LORA", undefined)}`);
    }
    if (placed === undefined) {
      throw malformed(file, `tensor ${quoted(tensor.name)} is no part of a Llama for text`);
    }
    return placed;
  });
}

function placeInLayer(tensor: Tensor): PlacedTensor | undefined {
  const [, index, rest] = huggingFaceLayer.exec(tensor.name) ?? ggufLayer.exec(tensor.name) ?? [];
  if (index === undefined || rest === undefined) return undefined;
  const layer = Number(index);
  for (const [pattern, part] of [
    [attention, "attention"],
    [feedForward, "feedForward"],
    [norms, "layerNorms"],
    [keyValueScales, "layerScales"],
    [rotary, "unused"],
  ] as const) {
    const [, module, ending] = pattern.exec(rest) ?? [];
    if (module === undefined || ending === undefined) continue;
    const main = mainEndings.has(ending);
    const linear = part === "attention" || part === "feedForward";
    return { tensor, part: linear && !main ? "layerScales" : part, layer, module, main };
  }
  return undefined;
}

function placeOutside(tensor: Tensor): PlacedTensor | undefined {
  for (const [pattern, part] of outside) {
    const [, module, ending] = pattern.exec(tensor.name) ?? [];
    if (module !== undefined && ending !== undefined)
      return { tensor, part, module, main: mainEndings.has(ending) };
  }
  return undefined;
}

/** Adds up the bytes of each part, as `bytesOf` counts them. */
export function partBytes(
  placed: readonly PlacedTensor[],
  bytesOf: (tensor: PlacedTensor) => number,
): PartBytes {
  const bytes: Record<Part, number> = {
    attention: 0,
    feedForward: 0,
    layerNorms: 0,
    layerScales: 0,
    embeddings: 0,
    head: 0,
    finalNorm: 0,
    unused: 0,
  };
  for (const tensor of placed) bytes[tensor.part] += bytesOf(tensor);
  return bytes;
}
