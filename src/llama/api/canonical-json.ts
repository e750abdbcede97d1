// JSON with one spelling, for hashes: keys sorted, and nothing that says nothing. Absent, undefined, {} and [] are
// the same, so that a field which a later version adds, and defaults to empty, changes no hash.

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export function canonicalJson(value: unknown): string {
  return JSON.stringify(canonical(value) ?? null);
}

function canonical(value: unknown): Json | undefined {
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item) ?? null);
    return items.length === 0 ? undefined : items;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
      .map(([key, item]) => [key, canonical(item)] as const)
      .filter((entry): entry is readonly [string, Json] => entry[1] !== undefined)
      .sort(([one], [other]) => (one < other ? -1 : 1));
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }
  const isScalar = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return isScalar || value === null ? value : undefined;
}
