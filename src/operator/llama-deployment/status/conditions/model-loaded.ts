// ModelLoaded: every wanted replica has its weights in GPU memory. While they load it says by when, as an absolute time
// that stays the same on every pass of the phase.
import { formatTime } from "@llama-operator/kube-runtime";
import { conditionTypes, reasons } from "@llama-operator/llama/api";
import { currentReplicas, type ConditionRule } from "./verdict.ts";

export const modelLoaded: ConditionRule = {
  type: conditionTypes.modelLoaded,
  judge(scope, pass) {
    const mine = currentReplicas(pass);
    if (pass.block !== undefined || scope.object.spec.replicas === 0 || mine.length === 0) return undefined;
    const pending = mine.filter((replica) => !replica.ready);
    if (pending.length === 0) {
      return { status: "True", reason: reasons.Loaded, message: "the weights are in GPU memory" };
    }
    const failure = pending.find((replica) => replica.failure !== undefined)?.failure;
    if (failure !== undefined) return { status: "False", ...failure };
    // Ranks of a group load together: none does before each has a node.
    const loading = pending.filter((replica) => replica.placed);
    if (loading.length === 0 && pending.some(({ startedAt }) => startedAt !== undefined)) {
      return {
        status: "False",
        reason: reasons.Loading,
        message: "pods that are to load it wait for a node",
      };
    }
    const startedAt = loading.flatMap((replica) => replica.startedAt ?? []).toSorted();
    const latest = startedAt.at(-1);
    const startupSeconds = pass.revision?.data.plan.startupSeconds;
    if (latest === undefined || startupSeconds === undefined) {
      return { status: "False", reason: reasons.Loading, message: "no engine has started yet" };
    }
    const expected = formatTime(new Date(Date.parse(latest) + startupSeconds * 1000));
    return {
      status: "False",
      reason: reasons.Loading,
      message: `weights are loading; expected to answer by ${expected}`,
    };
  },
};
