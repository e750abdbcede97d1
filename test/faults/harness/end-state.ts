// What a scenario has come to, without what differs from one time to the next: two runs of the same changes must end
// the same, and must have taken the same creations and deletions.
import { isDeepStrictEqual } from "node:util";
import type { KubeObject, Live } from "../../../src/kube-runtime/client/object.ts";
import { revisionLabel, slotLabel } from "../../../src/operator/workloads/labels.ts";
import type { HistoryEvent } from "./history.ts";

export interface EndState {
  /** Objects as canonical JSON, by kind and canonical name; pods are counted. */
  readonly objects: Readonly<Record<string, unknown>>;
  /** How often objects were created and deleted, by kind: `created Deployment` and so on. */
  readonly effects: Readonly<Record<string, number>>;
}

const timeOfDay = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g;
const clusterIp = /10\.96\.\d+\.\d+/g;
const uid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** The end state of one namespace. */
export function endState(
  namespace: string,
  live: readonly Live<KubeObject>[],
  history: readonly HistoryEvent[],
): EndState {
  const names = canonicalNames(namespace, history);
  const objects: Record<string, unknown> = {};
  for (const object of live) {
    const text = names.reduce(
      (rest, [name, canonical]) => rest.replaceAll(name, canonical),
      JSON.stringify(lasting(object)),
    );
    const canonical = JSON.parse(
      text.replaceAll(timeOfDay, "TIME").replaceAll(uid, "UID").replaceAll(clusterIp, "CLUSTER-IP"),
    ) as KubeObject;
    const key = `${canonical.kind} ${canonical.metadata?.name}`;
    if (canonical.kind === "Pod") objects["pods"] = ((objects["pods"] as number | undefined) ?? 0) + 1;
    else objects[key] = canonical;
  }
  return { objects, effects: effectsOf(history) };
}

/** Where two end states differ, path by path; empty where they are the same. */
export function differences(expected: unknown, actual: unknown, path = ""): readonly string[] {
  if (isDeepStrictEqual(expected, actual)) return [];
  if (!isRecord(expected) || !isRecord(actual)) {
    return [`${path}: ${JSON.stringify(expected)} became ${JSON.stringify(actual)}`];
  }
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...keys].flatMap((key) => differences(expected[key], actual[key], `${path}/${key}`));
}

/** Names that hold a hash of a uid or of the pool's name, by what they stand for; the longest first. */
function canonicalNames(
  namespace: string,
  history: readonly HistoryEvent[],
): readonly (readonly [string, string])[] {
  const names = new Map<string, string>([[namespace, "NAMESPACE"]]);
  const revisions = new Map<string, string>();
  for (const { object } of history) {
    const hash = object.metadata.labels?.[revisionLabel];
    if (object.kind !== "ControllerRevision" || hash === undefined) continue;
    const number = (object as { revision?: number }).revision ?? 0;
    revisions.set(hash, `revision-${number}`);
    names.set(hash, `revision-${number}`);
  }
  for (const { object } of history) {
    if (object.kind !== "Deployment" && object.kind !== "LeaderWorkerSet") continue;
    const { name, labels } = object.metadata;
    const revision = revisions.get(labels?.[revisionLabel] ?? "") ?? "?";
    names.set(name, `workload-of-${revision}-${labels?.[slotLabel] ?? ""}`);
  }
  return [...names].toSorted(([a], [b]) => b.length - a.length);
}

/** Without what counts changes or hashes names. */
function lasting(object: Live<KubeObject>): unknown {
  const {
    managedFields: _,
    resourceVersion: __,
    generation: ___,
    ...metadata
  } = object.metadata as Live<KubeObject & { metadata: { managedFields?: unknown } }>["metadata"];
  const annotations = Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(([key]) => key !== "llama-operator.dev/intent-hash"),
  );
  const { status, ...rest } = object as Live<KubeObject & { status?: unknown }>;
  return {
    ...rest,
    metadata: { ...metadata, annotations },
    // The status of what we make is for the controllers that run it to write.
    ...(object.kind === "LlamaDeployment" ? { status } : {}),
  };
}

function effectsOf(history: readonly HistoryEvent[]): Readonly<Record<string, number>> {
  const effects: Record<string, number> = {};
  const seen = new Set<string>();
  for (const { type, object } of history) {
    if (type === "MODIFIED" || seen.has(`${type} ${object.metadata.uid}`)) continue;
    seen.add(`${type} ${object.metadata.uid}`);
    const effect = `${type === "ADDED" ? "created" : "deleted"} ${object.kind}`;
    effects[effect] = (effects[effect] ?? 0) + 1;
  }
  return effects;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
