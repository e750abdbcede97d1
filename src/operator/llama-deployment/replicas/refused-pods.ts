// Why the pods of a workload are not made: a quota, an admission policy, a ServiceAccount that is not there. The
// controllers that make them are refused, not the operator. Of a Deployment its condition says so; of a group nothing but
// events of its StatefulSets, which are asked for only once ranks have been missing for a while.
import {
  resourceType,
  type KubeClient,
  type KubeObject,
  type Live,
} from "@llama-operator/kube-runtime/client";
import { goOn, type Step } from "../pass.ts";
import type { LiveWorkload } from "./replica.ts";

/** For so long ranks may be missing before it is asked why: groups that are made anew lack theirs for a moment. */
const patienceSeconds = 15;
/** How often it is asked again. */
const askSeconds = 30;

interface FailureEvent extends KubeObject {
  readonly reason?: string;
  readonly note?: string;
  readonly regarding?: { readonly name?: string };
  readonly deprecatedLastTimestamp?: string | null;
  readonly series?: { readonly lastObservedTime?: string } | null;
}

/** Field selectors of events.k8s.io/v1: pkg/apis/events/v1/conversion.go (AddFieldLabelConversionsForEvent). */
const events = resourceType<FailureEvent>({
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  namespaced: true,
});
const failedCreate = "FailedCreate";

export function refusedPodsStep(client: Pick<KubeClient, "list">): Step {
  const waits = new MissingRanks();
  return {
    about: "workloads",
    async run({ now, owner }, pass) {
      const refusals = new Map<string, string>();
      pass.podRefusals = refusals;
      const overdue: LiveWorkload[] = [];
      let isWaiting = false;
      for (const workload of pass.workloads) {
        const { object, slot, replicas } = workload;
        if (slot === undefined) {
          const refusal = replicaFailure(object);
          if (refusal !== undefined) refusals.set(object.metadata.name, withoutWhatChanges(refusal));
        } else if (!replicas.some((replica) => replica.lacksPods)) {
          waits.end(object.metadata.uid);
        } else if (waits.seconds(object.metadata.uid, now.getTime()) < patienceSeconds) {
          isWaiting = true;
        } else overdue.push(workload);
      }
      if (overdue.length > 0) {
        const { items } = await client.list(events, {
          namespace: owner.namespace,
          fieldSelector: `reason=${failedCreate}`,
          signal: pass.context.signal,
        });
        for (const { object } of overdue) {
          const note = latestNote(items, object);
          if (note !== undefined) refusals.set(object.metadata.name, withoutWhatChanges(note));
        }
      }
      if (isWaiting) return { kind: "continue", requeueAfterSeconds: patienceSeconds };
      return overdue.length > 0 ? { kind: "continue", requeueAfterSeconds: askSeconds } : goOn;
    },
  };
}

/** Since when ranks of groups are missing, by the uid of their LeaderWorkerSet. */
class MissingRanks {
  readonly #known = new Map<string, { readonly sinceMs: number; seenMs: number }>();

  seconds(uid: string, nowMs: number): number {
    // Groups that are gone are looked at no more.
    for (const [each, { seenMs }] of this.#known) {
      if (nowMs - seenMs > 10 * askSeconds * 1000) this.#known.delete(each);
    }
    const known = this.#known.get(uid) ?? { sinceMs: nowMs, seenMs: nowMs };
    known.seenMs = nowMs;
    this.#known.set(uid, known);
    return (nowMs - known.sinceMs) / 1000;
  }

  end(uid: string): void {
    this.#known.delete(uid);
  }
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment */
function replicaFailure(object: Live<KubeObject>): string | undefined {
  const { status } = object as {
    readonly status?: { readonly conditions?: readonly { type: string; status: string; message?: string }[] };
  };
  return status?.conditions?.find(({ type, status: is }) => type === "ReplicaFailure" && is === "True")
    ?.message;
}

/** The last event about the group, its leader's StatefulSet or its workers', since the group was made. */
function latestNote(
  items: readonly Live<FailureEvent>[],
  { metadata }: Live<KubeObject>,
): string | undefined {
  const names = new Set([metadata.name, `${metadata.name}-0`]);
  const createdMs = Date.parse(metadata.creationTimestamp ?? "") || 0;
  return items
    .filter(({ reason, regarding }) => reason === failedCreate && names.has(regarding?.name ?? ""))
    .filter((event) => lastSeenMs(event) >= createdMs)
    .toSorted((a, b) => lastSeenMs(a) - lastSeenMs(b))
    .at(-1)?.note;
}

function lastSeenMs({ series, deprecatedLastTimestamp, metadata }: Live<FailureEvent>): number {
  return (
    Date.parse(series?.lastObservedTime ?? deprecatedLastTimestamp ?? metadata.creationTimestamp ?? "") || 0
  );
}

const longestQuote = 600;

/** Each try has another pod's name, and what of a quota is used comes and goes. */
function withoutWhatChanges(message: string): string {
  return message
    .replace(/^create Pod .*? failed error: /, "")
    .replace(/^pods "[^"]*" is forbidden: /, "")
    .replace(/pods? "[^"]*"/i, "pods")
    .replace(/, used: .*?(?=, limited: )/, "")
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, longestQuote);
}
