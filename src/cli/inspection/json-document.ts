// Small JSON documents of unknown origin: parsed within bounds, and only what a schema names of them.
import type { z } from "zod";
import { InspectionError, malformed } from "./errors.ts";

/** No document that is read here nests deeper than about ten levels. */
const maxDepth = 64;
/** Members and elements in all; the index of 405B has 1,138. JSON.parse makes some 100 bytes of each. */
const maxValues = 1_000_000;

/**
 * Parses `text` and checks it.
 * @throws InspectionError that names the file and the first thing that is wrong.
 */
export function parseDocument<S extends z.ZodType>(file: string, text: string, schema: S): z.output<S> {
  checkBounds(file, text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw malformed(file, "not JSON", error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.map(String).join(".").slice(0, 80) ?? "";
  throw malformed(file, `${path === "" ? "it" : path}: ${issue?.message ?? "is not what belongs there"}`);
}

/** Counts brackets and commas before anything is built: 60 MB of brackets would take gigabytes and half a minute. */
function checkBounds(file: string, text: string): void {
  let depth = 0;
  let values = 0;
  let inText = false;
  for (let at = 0; at < text.length; at += 1) {
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
    }
    if (values > maxValues) {
      throw new InspectionError("tooLarge", `${file}: its JSON has more than ${maxValues} values`);
    }
  }
}
