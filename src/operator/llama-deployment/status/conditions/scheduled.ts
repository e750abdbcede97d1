// Scheduled: every wanted pod has a node. Nothing is said of a generation that is blocked.
import { conditionTypes, reasons } from "@llama-operator/llama/api";
import { currentReplicas, podRefusal, type ConditionRule } from "./verdict.ts";

export const scheduled: ConditionRule = {
  type: conditionTypes.scheduled,
  judge(scope, pass) {
    const wanted = scope.object.spec.replicas;
    if (pass.block !== undefined || wanted === 0) return undefined;
    const placement = pass.rollout?.placement;
    if (placement !== undefined) {
      return { status: "False", reason: placement.reason, message: placement.message };
    }
    const mine = currentReplicas(pass);
    const lost = mine.find(({ placed, failure }) => !placed && failure?.reason === reasons.NodeLost)?.failure;
    if (lost !== undefined) return { status: "False", ...lost };
    const refusal =
      mine.length < wanted || mine.some((replica) => replica.lacksPods) ? podRefusal(pass) : undefined;
    if (refusal !== undefined) return { status: "False", ...refusal };
    if (mine.length < wanted || mine.some((replica) => !replica.placed)) {
      return { status: "Unknown", reason: reasons.PlacingPods, message: "pods are being placed" };
    }
    return { status: "True", reason: reasons.PodsScheduled, message: "every pod has a node" };
  },
};
