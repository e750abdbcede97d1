// What would change between two sets of inputs, path by path, and whether that needs a new object.

import { isPropertyList, isPropertyMap, type PropertyValue, Unknown } from "../protocol/properties.ts";

export type DifferenceKind = "add" | "delete" | "update";

export interface Difference {
  /** Member names and list positions from the object's root. */
  readonly path: readonly (string | number)[];
  readonly kind: DifferenceKind;
}

/** Every leaf that differs. A list differs place by place; a value that is not known yet differs from any other. */
export function differences(
  before: PropertyValue | undefined,
  after: PropertyValue | undefined,
  path: readonly (string | number)[] = [],
): readonly Difference[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ path, kind: "add" }];
  if (after === undefined) return [{ path, kind: "delete" }];
  if (isPropertyMap(before) && isPropertyMap(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) => differences(before[name], after[name], [...path, name]));
  }
  if (isPropertyList(before) && isPropertyList(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) => index).flatMap((index) =>
      differences(before[index], after[index], [...path, index]),
    );
  }
  return before === after && !(after instanceof Unknown) ? [] : [{ path, kind: "update" }];
}

/** `spec.template.spec.containers[0].image`, `metadata.annotations["a.b/c"]`: a property path as the engine parses it. */
export function propertyPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    if (!/^[A-Za-z_$][\w$-]*$/.test(part)) return `${text}[${JSON.stringify(part)}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}

/** Whether a path is at or below a pattern such as `spec.containers[*].image` or, for a whole object, ``. */
export function isWithin(path: readonly (string | number)[], pattern: string): boolean {
  const parts = pattern
    .split(/\.|(?=\[)/)
    .filter((part) => part !== "")
    .map((part) => (/^\[.*\]$/.test(part) ? part.slice(1, -1).replaceAll('"', "") : part));
  return parts.every(
    (part, index) => (part === "*" && path[index] !== undefined) || String(path[index]) === part,
  );
}
