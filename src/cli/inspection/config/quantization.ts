// How config.json says that its weights are quantised: the method, the width, the weights that share a scale, and an
// FP8 KV cache. The method decides: what the tensors look like does not say how they are to be read.
// Sources: vLLM, model_executor/layers/quantization/ (what each method's configuration means) and
// transformers_utils/model_arch_config_convertor.py (names that are made one); transformers, utils/quantization_config.py.
import { z } from "zod";
import { unknownMethodProblem, type WeightBlock } from "@llama-operator/llama/catalog";
import { InspectionError, malformed, quoted } from "../errors.ts";
import { parseValue } from "../json-document.ts";

/** Formats of linear layers, as `spec.model.profile.weights` names them. */
export type ProfileWeights = "bf16" | "fp8" | "int8" | "int4";

/** What a checkpoint declares of its quantisation. */
export interface Quantization {
  /** `quant_method`: what engines call it. */
  readonly method: string;
  /** Undefined where no profile can say it, such as FP4, and where the method is not known. */
  readonly weights: ProfileWeights | undefined;
  /** The declared element type, for people: `8-bit float`. */
  readonly elements: string;
  /** Weights that share one scale; absent where it is a whole matrix or not known. */
  readonly block?: WeightBlock | undefined;
  /** Modules that stay as they were. */
  readonly excluded: readonly string[];
  /** The KV cache is declared to be FP8, which engines follow on `auto`. */
  readonly fp8KvCache: boolean;
  /** Why no plan can be made, where the method itself is the reason. */
  readonly problem?: string | undefined;
}

const modules = z.array(z.string()).max(100_000).nullish();
const width = z.int().nullish();

const groupSchema = z.object({
  weights: z
    .object({
      num_bits: z.int().min(1).max(64),
      type: z.string().max(32).default("int"),
      strategy: z.string().max(32).nullish(),
      group_size: width,
      block_structure: z.union([z.array(z.int().min(1)), z.string().max(32)]).nullish(),
    })
    .nullish(),
});

const schema = z.looseObject({
  quant_method: z.string().max(64).nullish(),
  producer: z.looseObject({ name: z.string().max(64).nullish() }).nullish(),
  /** ModelOpt's exports hold the rest inside. */
  quantization: z.looseObject({}).nullish(),
  quant_algo: z.string().max(64).nullish(),
  kv_cache_quant_algo: z.string().max(64).nullish(),
  activation_scheme: z.string().max(32).nullish(),
  weight_block_size: z.array(z.int().min(1)).nullish(),
  bits: width,
  w_bit: width,
  group_size: width,
  q_group_size: width,
  data_type: z.string().max(64).nullish(),
  load_in_8bit: z.boolean().nullish(),
  config_groups: z.record(z.string(), groupSchema).nullish(),
  sparsity_config: z.looseObject({ format: z.string().max(64).nullish() }).nullish(),
  kv_cache_scheme: z.unknown().optional(),
  ignore: modules,
  ignored_layers: modules,
  exclude_modules: modules,
  modules_to_not_convert: modules,
});

type QuantizationConfig = z.output<typeof schema>;

/** Reads `quantization_config`. @throws InspectionError where it does not say what vLLM needs. */
export function readQuantization(file: string, value: unknown): Quantization {
  const path = "quantization_config";
  const outer = parseValue(file, value, schema, path);
  const config =
    outer.quantization === undefined || outer.quantization === null
      ? outer
      : { ...outer, ...parseValue(file, outer.quantization, schema, `${path}.quantization`) };
  const method = methodOf(file, outer);
  const declared = weightsOf(file, method, config);
  const excluded =
    config.ignore ?? config.ignored_layers ?? config.exclude_modules ?? config.modules_to_not_convert ?? [];
  return {
    method,
    weights: declared.weights,
    elements: declared.elements,
    ...(declared.block === undefined ? {} : { block: declared.block }),
    excluded,
    fp8KvCache: declaresFp8KvCache(config),
    ...(declared.problem === undefined ? {} : { problem: declared.problem }),
  };
}

/** One name of a method for all that are written. @throws InspectionError where there is none */
function methodOf(
  file: string,
  { quant_method: stated, producer, quantization }: QuantizationConfig,
): string {
  if (stated !== undefined && stated !== null && stated !== "") {
    const plain = stated.toLowerCase().replace("compressed_tensors", "compressed-tensors");
    return plain === "intel/auto-round" ? "auto-round" : plain;
  }
  if (producer?.name === "modelopt" || quantization?.["modelopt_quant_config"] !== undefined)
    return "modelopt";
  throw new InspectionError(
    "unsupported",
    `${file}: quantization_config does not say its quant_method, and no engine loads weights of which it is not known how they are quantised`,
  );
}

interface DeclaredWeights {
  readonly weights: ProfileWeights | undefined;
  readonly elements: string;
  readonly block?: WeightBlock | undefined;
  readonly problem?: string | undefined;
}

