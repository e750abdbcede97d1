// Small JSON documents of unknown origin: parsed within bounds, and only what a schema names of them. Most were written
// by Python, whose json module adds Infinity and NaN to the format, and reads them back.
import type { z } from "zod";
import { InspectionError, malformed, shown } from "./errors.ts";

/** No document that is read here nests deeper than about ten levels. */
const maxDepth = 64;
/** Members and elements in all; the index of 405B has 1,138. JSON.parse makes some 100 bytes of each. */
const maxValues = 1_000_000;

/**
 * Parses `text` and checks it.
 * @throws InspectionError that names the file and the first thing that is wrong.
 */
export function parseDocument<S extends z.ZodType>(file: string, text: string, schema: S): z.output<S> {
  const standard = withoutPythonsOwn(file, text);
  let value: unknown;
  try {
    value = JSON.parse(standard);
  } catch (error) {
    throw malformed(file, "not JSON", error);
  }
  return parseValue(file, value, schema);
}

/**
 * Checks a value that was parsed already; `path` is where it stands.
 * @throws InspectionError that names the file and the first thing that is wrong.
 */
export function parseValue<S extends z.ZodType>(
  file: string,
  value: unknown,
  schema: S,
  path?: string,
): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const keys = [...(path === undefined ? [] : [path]), ...(issue?.path ?? []).map(String)];
  const where = keys.length === 0 ? "it" : keys.join(".").slice(0, 80);
  const found = (issue?.path ?? []).reduce<unknown>(member, value);
  throw malformed(file, `${where} ${problemOf(issue, found)}`);
}

function member(value: unknown, key: PropertyKey): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

/** What belongs where a value of another type stands, by zod's name of the type. */
const expected: ReadonlyMap<string, string> = new Map([
  ["array", "a list"],
  ["boolean", "true or false"],
  ["int", "a whole number"],
  ["number", "a number"],
  ["object", "an object"],
  ["record", "an object"],
  ["string", "text"],
]);

function problemOf(issue: z.core.$ZodIssue | undefined, found: unknown): string {
  // Schemas say in their own words what a text must be.
  if (issue?.code === "invalid_format" && issue.message.startsWith("is ")) return issue.message;
  const type = issue?.code === "invalid_type" ? expected.get(issue.expected) : undefined;
  if (found === undefined) return `is missing${type === undefined ? "" : `, and ${type} belongs there`}`;
  return `is ${shown(found)}, ${type === undefined ? "which is not what belongs there" : `and ${type} belongs there`}`;
}

/**
 * The document as JSON has it: without a byte order mark, infinity as a number beyond all, "not a number" as null.
 * Brackets and commas are counted before anything is built: 60 MB of brackets would take gigabytes and half a minute.
 */
function withoutPythonsOwn(file: string, text: string): string {
  const parts: string[] = [];
  let copied = text.startsWith("\ufeff") ? 1 : 0;
  let depth = 0;
  let values = 0;
  let inText = false;
  for (let at = copied; at < text.length; at += 1) {
    const character = text[at];
    if (inText) {
      if (character === "\\") at += 1;
      else if (character === '"') inText = false;
    } else if (character === '"') {
      inText = true;
    } else if (character === "[" || character === "{") {
      depth += 1;
      values += 1;
      if (depth > maxDepth) throw malformed(file, `its JSON nests deeper than ${maxDepth} levels`);
    } else if (character === "]" || character === "}") {
      depth -= 1;
    } else if (character === ",") {
      values += 1;
    } else if (character === "I" || character === "N") {
      const constant = constantAt(text, at);
      if (constant !== undefined) {
        parts.push(text.slice(copied, at), constant.standard);
        copied = at + constant.name.length;
        at = copied - 1;
      }
    }
    if (values > maxValues) {
      throw new InspectionError("tooLarge", `${file}: its JSON has more than ${maxValues} values`);
    }
  }
  return copied === 0 ? text : [...parts, text.slice(copied)].join("");
}

/** Python's constants. JSON.parse reads 1e999 as Infinity, and a minus before it as JSON writes it. */
const constants = [
  { name: "Infinity", standard: "1e999" },
  { name: "NaN", standard: "null" },
] as const;

function constantAt(text: string, at: number): (typeof constants)[number] | undefined {
  const inWord = (character: string | undefined) => character !== undefined && /[\w.+]/.test(character);
  if (inWord(text[at - 1])) return undefined;
  return constants.find(({ name }) => text.startsWith(name, at) && !inWord(text[at + name.length]));
}
