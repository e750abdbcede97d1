// Reads a `vllm serve` command line as Python's argparse does, with its words on error, because the
// operator's users will read exactly those words in `lastState.terminated.message`. The flags, their
// types and choices are data (vllm-0.32.0-flags.json, read from the parser of vLLM 0.32.0).
import { convertValue, pythonRepr, type ValueType } from "./argparse-values.ts";
import table from "./vllm-0.32.0-flags.json" with { type: "json" };

/** One flag of the table. `negation` is the `--no-…` form that BooleanOptionalAction adds. */
interface FlagDefinition {
  readonly type: ValueType | "boolean" | "help";
  readonly short?: readonly string[];
  readonly aliases?: readonly string[];
  readonly negation?: string;
  readonly choices?: readonly string[];
  readonly many?: boolean;
  readonly optionalValue?: boolean;
  readonly nullable?: boolean;
  readonly default?: unknown;
}
export interface ParsedArguments {
  readonly modelTag: string | undefined;
  /** By long flag (`--tensor-parallel-size`); defaults filled in, absent when the default is None. */
  readonly values: ReadonlyMap<string, unknown>;
  /** The long flags that stood on the command line. */
  readonly given: ReadonlySet<string>;
}

/** What argparse prints before it exits: code 2 for a bad command line, 0 for `--help`. */
export class ArgparseExit extends Error {
  readonly exitCode: number;
  constructor(output: string, exitCode: number) {
    super(output);
    this.name = "ArgparseExit";
    this.exitCode = exitCode;
  }
}

const serveUsage = "usage: vllm serve [model_tag] [options]";
const mainUsage = [
  "usage: vllm [-h] [-v]",
  "            {chat,complete,serve,launch,bench,collect-env,download-kernels,preload,run-batch,snapshot}",
  "            ...",
].join("\n");

const definitions = new Map(Object.entries(table.flags as Readonly<Record<string, FlagDefinition>>));
const longFlagByOption = new Map(
  [...definitions].flatMap(([flag, definition]) =>
    optionStrings(flag, definition).map((option) => [option, flag] as const),
  ),
);

/** All spellings of one flag, in the order in which argparse names them in errors. */
function optionStrings(flag: string, definition: FlagDefinition): readonly string[] {
  const negation = definition.negation === undefined ? [] : [definition.negation];
  return [flag, ...negation, ...(definition.aliases ?? []), ...(definition.short ?? [])];
}

/**
 * Parses the words after `vllm serve`.
 * @throws ArgparseExit with usage and error as vLLM prints them on stderr.
 */
export function parseArguments(argv: readonly string[]): ParsedArguments {
  const words = gatherDottedKeys(argv.map(dashesForUnderscores));
  const values = new Map<string, unknown>();
  for (const [flag, definition] of definitions) {
    if (definition.default !== undefined) values.set(flag, definition.default);
    else if (definition.type === "boolean") values.set(flag, false);
  }
  const given = new Set<string>();
  const unrecognized: string[] = [];
  let modelTag: string | undefined;
  let onlyPositionals = false;

  for (let index = 0; index < words.length;) {
    const word = words[index] ?? "";
    index += 1;
    if (!onlyPositionals && word === "--") {
      onlyPositionals = true;
      continue;
    }
    if (onlyPositionals || !looksLikeOption(word)) {
      if (modelTag === undefined) modelTag = word;
      else unrecognized.push(word);
      continue;
    }
    const match = matchOption(word);
    if (match === undefined) {
      unrecognized.push(word);
      continue;
    }
    const following: string[] = [];
    for (let next = index; next < words.length && !looksLikeOption(words[next] ?? ""); next += 1) {
      following.push(words[next] ?? "");
    }
    const { value, consumed } = consume(match, following);
    values.set(match.flag, value);
    given.add(match.flag);
    index += consumed;
  }
  if (unrecognized.length > 0) {
    throw usageError("vllm", mainUsage, `unrecognized arguments: ${unrecognized.join(" ")}`);
  }
  return { modelTag: modelTag ?? nonEmpty(values.get("--model")), values, given };
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** vLLM takes `--max_model_len` for `--max-model-len`: underscores up to the first dot or `=`. */
function dashesForUnderscores(word: string): string {
  if (!word.startsWith("--")) return word;
  const equals = word.indexOf("=");
  const key = equals < 0 ? word : word.slice(0, equals);
  const dot = key.indexOf(".");
  const head = dot < 0 ? key : key.slice(0, dot);
  return head.replaceAll("_", "-") + word.slice(head.length);
}

/** `--compilation-config.level 3` becomes `--compilation-config '{"level":3}'`, as vLLM rewrites it. */
function gatherDottedKeys(words: readonly string[]): readonly string[] {
  const plain: string[] = [];
  const nested = new Map<string, Record<string, unknown>>();
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    if (!name.startsWith("-") || !name.includes(".") || isNegativeNumber(name)) {
      plain.push(word);
      continue;
    }
    if (equals < 0) index += 1;
    const text = equals < 0 ? (words[index] ?? "") : word.slice(equals + 1);
    const [key = "", ...path] = name.replace(/\+$/, "").split(".");
    const target = nested.get(key) ?? {};
    setAt(target, path, name.endsWith("+") ? text.split(",") : looseJson(text));
    nested.set(key, target);
  }
  return [...plain, ...[...nested].flatMap(([key, value]) => [key, JSON.stringify(value)])];
}

