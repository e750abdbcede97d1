// Turns the text of a flag into a value as Python's types do, and complains in argparse's words.

export type ValueType = "string" | "integer" | "number" | "humanInteger" | "lengthOrAuto" | "json";

/** What a flag can hold; objects come from flags that take JSON. */
type ArgumentValue = string | number | boolean | object;

/** A type as argparse knows it: how it reads text, and what it is called in "invalid … value". */
interface Converter {
  readonly name: string;
  readonly python: string;
  /** `undefined` is Python's ValueError. */
  readonly read: (text: string, fail: (message: string) => Error) => ArgumentValue | undefined;
}

const converters: Readonly<Record<ValueType, Converter>> = {
  string: { name: "str", python: "<class 'str'>", read: (text) => text },
  integer: { name: "int", python: "<class 'int'>", read: pythonInteger },
  number: { name: "float", python: "<class 'float'>", read: pythonFloat },
  humanInteger: { name: "human_readable_int", python: "<function human_readable_int>", read: humanInteger },
  lengthOrAuto: {
    name: "human_readable_int_or_auto",
    python: "<function human_readable_int_or_auto>",
    read: (text, fail) => (/^\s*(?:-1|auto)\s*$/i.test(text) ? -1 : humanInteger(text, fail)),
  },
  json: { name: "loads", python: "<function loads>", read: parseJson },
};

/**
 * Converts one value.
 * @param nullable whether vLLM wraps the type in `optional_type`, which words its errors differently
 * @throws what `fail` makes of the complaint
 */
export function convertValue(
  text: string,
  type: ValueType,
  nullable: boolean,
  fail: (message: string) => Error,
): ArgumentValue {
  const { name, python, read } = converters[type];
  const value = read(text, fail);
  if (value !== undefined) return value;
  // vLLM parses JSON and nullable types by functions of its own, which say it differently.
  throw nullable || type === "json"
    ? fail(`Value ${text} cannot be converted to ${python}.`)
    : fail(`invalid ${name} value: ${pythonRepr(text)}`);
}

function parseJson(text: string): ArgumentValue | undefined {
  try {
    return JSON.parse(text) as ArgumentValue;
  } catch {
    return undefined;
  }
}

function pythonInteger(text: string): number | undefined {
  return /^\s*[+-]?\d+(?:_\d+)*\s*$/.test(text) ? Number(text.replaceAll("_", "")) : undefined;
}

function pythonFloat(text: string): number | undefined {
  const trimmed = text.trim().replaceAll("_", "");
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(trimmed)) return Number(trimmed);
  if (/^[+-]?inf(?:inity)?$/i.test(trimmed)) return trimmed.startsWith("-") ? -Infinity : Infinity;
  return /^[+-]?nan$/i.test(trimmed) ? NaN : undefined;
}

const multipliers: Readonly<Record<string, number>> = {
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
};

/** "25.6k" is 25,600 and "32K" is 32,768; decimals with a binary suffix are refused (vllm/utils/argparse_utils.py). */
function humanInteger(text: string, fail: (message: string) => Error): number | undefined {
  const [, digits, suffix = ""] = /^(\d+(?:\.\d+)?)([kKmMgGtT])$/.exec(text.trim()) ?? [];
  if (digits === undefined) return pythonInteger(text);
  if (suffix === suffix.toUpperCase() && digits.includes(".")) {
    throw fail(
      `Decimals are not allowed with binary suffixes like ${suffix}. ` +
        `Did you mean to use ${digits}${suffix.toLowerCase()} instead?`,
    );
  }
  return Math.trunc(Number(digits) * (multipliers[suffix] ?? 1));
}

/** Python's repr of a string, as far as command lines need it. */
export function pythonRepr(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return escaped.includes("'") && !escaped.includes('"')
    ? `"${escaped}"`
    : `'${escaped.replaceAll("'", "\\'")}'`;
}
