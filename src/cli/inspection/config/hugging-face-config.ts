// What config.json says of a model: its architecture, its context, and how its weights are quantised.
// Source of the fields and their defaults: transformers, configuration_llama.py.
import { z } from "zod";
import type { Architecture } from "@llama-operator/llama/catalog";
import { InspectionError, malformed, shown } from "../errors.ts";
import { parseDocument } from "../json-document.ts";
import { positionsOf } from "./positions.ts";
import { readQuantization } from "./quantization.ts";
import type { Quantization } from "./quantization.ts";
import { optionalSize, requiredSize } from "./sizes.ts";
import type { Fields } from "./sizes.ts";
import { requireServedClass } from "./unserved.ts";

export interface HuggingFaceConfig {
  readonly architecture: Architecture;
  readonly quantization?: Quantization | undefined;
  /** What the user should know. */
  readonly notes: readonly string[];
}

/** Larger than any config.json by far. */
export const maxConfigBytes = 4 * 1_048_576;

const configSchema = z.looseObject({});

/**
 * Reads config.json, and ModelOpt's hf_quant_config.json where there is one.
 * @throws InspectionError for what is malformed or no Llama.
 */
export function readConfig(
  config: { readonly name: string; readonly text: string },
  sidecar?: { readonly name: string; readonly text: string },
): HuggingFaceConfig {
  const file = config.name;
  const fields: Fields = parseDocument(file, config.text, configSchema);
  requireServedClass(file, fields);
  requireNoMlx(file, fields);
  const hiddenSize = requiredSize(file, fields, "hidden_size");
  const attentionHeads = requiredSize(file, fields, "num_attention_heads");
  const layers = requiredSize(file, fields, "num_hidden_layers");
  const positions = positionsOf(file, fields);
  const quantization = quantizationOf(file, fields, sidecar);
  return {
    architecture: {
      hiddenSize,
      layers,
      attentionHeads,
      keyValueHeads: optionalSize(file, fields, "num_key_value_heads") ?? attentionHeads,
      headDimension: headDimension(file, fields) ?? Math.floor(hiddenSize / attentionHeads),
      feedForwardSize: requiredSize(file, fields, "intermediate_size"),
      vocabularySize: requiredSize(file, fields, "vocab_size"),
      maxPositions: positions.tokens,
      tiedEmbeddings: flag(file, fields, "tie_word_embeddings"),
    },
    ...(quantization === undefined ? {} : { quantization }),
    notes: [...positions.notes, ...slidingNotes(file, fields, layers)],
  };
}

/** Some configuration classes write 0 for "derived", which vLLM reads so. */
function headDimension(file: string, fields: Fields): number | undefined {
  return fields["head_dim"] === 0 ? undefined : optionalSize(file, fields, "head_dim");
}

function flag(file: string, fields: Fields, key: string): boolean {
  const value = fields[key] ?? false;
  if (typeof value === "boolean") return value;
  throw malformed(file, `${key} is ${shown(value)}, and true or false belongs there`);
}

/** MLX quantises in a layout of its own, and names no method. Source: mlx-lm, utils.py (quantize_model). */
function requireNoMlx(file: string, fields: Fields): void {
  const mlx = z.object({ bits: z.number(), group_size: z.number() });
  const named = z.object({ quant_method: z.string() });
  const isMlx =
    mlx.safeParse(fields["quantization"]).success && !named.safeParse(fields["quantization_config"]).success;
  if (!isMlx) return;
  throw new InspectionError(
    "unsupported",
    `${file}: was made by MLX; vLLM does not load it: name the checkpoint that it was made from, or one in FP8, AWQ or GPTQ`,
  );
}

function quantizationOf(
  file: string,
  fields: Fields,
  sidecar: { readonly name: string; readonly text: string } | undefined,
): Quantization | undefined {
  // compressed-tensors was `compression_config` at first.
  const declared = fields["quantization_config"] ?? fields["compression_config"];
  if (declared !== undefined && declared !== null) {
    const isFirst = fields["quantization_config"] === undefined || fields["quantization_config"] === null;
    return readQuantization(
      file,
      isFirst && typeof declared === "object"
        ? { quant_method: "compressed-tensors", ...declared }
        : declared,
    );
  }
  if (sidecar === undefined) return undefined;
  // ModelOpt writes the same twice; older exports have the second file alone.
  const beside: Fields = parseDocument(sidecar.name, sidecar.text, configSchema);
  return readQuantization(sidecar.name, { ...beside, quant_method: "modelopt" });
}

/** Layers that attend to a window alone keep less than is planned for them. */
function slidingNotes(file: string, fields: Fields, layers: number): readonly string[] {
  const types = fields["layer_types"];
  const listed = Array.isArray(types) ? types.filter((type) => type === "sliding_attention").length : layers;
  // Models that know a window may have it turned off.
  const isOff = fields["use_sliding_window"] === false;
  const window = isOff ? undefined : optionalSize(file, fields, "sliding_window");
  if (window === undefined || listed === 0) return [];
  return [slidingNote(window, listed, layers)];
}

/** What a window means for a plan. */
export function slidingNote(window: number, listed: number, layers: number): string {
  const which = listed === layers ? "all layers attend" : `${listed} of ${layers} layers attend`;
  return `${which} to a window of ${window.toLocaleString("en-US")} tokens; their KV cache is planned whole, and more tokens will fit`;
}
