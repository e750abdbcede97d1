// What other clients added to lists that are wanted as they were applied. Server-side apply leaves such items to their
// owners: right for an object that several write, wrong for a pod template, where each item is run. Taking them out is
// a merge patch, which replaces lists whole.
//
// Assumptions
// - Lists are keyed as in the built-in kinds (drift.ts), and the API server never fills these ones in by itself: of
//   templates it defaults members of items, not items.
import { isFields, listKeys, type Fields } from "./drift.ts";

export interface Additions {
  /** Like `spec.template.spec.containers["debug"]`. */
  readonly paths: readonly string[];
  /** A merge patch that takes them out. */
  readonly patch: Readonly<Record<string, unknown>>;
}

/** Lists of a pod template in which each item has an effect on the pods. */
const watchedLists: ReadonlySet<string> = new Set([
  "containers",
  "initContainers",
  "env",
  "envFrom",
  "volumes",
  "volumeMounts",
  "volumeDevices",
  "hostAliases",
  "imagePullSecrets",
  "ports",
  "tolerations",
  "topologySpreadConstraints",
]);

/** What `live` has in the lists of pod templates beyond what was applied; undefined where that is nothing. */
export function findAdditions(applied: Fields, live: Fields): Additions | undefined {
  const paths: string[] = [];
  const patch = patchFor(applied, live, "", paths);
  return patch && { paths, patch };
}

function patchFor(applied: Fields, live: Fields, path: string, paths: string[]): Fields | undefined {
  const patch: Record<string, unknown> = {};
  for (const name in live) {
    const wanted = applied[name];
    const found = live[name];
    if (wanted === found) continue;
    const at = path === "" ? name : `${path}.${name}`;
    if (Array.isArray(found) && watchedLists.has(name)) {
      const list = Array.isArray(wanted) ? wanted : [];
      if (noteItems(list, found, name, at, paths)) patch[name] = wanted ?? null;
    } else if (isFields(found) && isFields(wanted)) {
      const inner = patchFor(wanted, found, at, paths);
      if (inner !== undefined) patch[name] = inner;
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** Notes items, and what is in items, that were not applied. */
function noteItems(
  wanted: readonly unknown[],
  found: readonly unknown[],
  field: string,
  path: string,
  paths: string[],
): boolean {
  const keys = listKeys.get(field);
  if (keys === undefined) {
    // A list without a key is replaced by each apply, so that only one that was not applied at all can be another's.
    if (wanted.length > 0 || found.length === 0) return false;
    paths.push(path);
    return true;
  }
  const before = paths.length;
  for (const item of found) {
    if (!isFields(item)) continue;
    const its = `${path}[${JSON.stringify(keys.map((key) => item[key]).find((value) => value !== undefined))}]`;
    const same = wanted.find((each) => isFields(each) && keys.every((key) => sameKey(each[key], item[key])));
    if (isFields(same)) patchFor(same, item, its, paths);
    else paths.push(its);
  }
  return paths.length > before;
}

/** The protocol of a port is filled in where it was left out. */
function sameKey(wanted: unknown, found: unknown): boolean {
  return wanted === undefined || wanted === found;
}
