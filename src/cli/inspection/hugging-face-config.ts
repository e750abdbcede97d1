// What config.json says of a model: its architecture, and how its weights are quantised.
// Sources: transformers, configuration_llama.py (fields and their defaults) and utils/quantization_config.py;
// vLLM, model_executor/layers/quantization/ (what each method's configuration means).
import { z } from "zod";
import type { Architecture } from "@llama-operator/llama/catalog";
import { InspectionError, quoted } from "./errors.ts";
import { parseDocument } from "./json-document.ts";

/** Formats of linear layers, as `spec.model.profile.weights` names them. */
export type ProfileWeights = "bf16" | "fp8" | "int8" | "int4";

/** What a checkpoint declares of its quantisation. */
export interface Quantization {
  /** `quant_method`: what engines call it. */
  readonly method: string;
  /** Undefined where no profile can say it, such as FP4. */
  readonly weights: ProfileWeights | undefined;
  /** The declared element type, for people: `8-bit float`. */
  readonly elements: string;
  /** Modules that stay as they were. */
  readonly excluded: readonly string[];
  /** The KV cache is declared to be FP8, which engines follow on `auto`. */
  readonly fp8KvCache: boolean;
}

export interface HuggingFaceConfig {
  readonly architecture: Architecture;
  readonly quantization?: Quantization | undefined;
}

/** Larger than any config.json by far. */
export const maxConfigBytes = 4 * 1_048_576;

const count = z.int().min(1).max(2_147_483_647);
const modules = z.array(z.string()).max(100_000).nullish();

const groupSchema = z.object({
  weights: z.object({ num_bits: z.int().min(1).max(64), type: z.string().max(32) }).nullish(),
});

const quantizationSchema = z.object({
  quant_method: z.string().max(64).optional(),
  quant_algo: z.string().max(64).nullish(),
  kv_cache_quant_algo: z.string().max(64).nullish(),
  bits: z.int().nullish(),
  w_bit: z.int().nullish(),
  load_in_4bit: z.boolean().nullish(),
  load_in_8bit: z.boolean().nullish(),
  config_groups: z.record(z.string(), groupSchema).nullish(),
  kv_cache_scheme: z.unknown().optional(),
  ignore: modules,
  ignored_layers: modules,
  exclude_modules: modules,
  modules_to_not_convert: modules,
});

type QuantizationConfig = z.output<typeof quantizationSchema>;

const configSchema = z.object({
  architectures: z.array(z.string().max(256)).max(16).nullish(),
  hidden_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  intermediate_size: count,
  vocab_size: count,
  max_position_embeddings: count,
  tie_word_embeddings: z.boolean().nullish(),
  quantization_config: quantizationSchema.nullish(),
});

const sidecarSchema = z.object({ quantization: quantizationSchema });

const architectureSchema = z.object({ architectures: z.array(z.string().max(256)).max(16).nullish() });

/** The class that the operator's engines and its planner know. */
const servedClass = "LlamaForCausalLM";

/**
 * Reads config.json, and ModelOpt's hf_quant_config.json where there is one.
 * @throws InspectionError for what is malformed or no Llama.
 */
export function readConfig(
  config: { readonly name: string; readonly text: string },
  sidecar?: { readonly name: string; readonly text: string },
): HuggingFaceConfig {
  const { architectures } = parseDocument(config.name, config.text, architectureSchema);
  if (architectures?.includes(servedClass) !== true) {
    const found = architectures?.slice(0, 3).map(quoted).join(", ") ?? "none";
    throw new InspectionError(
      "unsupported",
      `${config.name}: its architecture is ${found}, and the operator serves ${servedClass}`,
    );
  }
  const fields = parseDocument(config.name, config.text, configSchema);
  const declared = fields.quantization_config;
  const beside = sidecar === undefined ? undefined : parseDocument(sidecar.name, sidecar.text, sidecarSchema);
  // ModelOpt writes the same twice; older exports have the second file alone.
  const quantization =
    declared ?? (beside === undefined ? undefined : { quant_method: "modelopt", ...beside.quantization });
  return {
    architecture: {
      hiddenSize: fields.hidden_size,
      layers: fields.num_hidden_layers,
      attentionHeads: fields.num_attention_heads,
      keyValueHeads: fields.num_key_value_heads ?? fields.num_attention_heads,
      headDimension: fields.head_dim ?? Math.floor(fields.hidden_size / fields.num_attention_heads),
      feedForwardSize: fields.intermediate_size,
      vocabularySize: fields.vocab_size,
      maxPositions: fields.max_position_embeddings,
      tiedEmbeddings: fields.tie_word_embeddings ?? false,
    },
    ...(quantization === undefined ? {} : { quantization: quantizationOf(config.name, quantization) }),
  };
}

