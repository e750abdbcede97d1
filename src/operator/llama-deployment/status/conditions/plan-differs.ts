// PlanDiffers: the plan in force has settings that this spec does not name and would not be planned to; present only while
// True. Of plans alone that were stored before it was kept what they were made for.
import { conditionTypes, reasons } from "@llama-operator/llama/api";
import type { ConditionRule } from "./verdict.ts";

export const planDiffers: ConditionRule = {
  type: conditionTypes.planDiffers,
  judge(_, { differences = [] }) {
    if (differences.length === 0) return undefined;
    const settings = differences.map(
      ({ setting, one, other }) => `${setting} is ${one}, planned anew ${other}`,
    );
    return {
      status: "True",
      reason: reasons.PlanDiffers,
      message:
        `${settings.join("; ")}: the plan in force may answer an earlier spec. Nothing restarts by itself; the next ` +
        "change of model, quantization, context, parallelism, placement or engine plans afresh",
    };
  },
};
