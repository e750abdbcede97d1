// What keeps a generation from answering in full: the one thing that Ready and Reconciling both tell.
import { reasons, type Reason } from "@llama-operator/llama/api";
import type { Pass } from "../../pass.ts";
import { notOurs } from "../../prerequisites/step.ts";
import { unknownWorkloads } from "../../replicas/workloads.ts";
import type { Scope } from "../../scope.ts";
import { currentReplicas, podRefusal } from "./verdict.ts";

/** The first thing that is still to be done, or stands in the way; undefined where nothing does. */
export function outstanding(
  scope: Scope,
  pass: Pass,
): { readonly reason: Reason; readonly message: string } | undefined {
  if (pass.block !== undefined) return pass.block;
  const [unknown] = unknownWorkloads(scope, pass);
  if (unknown !== undefined) {
    return {
      reason: reasons.UnknownWorkload,
      message:
        `${unknown.kind} ${unknown.metadata.name} runs a revision that is gone or cannot be read, and is left as it ` +
        "is: delete it once nothing needs it",
    };
  }
  const orphans = scope.children.orphans.filter(({ kind }) => kind !== "ControllerRevision");
  // Their pods have our labels, so that they answer as ours.
  if (orphans.length > 0) return { reason: reasons.NameConflict, message: notOurs(orphans) };
  const wanted = scope.object.spec.replicas;
  if (wanted === 0) {
    const left = pass.replicas.length + scope.leavingPods;
    return left === 0
      ? undefined
      : { reason: reasons.RollingOut, message: "scaling to zero; pods are leaving" };
  }
  const mine = currentReplicas(pass);
  const answering = mine.filter((replica) => replica.ready).length;
  const older = pass.replicas.length - mine.length;
  if (answering >= wanted && mine.length === wanted && older === 0) return undefined;
  const failure = mine.find((replica) => replica.failure !== undefined)?.failure;
  if (failure !== undefined) return failure;
  const refusal = podRefusal(pass);
  if (refusal !== undefined) return refusal;
  const { placement, plan } = pass.rollout ?? {};
  if (placement !== undefined) return placement;
  if (older > 0) {
    const reason = plan?.reason ?? "a new revision replaces an older one";
    return {
      reason: reasons.RollingOut,
      message: `${answering} of ${wanted} new replicas answer: ${reason}`,
    };
  }
  if (mine.length > wanted) return { reason: reasons.RollingOut, message: `scaling down to ${wanted}` };
  return { reason: reasons.ReplicasUnavailable, message: `${answering} of ${wanted} replicas answer` };
}