function weightsOf(file: string, method: string, config: QuantizationConfig): DeclaredWeights {
  switch (method) {
    case "fp8":
      return weightsOfFp8(file, config);
    case "fbgemm_fp8":
      return float(8);
    case "compressed-tensors":
      return weightsOfGroups(file, config);
    case "modelopt":
    case "modelopt_fp4":
    case "modelopt_mxfp8":
    case "modelopt_mixed":
      return weightsOfAlgorithm(method, config);
    case "awq":
    case "gptq":
      return groupedIntegers(config);
    case "auto-round":
      return (config.data_type ?? "int") === "int"
        ? groupedIntegers(config)
        : { weights: undefined, elements: quoted(config.data_type ?? "") };
    case "bitsandbytes":
      return integer(config.load_in_8bit === true ? 8 : 4);
    default:
      return {
        weights: undefined,
        elements: "weights of a method that is not known",
        problem: unknownMethodProblem(quoted(method)),
      };
  }
}

/** Source: Fp8Config of vllm/model_executor/layers/quantization/fp8.py, which takes blocks with dynamic scales alone. */
function weightsOfFp8(file: string, config: QuantizationConfig): DeclaredWeights {
  const block = pair(file, "weight_block_size", config.weight_block_size ?? undefined);
  if (block === undefined || config.activation_scheme !== "static") return { ...float(8), block };
  return {
    ...float(8),
    block,
    problem: "its FP8 weights are in blocks and its activations have static scales, which vLLM does not load",
  };
}

/** `[block_n, block_k]`. */
function pair(file: string, key: string, sizes: readonly number[] | undefined): WeightBlock | undefined {
  if (sizes === undefined) return undefined;
  const [outputs, inputs] = sizes;
  if (outputs === undefined || inputs === undefined || sizes.length !== 2) {
    throw malformed(file, `${key} is [${sizes.join(", ")}], and a block of weights has two sides`);
  }
  return { outputs, inputs };
}

/** AWQ, GPTQ and AutoRound: a scale for each group of inputs, or for the whole row (-1). */
function groupedIntegers(config: QuantizationConfig): DeclaredWeights {
  const group = config.group_size ?? config.q_group_size ?? 128;
  return { ...integer(config.bits ?? config.w_bit ?? 4), block: rowsOf(group) };
}

const rowsOf = (group: number): WeightBlock => (group > 0 ? { outputs: 1, inputs: group } : { outputs: 1 });

function weightsOfGroups(file: string, config: QuantizationConfig): DeclaredWeights {
  const sparse = config.sparsity_config?.format ?? "dense";
  if (sparse !== "dense") {
    return { weights: undefined, elements: "sparse", problem: `its weights are sparse (${quoted(sparse)})` };
  }
  const kinds = Object.values(config.config_groups ?? {}).flatMap(({ weights }) => weights ?? []);
  const [first] = kinds;
  // Only the KV cache is quantised then.
  if (first === undefined) return { weights: "bf16", elements: "16-bit float" };
  const blocks = kinds.map((kind) => blockOfGroup(file, kind));
  const alike = kinds.every(
    ({ num_bits: bits, type }, index) =>
      bits === first.num_bits &&
      type === first.type &&
      JSON.stringify(blocks[index]) === JSON.stringify(blocks[0]),
  );
  if (!alike) return { weights: undefined, elements: "several formats" };
  return { ...(first.type === "float" ? float(first.num_bits) : integer(first.num_bits)), block: blocks[0] };
}

type GroupWeights = NonNullable<z.output<typeof groupSchema>["weights"]>;

function blockOfGroup(file: string, weights: GroupWeights): WeightBlock | undefined {
  const { strategy, group_size: group, block_structure: structure } = weights;
  if (strategy === "block") {
    // compressed-tensors wrote "128x128" before it wrote a list.
    const sizes = typeof structure === "string" ? structure.split("x").map(Number) : structure;
    const block = pair(file, "block_structure", sizes ?? [128, 128]);
    if (block !== undefined && [block.outputs, block.inputs].every((side) => Number.isInteger(side)))
      return block;
    throw malformed(
      file,
      `block_structure is ${quoted(String(structure))}, and a block of weights has two sides`,
    );
  }
  const isGrouped = strategy === "group" || strategy === "tensor_group" || (group ?? 0) > 0;
  if (isGrouped) return rowsOf(group ?? 128);
  return weights.type === "float" ? undefined : rowsOf(-1);
}

/** ModelOpt's algorithms that vLLM reads, and how they scale. */
function weightsOfAlgorithm(method: string, config: QuantizationConfig): DeclaredWeights {
  const { quant_algo: stated, kv_cache_quant_algo: kvCache } = config;
  const onlyKvCache = stated === null && typeof kvCache === "string";
  if (onlyKvCache) return { weights: "bf16", elements: "16-bit float" };
  const usual = { modelopt_fp4: "NVFP4", modelopt_mxfp8: "MXFP8", modelopt_mixed: "MIXED_PRECISION" }[method];
  const algorithm = (stated ?? usual ?? "FP8").toUpperCase();
  switch (algorithm) {
    case "FP8":
    case "FP8_PER_CHANNEL_PER_TOKEN":
      return float(8);
    // "Per block, weights only": 128 x 128.
    case "FP8_PB_WO":
      return { ...float(8), block: { outputs: 128, inputs: 128 } };
    default:
      return {
        weights: undefined,
        elements: algorithm.includes("FP4") ? "4-bit float" : quoted(algorithm),
      };
  }
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
  return z.object({ num_bits: z.literal(8), type: z.literal("float") }).safeParse(scheme).success;
}
