// Small JSON documents of unknown origin: parsed within a bound, and only what a schema names of them.
import type { z } from "zod";
import { malformed } from "./errors.ts";

/** Parses `text` and checks it. @throws InspectionError that names the file and the first thing that is wrong. */
export function parseDocument<S extends z.ZodType>(file: string, text: string, schema: S): z.output<S> {
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
