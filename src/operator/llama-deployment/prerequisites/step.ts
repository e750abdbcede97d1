// What must be there, or must not, before anything is made: a namespace that admits the pods, LeaderWorkerSet for
// groups, and names that nobody else holds.
import { reasons } from "@llama-operator/llama/api";
import { controllerOf, type KubeObject, type Live } from "@llama-operator/kube-runtime/client";
import type { Plan } from "@llama-operator/llama/planning";
import type { Owner } from "../../workloads/names.ts";
import { requiredPodSecurityLevel } from "../../workloads/security.ts";
import { goOn, type Step, type StepResult } from "../pass.ts";
import type { Scope } from "../scope.ts";

type Unmet = Exclude<StepResult, { readonly kind: "continue" }>;

/** A kind that is installed makes no event that would wake us; looking costs no request. */
const requeueAfterSeconds = 10;

export const prerequisitesStep: Step = {
  about: "generation",
  run: (scope, pass) => (pass.plan && unmetPrerequisite(scope, pass.plan)) ?? goOn,
};

/** The first thing that stands in the way of pods of this plan; each check names what to do. */
export function unmetPrerequisite(scope: Scope, plan: Plan): Unmet | undefined {
  return (
    podSecurity(scope, plan) ?? leaderWorkerSet(scope, plan) ?? priorityClass(scope) ?? foreignNames(scope)
  );
}

const enforceLabel = "pod-security.kubernetes.io/enforce";
const strictness = ["privileged", "baseline", "restricted"] as const;

function podSecurity({ namespaceLabels, owner }: Scope, plan: Plan): Unmet | undefined {
  const needed = requiredPodSecurityLevel(plan);
  const enforced = namespaceLabels[enforceLabel];
  const allowed = strictness.findIndex((level) => level === enforced);
  if (allowed <= strictness.indexOf(needed)) return undefined;
  return {
    kind: "stalled",
    reason: reasons.PodSecurity,
    message:
      `pods on a ${plan.fabric} fabric need Pod Security level "${needed}", and namespace ${owner.namespace} ` +
      `enforces "${enforced}": label it ${enforceLabel}=${needed}, or use a namespace that has the level`,
  };
}

function leaderWorkerSet(scope: Scope, plan: Plan): Unmet | undefined {
  if (plan.nodesPerReplica === 1 || scope.servesLeaderWorkerSets) return undefined;
  return {
    kind: "blocked",
    reason: reasons.LeaderWorkerSetMissing,
    message:
      `a replica spans ${plan.nodesPerReplica} nodes, which takes a LeaderWorkerSet, and the cluster has no such ` +
      "kind: install LeaderWorkerSet (https://lws.sigs.k8s.io); the operator goes on by itself",
    requeueAfterSeconds,
  };
}

/** Pods of a class that is not there are refused one by one, where only the events of their ReplicaSet say so. */
function priorityClass({ object, hasPriorityClass }: Scope): Unmet | undefined {
  const { priorityClassName: name } = object.spec.podTemplate;
  if (name === undefined || hasPriorityClass) return undefined;
  return {
    kind: "blocked",
    reason: reasons.PriorityClassNotFound,
    message: `podTemplate.priorityClassName: there is no PriorityClass ${name}: create it, or name another one`,
  };
}

function foreignNames({ children, owner, object }: Scope): Unmet | undefined {
  const named = [children.service, children.podDisruptionBudget];
  if (object.spec.podTemplate.serviceAccountName === undefined) named.push(children.serviceAccount);
  const foreign = named.find((child) => child !== undefined && controllerOf(child)?.uid !== owner.uid);
  return foreign && foreignChild(foreign, owner);
}

/** What to say of an object under one of our names that is not ours. */
export function foreignChild(child: Live<KubeObject>, { name }: Owner): Unmet {
  const controller = controllerOf(child);
  if (controller?.kind === "LlamaDeployment" && controller.name === name) {
    return {
      kind: "blocked",
      reason: reasons.PredecessorLeaving,
      message: `${child.kind} ${child.metadata.name} still belongs to an earlier LlamaDeployment ${name} that is being deleted`,
    };
  }
  return {
    kind: "stalled",
    reason: reasons.NameConflict,
    message:
      `${child.kind} ${child.metadata.name} is there and not ours: delete or rename it, ` +
      "or name this LlamaDeployment otherwise",
  };
}
