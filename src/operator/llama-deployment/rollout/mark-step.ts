// Marks the pods that are to go, and takes the mark back from those that stay after all. A victim is removed by a later
// pass, one that sees the mark in the cache. Should another pod stop being ready in that instant, the ReplicaSet
// controller takes that one, which serves nothing, and the victim stays: its mark is taken back and it goes on serving.
import { isRefused, objectKey, type Live } from "@llama-operator/kube-runtime/client";
import type { Applier } from "@llama-operator/kube-runtime/apply";
import { watched } from "../../observed/watched.ts";
import type { Pod } from "../../observed/pod.ts";
import { noMark, victimMark } from "../../workloads/deletion-cost.ts";
import { allEnded } from "../children/apply.ts";
import { goOn, type Step } from "../pass.ts";
import { podsOf } from "../replicas/replica.ts";

/** For so long are pods of an object removed without a mark, once a mark was refused: by a policy, or for a right. */
const refusedMs = 600_000;

/** Objects whose pods may not be marked, by `namespace/name`. A mark only says which of equal pods goes. */
export class RefusedMarks {
  readonly #untilMs = new Map<string, number>();

  note(holder: string, nowMs: number): void {
    for (const [each, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(each);
    this.#untilMs.set(holder, nowMs + refusedMs);
  }

  has(holder: string, nowMs: number): boolean {
    return (this.#untilMs.get(holder) ?? 0) > nowMs;
  }
}

export function markStep(applier: Pick<Applier, "patch">, refused: RefusedMarks): Step {
  return {
    about: "workloads",
    async run(scope, { rollout, replicas, context }) {
      if (rollout === undefined) return goOn;
      const { drain, undrain } = rollout.plan;
      const setCost = async (
        pod: Live<Pod>,
        annotations: Readonly<Record<string, string | null>>,
      ): Promise<void> => applier.patch(watched.pods.type, pod, { metadata: { annotations } }, context);
      try {
        await allEnded([
          ...podsOf(replicas, drain).map(async (pod) => setCost(pod, victimMark)),
          ...podsOf(replicas, undrain).map(async (pod) => setCost(pod, noMark)),
        ]);
      } catch (error) {
        if (!isRefused(error)) throw error;
        refused.note(objectKey(context.request), scope.now.getTime());
        return { kind: "continue", requeueAfterSeconds: 1 };
      }
      return goOn;
    },
  };
}
