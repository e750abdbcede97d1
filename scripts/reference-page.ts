// Writes the reference page of a kind from its CRD: every field with type, default, bounds and meaning, so that
// the page cannot say what the API server does not hold.
import type { CustomResourceDefinition, StructuralSchema } from "@llama-operator/llama/api";

/** The page of one kind in Markdown; `example` is the shortest manifest worth showing, as YAML. */
export function referencePage(crd: CustomResourceDefinition, example: string): string {
  const { kind, plural, shortNames } = crd.spec.names;
  const version = crd.spec.versions[0];
  const root = version.schema.openAPIV3Schema;
  return [
    `# ${kind}`,
    "<!-- Written by `npm run generate` from src/llama/api. Do not edit. -->",
    root.description ?? "",
    `\`\`\`yaml\n${example.trimEnd()}\n\`\`\``,
    `\`${crd.spec.group}/${version.name}\`, ${crd.spec.scope === "Namespaced" ? "namespaced" : "cluster-scoped"}. ` +
      `kubectl knows it as ${[plural, ...shortNames].map(code).join(", ")}; \`kubectl explain ${plural}.spec\` prints what follows.`,
    ...(root["x-kubernetes-validations"] ?? []).map(({ message }) => `\`metadata.name\`: ${message}.`),
    ...section("spec", root),
    ...section("status", root),
    "",
  ].join("\n\n");
}

function section(name: "spec" | "status", root: StructuralSchema): string[] {
  const schema = root.properties?.[name];
  if (schema === undefined) return [];
  const fields = [...fieldsOf(schema, "")];
  const rules = fields.flatMap(({ path, schema }) =>
    (schema["x-kubernetes-validations"] ?? []).map(({ message }) => `- ${code(path)}: ${message}`),
  );
  const rows = fields.filter(({ listed }) => listed);
  const table =
    name === "spec"
      ? ["| field | type | default | bounds | meaning |", "|---|---|---|---|---|", ...rows.map(specRow)]
      : ["| field | type | meaning |", "|---|---|---|", ...rows.map(statusRow)];
  return [
    `## ${name}`,
    schema.description ?? "",
    table.join("\n"),
    ...(rules.length === 0 ? [] : ["Rules:", rules.join("\n")]),
  ];
}

interface Field {
  readonly path: string;
  readonly schema: StructuralSchema;
  readonly required: boolean;
  /** Whether it has a row: the items of a list and the values of a map say what they are in their parent's. */
  readonly listed: boolean;
}

function* fieldsOf(schema: StructuralSchema, path: string): Generator<Field> {
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const at = path === "" ? name : `${path}.${name}`;
    yield { path: at, schema: child, required: schema.required?.includes(name) ?? false, listed: true };
    yield* fieldsOf(child, at);
  }
  if (schema.items !== undefined) {
    yield { path: `${path}[]`, schema: schema.items, required: false, listed: false };
    yield* fieldsOf(schema.items, `${path}[]`);
  }
}

function specRow({ path, schema, required }: Field): string {
  const defaultText = required ? "**required**" : defaultOf(schema);
  return `| ${[code(path), typeOf(schema), defaultText, boundsOf(schema), schema.description ?? ""].join(" | ")} |`;
}

/** The operator writes status, so bounds and defaults tell a reader nothing. */
function statusRow({ path, schema }: Field): string {
  return `| ${[code(path), typeOf(schema), schema.description ?? ""].join(" | ")} |`;
}

function typeOf(schema: StructuralSchema): string {
  if (schema.enum !== undefined) return schema.enum.map(code).join(" \\| ");
  if (schema.format === "date-time") return "time";
  if (schema.additionalProperties !== undefined) return `map of ${schema.additionalProperties.type}s`;
  if (schema.items !== undefined) return `list of ${schema.items.type}s`;
  return schema.type;
}

/** Defaults of objects are those of their fields, so only those of values are worth a cell. */
function defaultOf({ type, default: value }: StructuralSchema): string {
  if (value === undefined || type === "object" || type === "array") return "";
  return code(typeof value === "string" ? value : JSON.stringify(value));
}

function boundsOf(schema: StructuralSchema): string {
  if (schema.enum !== undefined) return "";
  const bounds: string[] = [];
  if (schema.maximum !== undefined) bounds.push(`${schema.minimum ?? 0} to ${schema.maximum}`);
  if (schema.maxLength !== undefined) bounds.push(`at most ${schema.maxLength} characters`);
  if (schema.maxItems !== undefined) bounds.push(`at most ${schema.maxItems} items`);
  if (schema.maxProperties !== undefined) bounds.push(`at most ${schema.maxProperties} entries`);
  if (schema.pattern !== undefined) bounds.push(code(schema.pattern.replaceAll("|", "\\|")));
  return bounds.join(", ");
}

function code(text: string): string {
  return `\`${text}\``;
}
