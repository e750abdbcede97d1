// Sets of fields, as server-side apply keeps them for each manager: the tree that `managedFields[].fieldsV1` holds.
// `f:name` is a member of an object, `k:{…}` an item of a keyed list, `v:…` a member of a set, `.` the thing itself.
// Written from structured-merge-diff (v6, fieldpath and typed); the schema is a table of the built-in lists' keys.
// Differs: an unknown list is atomic, as in the API; the types of CRDs are not read, so their lists are atomic
// unless the table names their field.

import { isDeepStrictEqual } from "node:util";

export interface FieldTree {
  readonly [key: string]: FieldTree;
}

type Fields = Record<string, unknown>;

/** Merge keys of built-in lists by field (OpenAPI of Kubernetes 1.35); of several that fit, those that items have. */
const listKeys: ReadonlyMap<string, readonly (readonly string[])[]> = new Map([
  ["containers", [["name"]]],
  ["initContainers", [["name"]]],
  ["env", [["name"]]],
  ["volumes", [["name"]]],
  ["imagePullSecrets", [["name"]]],
  ["volumeMounts", [["mountPath"]]],
  ["topologySpreadConstraints", [["topologyKey", "whenUnsatisfiable"]]],
  [
    "ports",
    [
      ["containerPort", "protocol"],
      ["port", "protocol"],
    ],
  ],
  ["conditions", [["type"]]],
  ["ownerReferences", [["uid"]]],
  ["secrets", [["name"]]],
]);

const keyDefaults: Fields = { protocol: "TCP" };
const setLists: ReadonlySet<string> = new Set(["finalizers"]);
/** Maps that have one owner as a whole (`x-kubernetes-map-type: atomic`). */
const atomicMaps: ReadonlySet<string> = new Set(["nodeSelector", "selector", "matchLabels"]);

/** The key of a list's item, where the list is keyed. */
function itemKey(field: string, item: unknown): string | undefined {
  if (setLists.has(field)) return `v:${JSON.stringify(item)}`;
  if (!isFields(item)) return undefined;
  const keys = listKeys.get(field)?.find(([first = ""]) => first in item);
  if (keys === undefined) return undefined;
  return `k:${JSON.stringify(Object.fromEntries(keys.map((key) => [key, item[key] ?? keyDefaults[key]])))}`;
}

function isKeyed(field: string, list: readonly unknown[]): boolean {
  return (
    (setLists.has(field) || listKeys.has(field)) && list.every((item) => itemKey(field, item) !== undefined)
  );
}

function isMap(field: string, value: unknown): value is Fields {
  return isFields(value) && !atomicMaps.has(field);
}

/** Every field that `value` states. */
export function fieldsOf(value: unknown, field = ""): FieldTree {
  if (isMap(field, value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, child]) => [`f:${name}`, fieldsOf(child, name)]),
    );
  }
  if (!Array.isArray(value) || !isKeyed(field, value)) return {};
  return Object.fromEntries(
    value.map((item) => [itemKey(field, item) ?? "", { ".": {}, ...fieldsOf(item) }]),
  );
}

/** The fields of `after` that are not as in `before`. */
export function changedFields(before: unknown, after: unknown, field = ""): FieldTree | undefined {
  if (before === after) return undefined;
  if (isMap(field, before) && isMap(field, after)) {
    const changed = Object.entries(after).flatMap(([name, child]) => {
      const inner = name in before ? changedFields(before[name], child, name) : fieldsOf(child, name);
      return inner === undefined ? [] : [[`f:${name}`, inner] as const];
    });
    return changed.length === 0 ? undefined : Object.fromEntries(changed);
  }
  if (Array.isArray(before) && Array.isArray(after) && isKeyed(field, before) && isKeyed(field, after)) {
    const known = new Map(before.map((item) => [itemKey(field, item), item as unknown]));
    const changed = after.flatMap((item) => {
      const key = itemKey(field, item) ?? "";
      const inner = known.has(key) ? changedFields(known.get(key), item) : { ".": {}, ...fieldsOf(item) };
      return inner === undefined ? [] : [[key, inner] as const];
    });
    return changed.length === 0 ? undefined : Object.fromEntries(changed);
  }
  return isDeepStrictEqual(before, after) ? undefined : fieldsOf(after, field);
}

