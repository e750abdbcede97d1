// Available: some replica of any revision answers.
import { conditionTypes, reasons } from "@llama-operator/llama/api";
import type { ConditionRule } from "./verdict.ts";

export const available: ConditionRule = {
  type: conditionTypes.available,
  judge({ object }, { replicas }) {
    const count = replicas.filter((replica) => replica.ready).length;
    if (count > 0) {
      const message = `${count} ${count === 1 ? "replica answers" : "replicas answer"}`;
      return { status: "True", reason: reasons.Serving, message };
    }
    return object.spec.replicas === 0
      ? { status: "False", reason: reasons.ScaledToZero, message: "no replica is wanted" }
      : { status: "False", reason: reasons.NoReplicaReady, message: "no replica answers" };
  },
};
