// What a model is whose class is not LlamaForCausalLM: its true name, and what to do instead.
import { InspectionError, quoted } from "../errors.ts";
import type { Fields } from "./sizes.ts";

/** The class that the operator's engines and its planner know, as it is written today and as it was at first. */
const servedClasses = ["LlamaForCausalLM", "LLaMAForCausalLM"];
const [servedClass = ""] = servedClasses;

interface Kind {
  readonly matches: (className: string, fields: Fields) => boolean;
  readonly what: string;
  readonly next: string;
}

const textModels = "name a Llama for text, such as those of the catalog";
const elsewhere = `run it with vLLM by hand, or ${textModels}`;

const has = (fields: Fields, ...keys: readonly string[]) =>
  keys.some((key) => fields[key] !== undefined && fields[key] !== null && fields[key] !== 0);

const multimodal: Kind = {
  matches: (name, fields) =>
    has(fields, "vision_config", "audio_config", "vision_tower", "mm_vision_tower") ||
    /ForConditionalGeneration|Vision|VL|Llava|Mllama|Idefics|Multimodal|Audio|Omni|Phi3V|MiniCPM[VO]/.test(
      name,
    ),
  what: "a multimodal model, which takes images or sound",
  next: elsewhere,
};

/** The first that matches names it. */
const kinds: readonly Kind[] = [
  {
    matches: (name) => /eagle|medusa|mlpspeculator|dflash/i.test(name),
    what: "a draft head for speculative decoding",
    next: "name it in engine.args.speculative-config of the model that it drafts for",
  },
  {
    matches: (name) => /^Llama(?:Model|For(?!CausalLM|ConditionalGeneration)|Bidirectional)/.test(name),
    what: "a Llama that classifies or embeds text instead of writing it",
    next: elsewhere,
  },
  multimodal,
  {
    matches: (name, fields) =>
      has(
        fields,
        "mamba_d_state",
        "ssm_cfg",
        "ssm_state_size",
        "attn_layer_period",
        "linear_num_value_heads",
      ) ||
      /Mamba|Jamba|Bamba|Zamba|Nemotron_?H|Hybrid|Falcon-?H1|Plamo2|Recurrent|Qwen3-?Next|KimiLinear|MiniMax(?:Text01|M1)|Lfm2|Rwkv/i.test(
        name,
      ),
    what: "a hybrid of attention and state-space layers",
    next: elsewhere,
  },
  {
    matches: (name, fields) =>
      has(fields, "num_local_experts", "n_routed_experts", "num_experts") ||
      /Moe|Mixtral|Llama4|Dbrx|Deepseek_?V?[23]|Grok/i.test(name),
    what: "a mixture of experts",
    next: elsewhere,
  },
];

const other: Kind = { matches: () => true, what: "another family of models", next: elsewhere };

/** @throws InspectionError with the model's true name where it is no Llama for text. */
export function requireServedClass(file: string, fields: Fields): void {
  const stated = fields["architectures"];
  const names = Array.isArray(stated) ? stated.filter((name) => typeof name === "string") : [];
  if (names.some((name) => servedClasses.includes(name))) return;
  const [name] = names;
  if (name === undefined) {
    throw new InspectionError(
      "unsupported",
      `${file}: architectures names no class, so that no engine knows what the model is; a Llama's is ${servedClass}`,
    );
  }
  throw notServed(file, names.slice(0, 3), kindOf(name, fields), servedClass);
}

/** The same for a GGUF file, whose architectures have names of their own: `qwen2`, `nemotron_h`, `mllama`. */
export function ggufNotServed(file: string, name: string): InspectionError {
  const isMultimodal = /vl$|^mllama$|^gemma3n$/.test(name);
  return notServed(file, [name], isMultimodal ? multimodal : kindOf(name, {}), "llama");
}

function kindOf(name: string, fields: Fields): Kind {
  return kinds.find(({ matches }) => matches(name, fields)) ?? other;
}

function notServed(
  file: string,
  names: readonly string[],
  { what, next }: Kind,
  served: string,
): InspectionError {
  return new InspectionError(
    "unsupported",
    `${file}: its architecture is ${names.map(quoted).join(", ")}, ${what}, which is not Llama's architecture; the operator serves ${served}: ${next}`,
  );
}
