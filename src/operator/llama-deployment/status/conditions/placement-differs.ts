// PlacementDiffers: the pool asks something else of pods by now than is on those that run; present only while True. Nothing
// is wrong with them: they stay, and whatever takes their place is as the pool asks.
import { canonicalJson, conditionTypes, reasons } from "@llama-operator/llama/api";
import type { Plan } from "@llama-operator/llama/planning";
import type { Pass } from "../../pass.ts";
import type { Scope } from "../../scope.ts";
import type { ConditionRule } from "./verdict.ts";

export const placementDiffers: ConditionRule = {
  type: conditionTypes.placementDiffers,
  judge(scope, pass) {
    const plan = pass.revision?.data.plan;
    if (plan === undefined) return undefined;
    const found = plansInUse(scope, pass).flatMap((each) => differences(each, plan));
    const stay = [...new Set(found)].map((each) => `${each}: pods that run stay, others are made so`);
    const told = [...stay, ...otherFabric(scope, plan)];
    if (told.length === 0) return undefined;
    return {
      status: "True",
      reason: reasons.PoolChanged,
      message: `of pool ${plan.pool} ${told.join("; ")}`,
    };
  },
};

/** Of placements of the current revision that are no more what further pods get, and that replicas still have. */
function plansInUse({ revisions }: Scope, { revision, workloads }: Pass): readonly Plan[] {
  const { hash, placement } = revision?.data ?? {};
  const stored = revisions.find(({ data }) => data.hash === hash);
  const used = workloads
    .filter((each) => each.revision === hash && each.placement !== placement && each.replicas.length > 0)
    .map((each) => each.placement);
  return (stored?.placed ?? []).filter((each) => used.includes(each.placement)).map(({ plan }) => plan);
}

function differences(before: Plan, now: Plan): readonly string[] {
  const parts = (plan: Plan): Readonly<Record<string, unknown>> => ({
    nodeSelector: plan.nodeSelector,
    tolerations: plan.tolerations,
    "gpu.resourceName": plan.pod.gpuResourceName,
    "fabric.resources": plan.pod.fabric,
    "CPU of a pod in thousandths": plan.pod.cpuMillicores,
    "memory of a pod in bytes": plan.pod.memoryBytes,
  });
  const after = parts(now);
  return Object.entries(parts(before)).flatMap(([part, value]) => {
    const [was, is] = [canonicalJson(value), canonicalJson(after[part])];
    return was === is ? [] : [`${part} was ${was} and is ${is}`];
  });
}

/** A fabric is part of how a group is laid out: it comes with the next plan. */
function otherFabric({ pools }: Scope, { pool, fabric, nodesPerReplica }: Plan): readonly string[] {
  const type = pools.find(({ metadata }) => metadata.name === pool)?.spec.fabric.type ?? fabric;
  if (nodesPerReplica === 1 || type === fabric) return [];
  return [`fabric.type is ${type}, and pods use ${fabric} until the spec is planned afresh`];
}
