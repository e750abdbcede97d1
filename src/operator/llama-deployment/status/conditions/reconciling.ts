// Reconciling: work is under way, or waits for what may come by itself; present only while True (kstatus).
import { conditionTypes } from "@llama-operator/llama/api";
import { outstanding } from "./outstanding.ts";
import type { ConditionRule } from "./verdict.ts";

export const reconciling: ConditionRule = {
  type: conditionTypes.reconciling,
  judge(scope, pass) {
    if (pass.block?.recovers === false) return undefined;
    const problem = outstanding(scope, pass);
    return problem && { status: "True", reason: problem.reason, message: problem.message };
  },
};
