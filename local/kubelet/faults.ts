// Which faults are injected into a start. A fault stands for every start of every pod that carries it, unless its value
// ends in "x2" or "once": "5 once", "true x2". Those are counted for the workload, not for the pod: a group
// that is recreated whole has new pods, and "once" should not hit them again.
import type { EngineFaults } from "../engine/faults.ts";
import { controllerOf } from "@llama-operator/kube-runtime/client";
import { annotation, annotations, type Pod } from "./pod.ts";

/** Counts the starts that limited faults have hit. */
export class FaultLedger {
  readonly #hits = new Map<string, number>();

  /** The fault's value if it hits this start, and then that is counted. */
  take(pod: Pod, name: string): string | undefined {
    const fault = parseFault(annotation(pod, name));
    if (fault === undefined) return undefined;
    if (fault.limit === undefined) return fault.value;
    const key = `${workloadOf(pod)} ${name}`;
    const hits = this.#hits.get(key) ?? 0;
    if (hits >= fault.limit) return undefined;
    this.#hits.set(key, hits + 1);
    return fault.value;
  }

  /** All faults of the engine that starts now. */
  takeEngineFaults(pod: Pod): EngineFaults {
    const exitCode = numeric(this.take(pod, annotations.exitCode));
    const loadFactor = numeric(this.take(pod, annotations.loadFactor));
    return {
      ...this.takeRunningFaults(pod, [annotations.crashAfterSeconds, annotations.hang]),
      exitCode,
      loadFactor,
      outOfMemory: isSet(this.take(pod, annotations.outOfMemory)),
    };
  }

  /** Those of the named faults that can befall a running engine. */
  takeRunningFaults(pod: Pod, names: readonly string[]): EngineFaults {
    const take = (name: string): string | undefined =>
      names.includes(name) ? this.take(pod, name) : undefined;
    const crashAfterSeconds = numeric(take(annotations.crashAfterSeconds));
    const hang = isSet(take(annotations.hang));
    return { hang, crashAfterSeconds };
  }
}

/** "5 x2" is the value "5" for two starts; "once" alone is "true" for one. */
function parseFault(
  text: string | undefined,
): { readonly value: string; readonly limit: number | undefined } | undefined {
  if (text === undefined) return undefined;
  const [, value = "", count] = /^\s*(.*?)\s*(?:\b(once|x\d+))?\s*$/.exec(text) ?? [];
  const limit = count === undefined ? undefined : count === "once" ? 1 : Number(count.slice(1));
  return { value: value === "" ? "true" : value, limit };
}

/** Pods of one ReplicaSet share its fate; those of a LeaderWorkerSet share the whole set's. */
function workloadOf(pod: Pod): string {
  const group = pod.metadata.labels?.["leaderworkerset.sigs.k8s.io/name"];
  if (group !== undefined) return `${pod.metadata.namespace}/${group}`;
  return controllerOf(pod)?.uid ?? pod.metadata.uid;
}

function numeric(value: string | undefined): number | undefined {
  return value === undefined || Number.isNaN(Number(value)) ? undefined : Number(value);
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "false";
}
