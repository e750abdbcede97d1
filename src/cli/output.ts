// How results are printed: tables for people, JSON and YAML for programs, in the same shape.
import { Option } from "commander";
import { stringify } from "yaml";

export type StructuredFormat = "json" | "yaml";

/** `-o`, with the formats that a command knows; the first one is the default. */
export function outputOption<F extends string>(formats: readonly [F, ...F[]]): Option {
  return new Option("-o, --output <format>", "format of the result").choices(formats).default(formats[0]);
}

/** One document as JSON or YAML, with a newline at its end. */
export function structured(value: unknown, format: StructuredFormat): string {
  return format === "json" ? `${JSON.stringify(value, null, 2)}\n` : yamlOf(value);
}

/** Several objects: a YAML stream, or a JSON List as kubectl writes it. */
export function structuredList(values: readonly unknown[], format: StructuredFormat): string {
  if (format === "yaml") return values.map((value) => `---\n${yamlOf(value)}`).join("");
  return structured({ apiVersion: "v1", kind: "List", items: values }, format);
}

/** YAML without anchors or folded lines, so that it can be read, compared and pasted. */
export function yamlOf(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

/**
 * An object of one key as YAML in one line, for a command that people paste: `spec: {parallelism: {pipeline: 2}}`.
 * Without outer braces, because kubectl takes what begins with one for JSON.
 */
export function oneLineYaml(key: string, value: unknown): string {
  const flow = stringify(value, { collectionStyle: "flow", flowCollectionPadding: false, lineWidth: 0 });
  return `${key}: ${flow.trim()}`;
}

/** Columns padded to their widest cell, three spaces apart as kubectl does; the last one is not padded. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join("   ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}
