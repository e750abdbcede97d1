// The sizes in a model's configuration, with a sentence for each that is missing, null or no size. Some makers write a
// list with a number for each layer; the planner counts all layers alike.
import { InspectionError, malformed, shown } from "../errors.ts";

/** The fields of a configuration: of config.json, or of a GGUF file's metadata. */
export type Fields = Readonly<Record<string, unknown>>;

/** Larger numbers are no sizes: engines keep them in 32 bits. */
export const maxSize = 2_147_483_647;

/** A size that no model is without. @throws InspectionError */
export function requiredSize(file: string, fields: Fields, key: string): number {
  const size = optionalSize(file, fields, key);
  if (size !== undefined) return size;
  const problem = fields[key] === null ? "is null" : "is missing";
  throw malformed(file, `${key} ${problem}, and the model's sizes are not known without it`);
}

/** A size, or undefined where it is absent or null. @throws InspectionError */
export function optionalSize(file: string, fields: Fields, key: string): number | undefined {
  const value = fields[key];
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) ? sizeOfLayers(file, key, value) : size(file, key, value);
}

function size(file: string, key: string, value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= maxSize) return value;
  throw malformed(
    file,
    `${key} is ${shown(value)}, and a size is a whole number from 1 to ${maxSize.toLocaleString("en-US")}`,
  );
}

/** The number that all layers have. @throws InspectionError where they differ */
export function sizeOfLayers(file: string, key: string, values: readonly unknown[]): number {
  const distinct = [...new Set(values)];
  const [first] = distinct;
  if (distinct.length === 1) return size(file, key, first);
  if (distinct.length === 0) throw malformed(file, `${key} is an empty list`);
  throw new InspectionError(
    "unsupported",
    `${file}: ${key} differs by layer (${distinct.slice(0, 4).map(shown).join(", ")}), and the planner counts all layers alike`,
  );
}
