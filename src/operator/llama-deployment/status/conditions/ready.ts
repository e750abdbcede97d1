// Ready: this generation is fully rolled out and answering; at zero wanted, True with reason ScaledToZero.
import { conditionTypes, reasons } from "@llama-operator/llama/api";
import { outstanding } from "./outstanding.ts";
import type { ConditionRule } from "./verdict.ts";

export const ready: ConditionRule = {
  type: conditionTypes.ready,
  judge(scope, pass) {
    const problem = outstanding(scope, pass);
    if (problem !== undefined) return { status: "False", reason: problem.reason, message: problem.message };
    const wanted = scope.object.spec.replicas;
    if (wanted === 0)
      return { status: "True", reason: reasons.ScaledToZero, message: "no replica is wanted" };
    return { status: "True", reason: reasons.Serving, message: `${wanted} of ${wanted} replicas answer` };
  },
};
