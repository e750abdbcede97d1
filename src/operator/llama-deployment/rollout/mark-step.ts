// Marks the pods that are to go, and takes the mark back from those that stay after all. A victim is removed by a later
// pass, one that sees the mark in the cache. Should another pod stop being ready in that instant, the ReplicaSet
// controller takes that one, which serves nothing, and the victim stays: its mark is taken back and it goes on serving.
import type { Live } from "@llama-operator/kube-runtime/client";
import type { Applier } from "@llama-operator/kube-runtime/apply";
import { watched } from "../../observed/watched.ts";
import type { Pod } from "../../observed/pod.ts";
import { deletionCostAnnotation, victimCost } from "../../workloads/deletion-cost.ts";
import { allEnded } from "../children/apply.ts";
import { goOn, type Step } from "../pass.ts";
import { podsOf } from "../replicas/replica.ts";

export function markStep(applier: Pick<Applier, "patch">): Step {
  return {
    name: "mark",
    about: "workloads",
    async run(scope, { rollout, context }) {
      if (rollout === undefined) return goOn;
      const { drain, undrain } = rollout.plan;
      const setCost = async (pod: Live<Pod>, cost: string | null): Promise<void> => {
        const patch = { metadata: { annotations: { [deletionCostAnnotation]: cost } } };
        await applier.patch(watched.pods.type, pod, patch, context);
      };
      await allEnded([
        ...podsOf(scope.replicas, drain).map(async (pod) => setCost(pod, String(victimCost))),
        ...podsOf(scope.replicas, undrain).map(async (pod) => setCost(pod, null)),
      ]);
      return goOn;
    },
  };
}
