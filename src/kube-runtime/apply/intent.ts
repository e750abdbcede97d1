// Whether a child has to be applied again. Two questions: did what we want change (a hash of the intent, kept as an
// annotation on the child), and did another client change what we applied (each applied leaf against the live object)?
// Only the hash notices a field that we stopped wanting; only the leaves notice drift. Both hold after a restart.
import { hash } from "node:crypto";
import type { KubeObject, Live } from "../client/object.ts";
import { findDrift } from "./drift.ts";

/** Why a child is applied. */
export type ApplyReason =
  | { readonly kind: "absent" }
  | { readonly kind: "intent" }
  /** `path` is the first leaf that differs. */
  | { readonly kind: "drift"; readonly path: string };

/**
 * A hash of the object's content, the same for every order of keys. 64 bits: it detects change, not attack. It is stored
 * on every child: another form of the JSON would apply all of them again.
 */
export function intentHash(object: KubeObject): string {
  return hash("sha256", JSON.stringify(sortedKeys(object)), "hex").slice(0, 16);
}

/** The intent as it is applied: with its hash in `annotation` of the object (never of a pod template in it). */
export function withIntentHash<T extends KubeObject>(object: T, annotation: string): T {
  const metadata = object.metadata ?? {};
  const annotations = { ...metadata.annotations, [annotation]: intentHash(object) };
  return { ...object, metadata: { ...metadata, annotations } };
}

/**
 * Why `intent` (from {@link withIntentHash}) must be applied over `live`; undefined when nothing would change.
 * @param live the object as cached, with at least the applied fields untrimmed
 */
export function needsApply<T extends KubeObject>(
  intent: T,
  live: Live<T> | undefined,
  annotation: string,
): ApplyReason | undefined {
  if (live === undefined) return { kind: "absent" };
  if (live.metadata.annotations?.[annotation] !== intent.metadata?.annotations?.[annotation]) {
    return { kind: "intent" };
  }
  const path = findDrift(intent, live);
  return path === undefined ? undefined : { kind: "drift", path };
}

/** The same value with keys in one order everywhere, for JSON.stringify: cheaper than writing the text piece by piece. */
function sortedKeys(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sortedKeys);
  const fields = value as Readonly<Record<string, unknown>>;
  const sorted: Record<string, unknown> = {};
  for (const key of Object.keys(fields).sort()) sorted[key] = sortedKeys(fields[key]);
  return sorted;
}
