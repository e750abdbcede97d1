// Available: some replica of any revision answers, also of one that is gone.
import { conditionTypes, reasons } from "@llama-operator/llama/api";
import { isActive, type Pod } from "../../../observed/pod.ts";
import { isReachable, unknownWorkloads } from "../../replicas/workloads.ts";
import type { ConditionRule } from "./verdict.ts";

export const available: ConditionRule = {
  type: conditionTypes.available,
  judge(scope, pass) {
    const { object, owner, pods } = scope;
    const { replicas } = pass;
    const unknown = new Set(unknownWorkloads(scope, pass).map(({ metadata }) => metadata.name));
    const isOfUnknown = ({ workload = "" }: Pod): boolean => unknown.has(workload);
    const count = replicas.filter((replica) => replica.ready).length;
    if (count > 0) {
      const message = `${count} ${count === 1 ? "replica answers" : "replicas answer"}`;
      return { status: "True", reason: reasons.Serving, message };
    }
    if (pods.some((pod) => isActive(pod) && pod.ready && isReachable(pod, owner) && isOfUnknown(pod))) {
      return {
        status: "True",
        reason: reasons.Serving,
        message: "a workload of an unknown revision answers",
      };
    }
    return object.spec.replicas === 0
      ? { status: "False", reason: reasons.ScaledToZero, message: "no replica is wanted" }
      : { status: "False", reason: reasons.NoReplicaReady, message: "no replica answers" };
  },
};