/** `intent` laid over `live`: maps and keyed lists are merged, all else is replaced. */
export function mergeFields(live: unknown, intent: unknown, field = ""): unknown {
  if (isMap(field, live) && isMap(field, intent)) {
    const merged: Fields = { ...live };
    for (const [name, child] of Object.entries(intent)) merged[name] = mergeFields(merged[name], child, name);
    return merged;
  }
  if (!Array.isArray(live) || !Array.isArray(intent)) return intent;
  if (!isKeyed(field, live) || !isKeyed(field, intent)) return intent;
  const wanted = new Map(intent.map((item) => [itemKey(field, item), item]));
  const kept = live.map((item) => {
    const key = itemKey(field, item);
    if (!wanted.has(key)) return item as unknown;
    const merged = mergeFields(item, wanted.get(key));
    wanted.delete(key);
    return merged;
  });
  return [...kept, ...wanted.values()];
}

/** `value` without the fields of `owned` that none of `keepers` has. */
export function withoutFields(
  value: unknown,
  owned: FieldTree,
  keepers: readonly FieldTree[],
  field = "",
): unknown {
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const key = itemKey(field, item) ?? "";
      const its = owned[key];
      if (its === undefined) return [item as unknown];
      const keeping = keepers.flatMap((keeper) => keeper[key] ?? []);
      return keeping.length === 0 ? [] : [withoutFields(item, its, keeping)];
    });
  }
  if (!isFields(value)) return value;
  const left: Fields = { ...value };
  for (const [key, its] of Object.entries(owned)) {
    const name = key.slice(2);
    if (!key.startsWith("f:") || !(name in left)) continue;
    const keeping = keepers.flatMap((keeper) => keeper[key] ?? []);
    if (isLeaf(its)) {
      if (keeping.length === 0) delete left[name];
      continue;
    }
    // Whoever owns the whole keeps the whole.
    if (keeping.some(isLeaf)) continue;
    const child = withoutFields(left[name], its, keeping, name);
    if (keeping.length === 0 && isEmpty(child)) delete left[name];
    else left[name] = child;
  }
  return left;
}

/** The fields of `intent` that `other` has too and that are not the same in `live`. */
export function conflictingFields(
  live: unknown,
  intent: unknown,
  other: FieldTree,
  field = "",
): readonly string[] {
  if (isMap(field, intent) && isMap(field, live)) {
    return Object.entries(intent).flatMap(([name, child]) => {
      const its = other[`f:${name}`];
      return its === undefined
        ? []
        : conflictingFields(live[name], child, its, name).map((path) => `.${name}${path}`);
    });
  }
  if (Array.isArray(intent) && Array.isArray(live) && isKeyed(field, intent) && isKeyed(field, live)) {
    return intent.flatMap((item) => {
      const key = itemKey(field, item) ?? "";
      const its = other[key];
      const there = live.find((each) => itemKey(field, each) === key) as unknown;
      return its === undefined ? [] : conflictingFields(there, item, its).map((path) => `[${key}]${path}`);
    });
  }
  return isDeepStrictEqual(live, intent) ? [] : [""];
}

/** The set without the fields of another; undefined when none is left. */
export function subtractFields(fields: FieldTree, taken: FieldTree): FieldTree | undefined {
  const left = Object.entries(fields).flatMap(([key, its]) => {
    const gone = taken[key];
    if (gone === undefined) return [[key, its] as const];
    if (isLeaf(its) || isLeaf(gone)) return [];
    const rest = subtractFields(its, gone);
    return rest === undefined ? [] : [[key, rest] as const];
  });
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

/** The fields of both. */
export function unionFields(left: FieldTree, right: FieldTree): FieldTree {
  const all: Record<string, FieldTree> = { ...left };
  for (const [key, its] of Object.entries(right)) {
    const known = all[key];
    all[key] = known === undefined ? its : unionFields(known, its);
  }
  return all;
}

function isLeaf(tree: FieldTree): boolean {
  for (const key in tree) if (key !== ".") return false;
  return true;
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
