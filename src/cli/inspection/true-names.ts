// What a folder or a file is that holds no whole model: its true name, and the next step. Said before anything else is
// read, because what is missing says less ("has no config.json") than what is there.
import { z } from "zod";
import { InspectionError, quoted } from "./errors.ts";
import { parseDocument } from "./json-document.ts";
import type { CheckpointFolder } from "./places/checkpoint-folder.ts";

const configFile = "config.json";
const adapterConfigFile = "adapter_config.json";
const maxAdapterConfigBytes = 1_048_576;

const adapterSchema = z.looseObject({
  peft_type: z.string().max(64).nullish(),
  base_model_name_or_path: z.string().max(1024).nullish(),
  r: z.int().min(1).nullish(),
});

/** `model-00001-of-00003.gguf`. */
const splitName = /^(.+)-(\d{5})-of-(\d{5})\.gguf$/;

/** Files that hold a model's weights. */
const isWeights = (name: string) => /^[^/]+\.(?:safetensors|bin|pth?|gguf)$/.test(name) && !isAdapter(name);
const isAdapter = (name: string) => /^adapter_model\b/.test(name);

/** @throws InspectionError that says what the folder is, where it is no model. */
export async function requireModelFolder(
  folder: CheckpointFolder,
  only: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { fileNames, name } = folder;
  const names = [...fileNames];
  const unsupported = (what: string) => new InspectionError("unsupported", `${name}: ${what}`);
  const onlyAdapter =
    only === undefined ? !fileNames.has(configFile) || !names.some(isWeights) : isAdapter(only);
  if (onlyAdapter && fileNames.has(adapterConfigFile)) throw unsupported(await adapterOf(folder, signal));
  if (onlyAdapter && names.some(isAdapter)) throw unsupported(adapterMessage(undefined, undefined));
  if (only !== undefined || fileNames.has(configFile) || names.some((each) => each.endsWith(".gguf"))) return;
  if (fileNames.has("params.json")) {
    throw unsupported(
      "is in its maker's own format (params.json), which the operator does not read: name the copy for transformers, with config.json and safetensors",
    );
  }
  if (names.some((each) => each.endsWith(".onnx"))) {
    throw unsupported(
      "holds ONNX graphs, which vLLM does not load: name the checkpoint that they were made from",
    );
  }
  const isTokenizer = fileNames.has("tokenizer.json") || fileNames.has("tokenizer.model");
  if (isTokenizer && !names.some(isWeights)) {
    throw unsupported("holds a tokenizer, a vocabulary without weights: name the folder of the model itself");
  }
}

async function adapterOf(folder: CheckpointFolder, signal: AbortSignal): Promise<string> {
  const file = `${folder.name}/${adapterConfigFile}`;
  const text = await folder.readText(adapterConfigFile, maxAdapterConfigBytes, signal);
  const {
    peft_type: type,
    base_model_name_or_path: base,
    r: rank,
  } = parseDocument(file, text, adapterSchema);
  return adapterMessage(type ?? undefined, base ?? undefined, rank ?? undefined);
}

/** What an adapter is, and how it is served. */
export function adapterMessage(type: string | undefined, base: string | undefined, rank?: number): string {
  const isLora = type === undefined || type.toUpperCase() === "LORA";
  const kind = isLora ? "a LoRA adapter" : `an adapter (${quoted(type)})`;
  const of = base === undefined || base === "" ? "a model that it does not name" : plain(base);
  const merge = "merge the adapter into it (peft's merge_and_unload) and inspect the result";
  if (!isLora) return `is ${kind} of ${of}, not a model, and vLLM loads LoRA alone: ${merge}`;
  const flags = `enable-lora ""${rank === undefined ? "" : `, max-lora-rank "${rank}"`} and lora-modules name=path`;
  return `is ${kind} of ${of}, not a model: serve ${of} with engine.args ${flags}; or ${merge}`;
}

/** A repository's name as it is; anything else that a stranger wrote in quotes. */
const plain = (text: string) => (/^[-\w./]{1,200}$/.test(text) ? text : quoted(text));

/** How the parts of a split GGUF become one; the same whichever of them is named. */
export function splitMessage(file: string, parts: number): string {
  const [, base = ""] = splitName.exec(file.split("/").at(-1) ?? "") ?? [];
  const command =
    base === ""
      ? "llama-gguf-split --merge"
      : `llama-gguf-split --merge ${firstPart(base, parts)} ${base}.gguf`;
  return `is one of ${parts} parts of a split GGUF; merge them first (${command}), and inspect the file that it makes`;
}

const digits = (value: number) => String(value).padStart(5, "0");
const firstPart = (base: string, parts: number) => `${base}-${digits(1)}-of-${digits(parts)}.gguf`;

/**
 * The only GGUF file of a folder, undefined where there is none.
 * @throws InspectionError where it would be a guess, or where all that is there are parts of one.
 */
export function onlyGguf(folder: string, names: readonly string[]): string | undefined {
  const found = names.filter((name) => name.endsWith(".gguf")).toSorted();
  if (found.length <= 1) return found[0];
  const whole = found.filter((name) => !splitName.test(name));
  const [part = ""] = found;
  const sets = new Set(found.map((name) => name.replace(splitName, "$1")));
  if (whole.length === 0 && sets.size === 1) {
    const [, , , parts] = splitName.exec(part) ?? [];
    throw new InspectionError("unsupported", `${folder}/${part}: ${splitMessage(part, Number(parts))}`);
  }
  const [example] = whole.length > 0 ? whole : found;
  throw new InspectionError(
    "target",
    `${folder}: has ${found.length} GGUF files; name one, such as ${folder}/${example}`,
  );
}
