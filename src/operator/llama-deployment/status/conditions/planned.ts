// Planned: the planner found a layout that fits.
import { conditionTypes, reasons } from "@llama-operator/llama/api";
import { summarize } from "@llama-operator/llama/planning";
import type { ConditionRule } from "./verdict.ts";

export const planned: ConditionRule = {
  type: conditionTypes.planned,
  judge(_, { block, plan }) {
    if (plan !== undefined) return { status: "True", reason: reasons.Fits, message: summarize(plan) };
    return block === undefined
      ? undefined
      : { status: "False", reason: block.reason, message: block.message };
  },
};