function quantizationOf(file: string, config: QuantizationConfig): Quantization {
  const { quant_method: method } = config;
  if (method === undefined)
    throw new InspectionError("malformed", `${file}: quantization_config has no quant_method`);
  const { weights, elements } = weightsOf(method.toLowerCase(), config);
  const excluded =
    config.ignore ?? config.ignored_layers ?? config.exclude_modules ?? config.modules_to_not_convert ?? [];
  return {
    method: method.toLowerCase(),
    weights,
    elements,
    excluded,
    fp8KvCache: declaresFp8KvCache(config),
  };
}

interface DeclaredWeights {
  readonly weights: ProfileWeights | undefined;
  readonly elements: string;
}

function weightsOf(method: string, config: QuantizationConfig): DeclaredWeights {
  switch (method) {
    case "fp8":
    case "fbgemm_fp8":
      return float(8);
    case "compressed-tensors":
      return weightsOfGroups(config);
    case "modelopt":
    case "modelopt_fp4":
      return weightsOfAlgorithm(config.quant_algo ?? (method === "modelopt_fp4" ? "NVFP4" : "FP8"));
    case "awq":
    case "gptq":
      return integer(config.bits ?? config.w_bit ?? 4);
    case "bitsandbytes":
      return integer(config.load_in_8bit === true ? 8 : 4);
    default:
      return { weights: undefined, elements: `unknown to the operator (${quoted(method)})` };
  }
}

function weightsOfGroups({ config_groups: groups }: QuantizationConfig): DeclaredWeights {
  const kinds = Object.values(groups ?? {}).flatMap(({ weights }) => weights ?? []);
  const [first] = kinds;
  if (first === undefined) return { weights: undefined, elements: "not declared" };
  if (kinds.some(({ num_bits, type }) => num_bits !== first.num_bits || type !== first.type)) {
    return { weights: undefined, elements: "several formats" };
  }
  return first.type === "float" ? float(first.num_bits) : integer(first.num_bits);
}

function weightsOfAlgorithm(algorithm: string): DeclaredWeights {
  const upper = algorithm.toUpperCase();
  if (upper.startsWith("FP8")) return float(8);
  if (upper.includes("FP4")) return float(4);
  if (upper.startsWith("W4")) return integer(4);
  if (upper.startsWith("INT8") || upper.startsWith("W8")) return integer(8);
  return { weights: undefined, elements: quoted(algorithm) };
}

const float = (bits: number): DeclaredWeights => ({
  weights: bits === 8 ? "fp8" : undefined,
  elements: `${bits}-bit float`,
});

const integer = (bits: number): DeclaredWeights => ({
  weights: bits === 8 ? "int8" : bits === 4 ? "int4" : undefined,
  elements: `${bits}-bit integer`,
});

function declaresFp8KvCache({
  kv_cache_quant_algo: algorithm,
  kv_cache_scheme: scheme,
}: QuantizationConfig): boolean {
  if (algorithm?.toUpperCase() === "FP8") return true;
  // compressed-tensors and ModelOpt describe the elements; AutoFP8 wrote "static".
  if (typeof scheme === "string") return true;
  const parsed = z.object({ num_bits: z.literal(8), type: z.literal("float") }).safeParse(scheme);
  return parsed.success;
}
