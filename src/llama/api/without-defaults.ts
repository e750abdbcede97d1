// What a spec says beyond the defaults of its kind: what two releases with different fields can be compared by.
import { canonicalJson } from "./canonical-json.ts";
import type { StructuralSchema } from "./structural-schema.ts";

/**
 * A value without members that its schema does not name and without members at their default, at any depth. So a field
 * that is added to the kind is no difference, neither for the release that knows it nor for one before.
 *
 * @param kept members of the value itself that stay at their default too
 */
export function withoutDefaults(
  value: unknown,
  { properties, items }: StructuralSchema,
  kept: readonly string[] = [],
): unknown {
  if (Array.isArray(value)) {
    return items === undefined ? value : value.map((each) => withoutDefaults(each, items));
  }
  if (properties === undefined || !isObject(value)) return value;
  const members = Object.entries(properties).flatMap(([name, schema]) => {
    const stated = withoutDefaults(value[name], schema);
    const isDefault = canonicalJson(stated) === canonicalJson(withoutDefaults(schema.default, schema));
    return stated === undefined || (isDefault && !kept.includes(name)) ? [] : [[name, stated] as const];
  });
  return Object.fromEntries(members);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
