// Stalled: nothing will change until a person acts; present only while True (kstatus).
import { conditionTypes } from "@llama-operator/llama/api";
import type { ConditionRule } from "./verdict.ts";

export const stalled: ConditionRule = {
  type: conditionTypes.stalled,
  judge: (_, { block }) =>
    block === undefined || block.recovers
      ? undefined
      : { status: "True", reason: block.reason, message: block.message },
};
