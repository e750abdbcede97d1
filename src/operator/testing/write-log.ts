// What an operator has written, as a test reads it: verb, kind, a name without hashes, and what the write changed.
import { isDeepStrictEqual } from "node:util";
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import type { Write } from "@llama-operator/kube-runtime/testing";
import type { Condition } from "./cluster/objects.ts";
import { deploymentLabel, revisionLabel, slotLabel } from "../workloads/labels.ts";

export interface LoggedWrite {
  readonly verb: "create" | "change" | "delete" | "status";
  readonly kind: string;
  /** `chat`, or what belongs to a revision `chat@2`, or one of its groups `chat@2/0`. */
  readonly name: string;
  /** What differs since: `spec.replicas 1 -> 2`, `Ready=True/Serving`; `nothing` for a write that changed nothing. */
  readonly why: string;
}

/** One line a write, for assertions that people read. */
export function written({ verb, kind, name, why }: LoggedWrite): string {
  return why === "" ? `${verb} ${kind} ${name}` : `${verb} ${kind} ${name}: ${why}`;
}

export class WriteLog {
  readonly #writes: LoggedWrite[] = [];
  /** Numbers of ControllerRevisions by the hash that names them. */
  readonly #revisions = new Map<string, number>();

  get all(): readonly LoggedWrite[] {
    return this.#writes;
  }

  /** Forgets what was written so far. */
  clear(): void {
    this.#writes.length = 0;
  }

  /** An object of the cluster: revisions are known by them. */
  learn(object: Live<KubeObject>): void {
    const hash = object.metadata.labels?.[revisionLabel];
    const number = (object as { revision?: number }).revision;
    if (object.kind === "ControllerRevision" && hash !== undefined && number !== undefined) {
      this.#revisions.set(`${object.metadata.namespace}/${hash}`, number);
    }
  }

  note({ call, before, after }: Write): void {
    const object = after ?? before;
    if (object === undefined || object.kind === "Event") return;
    if (after !== undefined) this.learn(after);
    const what = { kind: object.kind, name: this.nameOf(object) };
    if (call.verb === "delete") this.#writes.push({ verb: "delete", ...what, why: "" });
    else if (call.subresource === "status") {
      this.#writes.push({ verb: "status", ...what, why: statusChange(before, after) });
    } else if (before === undefined) this.#writes.push({ verb: "create", ...what, why: "" });
    else this.#writes.push({ verb: "change", ...what, why: change(before, after) });
  }

  /** The name without hashes. */
  nameOf({ metadata }: Live<KubeObject>): string {
    const { name, namespace, labels } = metadata;
    const hash = labels?.[revisionLabel];
    const revision = hash === undefined ? undefined : this.#revisions.get(`${namespace}/${hash}`);
    if (revision === undefined) return name;
    const slot = labels?.[slotLabel];
    return `${labels?.[deploymentLabel]}@${revision}${slot === undefined ? "" : `/${slot}`}`;
  }
}

function statusChange(before: Live<KubeObject> | undefined, after: Live<KubeObject> | undefined): string {
  const was = statusOf(before);
  const is = statusOf(after);
  const changes = conditionChanges(was.conditions ?? [], is.conditions ?? []);
  for (const [field, word] of counts) {
    if (was[field] !== is[field]) changes.push(`${word} ${was[field] ?? 0} -> ${is[field] ?? 0}`);
  }
  const { conditions: _, replicas: __, readyReplicas: ___, ...restBefore } = was;
  const { conditions: _a, replicas: _b, readyReplicas: _c, ...restAfter } = is;
  const others = differences(restBefore, restAfter, "").map(
    (path) => path.split(" ")[0]?.split(".")[0] ?? "",
  );
  changes.push(...new Set(others));
  return changes.length === 0 ? "nothing" : changes.join(", ");
}

interface Status {
  readonly conditions?: readonly Condition[];
  readonly replicas?: number;
  readonly readyReplicas?: number;
}

const counts = [
  ["replicas", "replicas"],
  ["readyReplicas", "ready"],
] as const;

function statusOf(object: Live<KubeObject> | undefined): Status {
  return (object as { status?: Status } | undefined)?.status ?? {};
}

function conditionChanges(was: readonly Condition[], is: readonly Condition[]): string[] {
  const gone = was
    .filter(({ type }) => !is.some((each) => each.type === type))
    .map(({ type }) => `no ${type}`);
  const changed = is.flatMap((condition) => {
    const { type, status, reason, message } = condition;
    const known = was.find((each) => each.type === type);
    if (known?.status !== status || known.reason !== reason) return [`${type}=${status}/${reason}`];
    return known.message === message ? [] : [`${type} message`];
  });
  return [...changed, ...gone];
}

function change(before: Live<KubeObject>, after: Live<KubeObject> | undefined): string {
  const changes = differences(visible(before), visible(after), "");
  if (changes.length > 0) return changes.join(", ");
  return before.metadata.resourceVersion === after?.metadata.resourceVersion ? "nothing" : "its intent alone";
}

/** Without what each write changes. */
function visible(object: Live<KubeObject> | undefined): unknown {
  if (object === undefined) return {};
  const { resourceVersion: _, generation: __, annotations = {}, ...metadata } = object.metadata;
  const { ["llama-operator.dev/intent-hash"]: ___, ...others } = annotations;
  return { ...object, metadata: { ...metadata, annotations: others } };
}

/** The leaves that differ, as `path before -> after`; whole subtrees where one side has none. */
function differences(before: unknown, after: unknown, path: string): readonly string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isRecord(before) || !isRecord(after)) return [`${path} ${shown(before)} -> ${shown(after)}`];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    differences(before[key], after[key], path === "" ? key : `${path}.${key}`),
  );
}

function shown(value: unknown): string {
  if (value === undefined) return "none";
  return typeof value === "string" ? value : typeof value === "object" ? "{…}" : JSON.stringify(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
