// Compares what was applied with what is there, leaf by leaf, knowing what the API server does to a value on its
// way in: it adds defaults, drops what is empty, merges keyed lists with other writers' items, and writes
// quantities its own way. What is left is drift.
//
// Assumptions
// - Lists are keyed as in the built-in kinds (and the CRDs that embed them). An unknown list of objects is
//   compared item by item, which is what the API server replaces: an atomic list.
// Caveats
// - False, 0 and "" count as absent, because most fields of the API leave them out. Where a field's default is
//   another value (automountServiceAccountToken), its removal by another client goes unnoticed until the intent changes.
// - `stringData` of a Secret is write-only and would always look like drift: apply `data`.
import { sameQuantity } from "./quantity.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** The path of the first leaf of `applied` that `live` does not have, like `spec.template.spec.containers["engine"].image`. */
export function findDrift(applied: unknown, live: unknown): string | undefined {
  const path: string[] = [];
  return matches(applied, live, path, "") ? undefined : path.toReversed().join("").replace(/^\./, "");
}

/** `path` is filled from the leaf upwards, and only on the way out of a mismatch: a match costs no allocation. */
function matches(applied: unknown, live: unknown, path: string[], parent: string): boolean {
  if (applied === live) return true;
  if (applied === undefined) return true;
  if (isEmpty(applied) && isEmpty(live)) return true;
  if (Array.isArray(applied)) return Array.isArray(live) && listMatches(applied, live, path, parent);
  if (isFields(applied)) {
    if (!isFields(live)) return false;
    if (atomicMaps.has(parent) && Object.keys(live).length > Object.keys(applied).length) return false;
    const isQuantities = quantityMaps.has(parent);
    for (const name in applied) {
      const wanted = applied[name];
      const found = live[name];
      if (wanted === found || wanted === undefined) continue;
      if ((isQuantities || quantityFields.has(name)) && sameQuantity(wanted, found)) continue;
      if (matches(wanted, found, path, name)) continue;
      path.push(`.${name}`);
      return false;
    }
    return true;
  }
  return false;
}

function listMatches(
  applied: readonly unknown[],
  live: readonly unknown[],
  path: string[],
  field: string,
): boolean {
  const keys = listKeys.get(field);
  const keyed =
    keys !== undefined && applied.every((item) => isFields(item) && keys.some((key) => key in item));
  if (!keyed) {
    if (setFields.has(field)) return applied.every((item) => live.includes(item));
    if (applied.length !== live.length) return false;
    for (let index = 0; index < applied.length; index += 1) {
      if (matches(applied[index], live[index], path, "")) continue;
      path.push(`[${index}]`);
      return false;
    }
    return true;
  }
  for (let index = 0; index < applied.length; index += 1) {
    const item = applied[index] as Fields;
    // Nearly always the order is kept; search only where it is not.
    const there = live[index];
    const found = isSameItem(item, there, keys) ? there : live.find((other) => isSameItem(item, other, keys));
    if (found !== undefined && matches(item, found, path, "")) continue;
    const name = keys.map((key) => item[key]).find((value) => value !== undefined);
    path.push(`[${JSON.stringify(name)}]`);
    return false;
  }
  return true;
}

function isSameItem(left: Fields, right: unknown, keys: readonly string[]): boolean {
  if (!isFields(right)) return false;
  return keys.every((key) => (left[key] ?? keyDefaults[key]) === (right[key] ?? keyDefaults[key]));
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What the API server may drop, or may fill in for nothing: Go's zero values. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== "object") return false;
  for (const name in value) if ((value as Fields)[name] !== undefined) return false;
  return true;
}

/** Merge keys of the built-in lists (`x-kubernetes-list-map-keys` in the OpenAPI of Kubernetes 1.35), by field. */
export const listKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ["containers", ["name"]],
  ["initContainers", ["name"]],
  ["env", ["name"]],
  ["volumes", ["name"]],
  ["imagePullSecrets", ["name"]],
  ["resourceClaims", ["name"]],
  ["claims", ["name"]],
  ["volumeMounts", ["mountPath"]],
  ["volumeDevices", ["devicePath"]],
  ["hostAliases", ["ip"]],
  ["topologySpreadConstraints", ["topologyKey", "whenUnsatisfiable"]],
  // Of containers by containerPort and protocol, of Services by port and protocol.
  ["ports", ["containerPort", "port", "protocol"]],
  ["conditions", ["type"]],
  ["ownerReferences", ["uid"]],
  ["secrets", ["name"]],
]);

const keyDefaults: Fields = { protocol: "TCP" };

/** Lists that are sets: other writers may have added to them. */
const setFields: ReadonlySet<string> = new Set(["finalizers"]);

/** Maps that have one owner: what another client added to them is drift too (`x-kubernetes-map-type: atomic`). */
const atomicMaps: ReadonlySet<string> = new Set([
  "nodeSelector",
  "selector",
  "matchLabels",
  "labelSelector",
  "podSelector",
  "namespaceSelector",
]);

/** Maps whose values are quantities. */
const quantityMaps: ReadonlySet<string> = new Set([
  "requests",
  "limits",
  "capacity",
  "allocatable",
  "hard",
  "overhead",
]);

/** Fields that are a quantity themselves. */
const quantityFields: ReadonlySet<string> = new Set(["sizeLimit", "divisor"]);
