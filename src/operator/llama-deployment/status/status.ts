// Status out of what a pass found: computed last, from scope and pass alone, so that the same world gives the same
// status and a pass at rest writes nothing. A new condition is a file and a line in the table.
import type { LlamaDeploymentStatus } from "@llama-operator/llama/api";
import { mergeConditions } from "@llama-operator/kube-runtime/status";
import { servingSelector } from "../../workloads/labels.ts";
import { endpointUrl } from "../../workloads/names.ts";
import type { Pass } from "../pass.ts";
import { planStatusOf } from "../plan/plan-status.ts";
import type { Scope } from "../scope.ts";
import { available } from "./conditions/available.ts";
import { modelLoaded } from "./conditions/model-loaded.ts";
import { placementDiffers } from "./conditions/placement-differs.ts";
import { planDiffers } from "./conditions/plan-differs.ts";
import { planned } from "./conditions/planned.ts";
import { ready } from "./conditions/ready.ts";
import { reconciling } from "./conditions/reconciling.ts";
import { scheduled } from "./conditions/scheduled.ts";
import { stalled } from "./conditions/stalled.ts";
import type { ConditionRule } from "./conditions/verdict.ts";

/** In the order in which status lists them. */
const conditionRules: readonly ConditionRule[] = [
  ready,
  available,
  reconciling,
  stalled,
  planned,
  scheduled,
  modelLoaded,
  planDiffers,
  placementDiffers,
];

export function statusOf(scope: Scope, pass: Pass): LlamaDeploymentStatus {
  const { object, owner, now } = scope;
  const { replicas } = pass;
  const previous = object.status;
  const generation = object.metadata.generation ?? 0;
  const verdicts = conditionRules.flatMap(({ type, judge }) => {
    const verdict = judge(scope, pass);
    return verdict === undefined ? [] : [{ type, ...verdict }];
  });
  const revision = pass.revision?.data;
  const plan = revision === undefined ? previous?.plan : planStatusOf(revision, pass.measured);
  // The Service is made with the first plan, and stays.
  const endpoint = revision === undefined ? previous?.endpoint : endpointUrl(owner);
  const currentRevision = revision?.hash ?? previous?.currentRevision;
  // With milliseconds: whole seconds would make those that began in the same one equally old.
  const waiting = pass.rollout?.waiting;
  return {
    observedGeneration: generation,
    conditions: [...mergeConditions(previous?.conditions, verdicts, { generation, now })],
    replicas: replicas.length,
    readyReplicas: replicas.filter((replica) => replica.ready).length,
    selector: servingSelector(owner.name),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(currentRevision === undefined ? {} : { currentRevision }),
    ...(plan === undefined ? {} : { plan }),
    ...(waiting === undefined
      ? {}
      : { waitingForGpus: { since: new Date(waiting.sinceMs).toISOString(), replicas: waiting.replicas } }),
  };
}
