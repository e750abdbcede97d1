// Rewrites the JSON Schema that zod gives into the structural schema that a CRD takes. The API server refuses
// some keywords outright and charges CEL rules by declared bounds, so whatever has no place there fails here.
import { z } from "zod";
import { patternSource } from "./schema.ts";

/** One node of a structural schema, limited to the keywords that the kinds use. */
export interface StructuralSchema {
  readonly type: "object" | "array" | "string" | "integer" | "boolean";
  readonly description?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: StructuralSchema;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: StructuralSchema;
  readonly maxProperties?: number;
  readonly "x-kubernetes-list-type"?: "atomic" | "map" | "set";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-validations"?: readonly {
    readonly rule: string;
    readonly message: string;
    readonly fieldPath?: string;
  }[];
}

/** A schema says something that a CRD cannot; `path` is where. */
export class UnsupportedSchemaError extends Error {
  override readonly name = "UnsupportedSchemaError";
  readonly code = "UnsupportedSchema";
  readonly path: string;

  constructor(path: string, reason: string) {
    super(`${path === "" ? "root" : path}: ${reason}`);
    this.path = path;
  }
}

/** Keywords copied as they are. */
const kept: ReadonlySet<string> = new Set([
  "type",
  "description",
  "format",
  "default",
  "enum",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "maxItems",
  "required",
  "maxProperties",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-validations",
]);

const types: ReadonlySet<unknown> = new Set(["object", "array", "string", "integer", "boolean"]);

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The structural schema of a zod schema, its input side: fields with a default are optional.
 * @throws UnsupportedSchemaError for unions, tuples, references and every other keyword that a CRD refuses or that
 * the kinds do not need.
 */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  return rewrite(z.toJSONSchema(schema, { target: "openapi-3.0", io: "input" }), "");
}

function rewrite(node: unknown, path: string): StructuralSchema {
  if (!isObject(node)) throw new UnsupportedSchemaError(path, "not a schema");
  if (!types.has(node["type"])) {
    throw new UnsupportedSchemaError(path, `type ${JSON.stringify(node["type"])} has no place in a CRD`);
  }
  const result: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(node)) {
    if (kept.has(keyword)) result[keyword] = value;
    else rewriteKeyword(result, keyword, value, path);
  }
  if (node["type"] === "integer") boundInteger(result);
  // The API server reads RFC 3339 by `format`; zod's pattern of 250 characters says the same.
  if (node["format"] === "date-time") delete result["pattern"];
  return result as unknown as StructuralSchema;
}

function rewriteKeyword(
  result: Record<string, unknown>,
  keyword: string,
  value: unknown,
  path: string,
): void {
  switch (keyword) {
    case "properties":
      result[keyword] = Object.fromEntries(
        Object.entries(isObject(value) ? value : {}).map(([name, child]) => [
          name,
          rewrite(child, `${path}.${name}`),
        ]),
      );
      return;
    case "items":
      result[keyword] = rewrite(value, `${path}[]`);
      return;
    case "additionalProperties":
      // `false` is what strict objects say; a CRD may not, and the API server drops or refuses unknown fields anyway.
      if (value !== false) result[keyword] = rewrite(value, `${path}{}`);
      return;
    case "pattern":
      result[keyword] = patternSource(new RegExp(String(value)));
      return;
    default:
      throw new UnsupportedSchemaError(path, `keyword ${keyword} has no place in a CRD`);
  }
}

/** zod bounds every integer by what JavaScript holds exactly: noise in a CRD, where `format` says the size. */
function boundInteger(result: Record<string, unknown>): void {
  if (result["minimum"] === Number.MIN_SAFE_INTEGER) delete result["minimum"];
  if (result["maximum"] === Number.MAX_SAFE_INTEGER) delete result["maximum"];
  result["format"] ??= "int64";
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
