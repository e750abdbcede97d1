// Says what zod found as the API server would, so that `llama-operator plan -f` and `kubectl apply` refuse the
// same manifest with the same sentence, and one table of cases can test both.
import type { z } from "zod";
import { patternSource } from "./schema.ts";

/** One thing that is wrong with a manifest. */
export interface ManifestProblem {
  /** Where: `spec.engine.env[0].name`; empty for the manifest itself. */
  readonly path: string;
  /** What is wrong and what would be right. */
  readonly message: string;
}

/** zod's error map for `safeParse`; leaves a schema's own messages as they are. */
export function apiServerMessage(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined
        ? "Required value"
        : `must be of type ${typeName(issue.expected)}: "${jsonType(issue.input)}"`;
    case "invalid_value":
      return `supported values: ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "invalid_format":
      return issue.pattern === undefined
        ? `must be a ${issue.format}`
        : `should match '${patternSource(new RegExp(issue.pattern.slice(1, issue.pattern.lastIndexOf("/"))))}'`;
    case "too_small":
      return issue.origin === "string"
        ? `should be at least ${issue.minimum} chars long`
        : `should be greater than or equal to ${issue.minimum}`;
    case "too_big":
      return tooBig(issue.origin, issue.maximum);
    case "unrecognized_keys":
    case "custom":
    case "not_multiple_of":
    case "invalid_element":
    case "invalid_key":
    case "invalid_union":
      break;
  }
  return undefined;
}

function tooBig(origin: string, maximum: number | bigint): string {
  if (origin === "string") return `may not be more than ${maximum} bytes`;
  if (origin === "array") return `must have at most ${maximum} items`;
  return `should be less than or equal to ${maximum}`;
}

/** zod's issues as problems, one for each unknown field. */
export function manifestProblems(issues: readonly z.core.$ZodIssue[]): readonly ManifestProblem[] {
  return issues.flatMap((issue) => {
    const path = fieldPath(issue.path);
    if (issue.code !== "unrecognized_keys") return [{ path, message: issue.message }];
    return issue.keys.map((key) => {
      const unknown = fieldPath([...issue.path, key]);
      return { path: unknown, message: `unknown field "${unknown}"` };
    });
  });
}

function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((before, part) => {
    if (typeof part === "number") return `${before}[${part}]`;
    return before === "" ? String(part) : `${before}.${String(part)}`;
  }, "");
}

function typeName(expected: string): string {
  // Every number of the kinds is a whole one; zod first asks for a number, then for an integer.
  if (expected === "int" || expected === "number") return "integer";
  return expected === "record" ? "object" : expected;
}

function jsonType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
