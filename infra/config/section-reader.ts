// Reads a configuration section by section and keeps what is wrong, so that the first mistake hides none of the others.
import { z } from "zod";
import { apiServerMessage, manifestProblems } from "@llama-operator/llama/api";
import type { ConfigurationProblem } from "./problem.ts";

export class SectionReader {
  readonly problems: ConfigurationProblem[] = [];

  complain(path: string, message: string): void {
    this.problems.push({ path, message });
  }

  /** Whether a field, or what it lies in, has been complained of: rules across fields have nothing to add then. */
  hasAt(path: string): boolean {
    return this.problems.some((problem) => path === problem.path || path.startsWith(`${problem.path}.`));
  }

  /** What can be read: the value, or the value without the fields that are wrong where the rest has a meaning. */
  read<T>(schema: z.ZodType<T>, value: unknown, path: readonly PropertyKey[]): T | undefined {
    const result = schema.safeParse(value, { error: apiServerMessage });
    if (result.success) return result.data;
    const { issues } = result.error;
    this.problems.push(
      ...manifestProblems(issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }))),
    );
    return schema.safeParse(withoutWrongFields(value, issues)).data;
  }

  list<T>(
    value: unknown,
    name: string,
    readItem: (item: unknown, path: readonly PropertyKey[]) => T | undefined,
  ): readonly (T | undefined)[] {
    const items = this.read(z.array(z.unknown()), value, [name]) ?? [];
    return items.map((item, index) => readItem(item, [name, index]));
  }
}

function withoutWrongFields(value: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  const wrong = new Set(
    issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : [issue.path[0]])),
  );
  return Object.fromEntries(Object.entries(value).filter(([key]) => !wrong.has(key)));
}