function setAt(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head = "", ...rest] = path;
  if (rest.length === 0) {
    target[head] = value;
    return;
  }
  const child = target[head];
  const object = typeof child === "object" && child !== null ? (child as Record<string, unknown>) : {};
  target[head] = object;
  setAt(object, rest, value);
}

function looseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function isNegativeNumber(word: string): boolean {
  return /^-(?:\d+(?:_\d+)*(?:\.\d+)?|\.\d+)$/.test(word);
}

function looksLikeOption(word: string): boolean {
  return word.startsWith("-") && word !== "-" && !isNegativeNumber(word) && !word.includes(" ");
}

interface OptionMatch {
  readonly flag: string;
  readonly definition: FlagDefinition;
  /** The spelling that matched, e.g. the `--no-…` form. */
  readonly option: string;
  readonly explicitValue: string | undefined;
}

function matchOption(word: string): OptionMatch | undefined {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word : word.slice(0, equals);
  const explicitValue = equals < 0 ? undefined : word.slice(equals + 1);
  const exact = match(name, explicitValue) ?? match(word, undefined);
  if (exact !== undefined) return exact;
  const candidates = [...longFlagByOption.keys()].filter((option) => option.startsWith(name));
  if (!word.startsWith("--")) {
    // `-n2` is `-n 2`: argparse tries the two-character option with the rest as its value.
    const glued = match(word.slice(0, 2), word.slice(2));
    if (glued !== undefined) return glued;
  }
  if (candidates.length > 1) {
    throw serveError(`ambiguous option: ${word} could match ${candidates.join(", ")}`);
  }
  return candidates[0] === undefined ? undefined : match(candidates[0], explicitValue);
}

function match(option: string, explicitValue: string | undefined): OptionMatch | undefined {
  const flag = longFlagByOption.get(option);
  const definition = flag === undefined ? undefined : definitions.get(flag);
  return flag === undefined || definition === undefined
    ? undefined
    : { flag, definition, option, explicitValue };
}

function consume(
  match: OptionMatch,
  following: readonly string[],
): { readonly value: unknown; readonly consumed: number } {
  const { flag, definition, option, explicitValue } = match;
  const fail = (message: string): ArgparseExit =>
    serveError(`argument ${optionStrings(flag, definition).join("/")}: ${message}`);

  if (definition.type === "help") throw new ArgparseExit(serveUsage, 0);
  if (definition.type === "boolean") {
    if (explicitValue !== undefined) throw fail(`ignored explicit argument ${pythonRepr(explicitValue)}`);
    return { value: option !== definition.negation, consumed: 0 };
  }
  const type = definition.type;
  const convert = (text: string): unknown => {
    if (definition.nullable === true && (text === "" || text === "None")) return undefined;
    const value = convertValue(text, type, definition.nullable === true, fail);
    const { choices } = definition;
    if (choices !== undefined && !choices.includes(typeof value === "number" ? String(value) : text)) {
      const shown = typeof value === "number" ? String(value) : pythonRepr(text);
      throw fail(`invalid choice: ${shown} (choose from ${choices.join(", ")})`);
    }
    return value;
  };
  if (definition.many === true) {
    const texts = explicitValue === undefined ? following : [explicitValue];
    if (texts.length === 0) throw fail("expected at least one argument");
    return { value: texts.map(convert), consumed: explicitValue === undefined ? texts.length : 0 };
  }
  if (explicitValue !== undefined) return { value: convert(explicitValue), consumed: 0 };
  const [text] = following;
  if (text === undefined) {
    if (definition.optionalValue === true) return { value: true, consumed: 0 };
    throw fail("expected one argument");
  }
  return { value: convert(text), consumed: 1 };
}

function serveError(message: string): ArgparseExit {
  return usageError("vllm serve", serveUsage, message);
}

function usageError(program: string, usage: string, message: string): ArgparseExit {
  return new ArgparseExit(`${usage}\n${program}: error: ${message}`, 2);
}
