// How many tokens of context an engine takes, which is more or less than max_position_embeddings where rotary
// positions are scaled, or where another field bounds them.
// Sources: vLLM, config/model.py (_get_and_verify_max_len) and transformers_utils/model_arch_config_convertor.py
// (derive_max_model_len_and_key); transformers, modeling_rope_utils.py and configuration_llama.py.
import { malformed, quoted, shown } from "../errors.ts";
import { maxSize, optionalSize, requiredSize } from "./sizes.ts";
import type { Fields } from "./sizes.ts";

/** The context that an engine takes, and what led to another one than the configuration's first number. */
export interface Positions {
  readonly tokens: number;
  readonly notes: readonly string[];
}

/** One scaling of rotary positions; a model may have one for each kind of layer. */
export interface RopeScaling {
  /** `linear`, `yarn`, `llama3` …; `default` scales nothing by itself. */
  readonly type: string;
  readonly factor?: number | undefined;
  /** Positions before scaling, where the maker says so. */
  readonly original?: number | undefined;
}

/** transformers' own default of `max_position_embeddings` for Llama. */
const defaultPositions = 2048;

/** Other names of the longest context; vLLM takes the smallest of all that are there. */
const otherKeys = [
  "n_positions",
  "max_seq_len",
  "seq_length",
  "max_target_positions",
  "max_sequence_length",
  "max_seq_length",
  "seq_len",
];

/** Types whose max_position_embeddings is the scaled length already. */
const scaledAlready: ReadonlySet<string> = new Set(["llama3", "longrope", "su"]);

/** Types of vLLM's get_rope, and the old names that it reads as one of them. */
const knownTypes: ReadonlySet<string> = new Set([
  ...scaledAlready,
  "deepseek_llama_scaling",
  "deepseek_yarn",
  "default",
  "dynamic",
  "linear",
  "mllama4",
  "mrope",
  "ntk",
  "proportional",
  "xdrope",
  "yarn",
]);

/** The context of a config.json. @throws InspectionError */
export function positionsOf(file: string, fields: Fields): Positions {
  const base = unscaled(file, fields);
  const scaled = scaledPositions(file, base.tokens, ropeScalings(file, fields));
  return { tokens: scaled.tokens, notes: [...base.notes, ...scaled.notes] };
}

/** The smallest of the fields that bound the context; `model_max_length` goes before them all. */
function unscaled(file: string, fields: Fields): Positions {
  const stated = optionalSize(file, fields, "max_position_embeddings");
  const others = otherKeys.flatMap((key) => {
    const tokens = optionalSize(file, fields, key);
    return tokens === undefined ? [] : [{ key, tokens }];
  });
  const own = { key: "max_position_embeddings", tokens: stated ?? defaultPositions };
  // A tokenizer's "no limit" is 10^30.
  const longest = fields["model_max_length"];
  const bound =
    typeof longest === "number" && longest >= 1 && longest <= maxSize
      ? { key: "model_max_length", tokens: requiredSize(file, fields, "model_max_length") }
      : others.reduce((least, other) => (other.tokens < least.tokens ? other : least), own);
  if (bound !== own)
    return { tokens: bound.tokens, notes: [`the context follows from ${bound.key}, as in the engine`] };
  if (stated !== undefined) return { tokens: stated, notes: [] };
  return {
    tokens: own.tokens,
    notes: [
      `the configuration has no max_position_embeddings: ${defaultPositions.toLocaleString("en-US")} tokens, the engine's default`,
    ],
  };
}

/** vLLM multiplies by the factor of every type that is not scaled already; yarn begins at the original length. */
export function scaledPositions(
  file: string,
  positions: number,
  scalings: readonly RopeScaling[],
): Positions {
  let tokens = positions;
  let factor = 1;
  const types: string[] = [];
  for (const scaling of scalings) {
    if (scaledAlready.has(scaling.type)) continue;
    if (scaling.type === "yarn") tokens = scaling.original ?? positions;
    factor = scaling.factor ?? factor;
    if (!types.includes(scaling.type)) types.push(scaling.type);
  }
  const unknown = scalings.map(({ type }) => type).filter((type) => !knownTypes.has(type));
  const odd = unknown.map(
    (type) => `rotary scaling ${quoted(type)} is not known here, and vLLM may refuse it`,
  );
  const scaled = Math.trunc(tokens * factor);
  if (scaled < 1 || scaled > maxSize) {
    throw malformed(file, `rotary scaling by ${factor} makes ${scaled} positions of ${tokens}`);
  }
  if (scaled === positions) return { tokens: scaled, notes: odd };
  const from = `${tokens.toLocaleString("en-US")} x ${factor}`;
  return {
    tokens: scaled,
    notes: [`the context is ${from} by rotary scaling (${types.join(", ")})`, ...odd],
  };
}

/** `rope_scaling`, or `rope_parameters` of transformers 5, which may hold one for each kind of layer. */
function ropeScalings(file: string, fields: Fields): readonly RopeScaling[] {
  const key = isPresent(fields["rope_scaling"]) ? "rope_scaling" : "rope_parameters";
  const value = fields[key];
  if (!isPresent(value)) return [];
  if (!isFields(value))
    throw malformed(file, `${key} is ${shown(value)}, and it is an object where it is set`);
  const parts = Object.entries(value);
  const nested = parts.length > 0 && parts.every(([, part]) => isFields(part));
  const all = nested
    ? parts.map(([name, part]) => [`${key}.${name}`, part] as const)
    : [[key, value] as const];
  return all.flatMap(([path, part]) => (isFields(part) ? [ropeScaling(file, path, part, fields)] : []));
}

function ropeScaling(file: string, path: string, part: Fields, fields: Fields): RopeScaling {
  const factor = part["factor"];
  if (isPresent(factor) && !(typeof factor === "number" && factor > 0 && Number.isFinite(factor))) {
    throw malformed(file, `${path}.factor is ${shown(factor)}, and a factor is a number above 0`);
  }
  const key = "original_max_position_embeddings";
  return {
    type: ropeType(file, path, part),
    factor: typeof factor === "number" ? factor : undefined,
    original: optionalSize(file, fields, key) ?? optionalSize(file, part, key),
  };
}

/** `rope_type`, or `type` as it was called; vLLM refuses two that contradict each other. */
function ropeType(file: string, path: string, part: Fields): string {
  const { rope_type: current, type: former } = part;
  for (const type of [current, former]) {
    if (isPresent(type) && typeof type !== "string") {
      throw malformed(file, `${path} has the type ${shown(type)}, and a type is a name`);
    }
  }
  const alike = (former === "su" && current === "longrope") || (former === "mrope" && current === "default");
  if (typeof current === "string" && typeof former === "string" && current !== former && !alike) {
    throw malformed(
      file,
      `${path} says type ${quoted(former)} and rope_type ${quoted(current)}, and vLLM refuses both together`,
    );
  }
  if (typeof current === "string") return current;
  return typeof former === "string" ? former : "default";
}

const isPresent = (value: unknown): boolean => value !== undefined && value !== null;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
