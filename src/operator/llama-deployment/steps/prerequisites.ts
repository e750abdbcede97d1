// What must be there, or must not, before anything is made: a namespace that admits the pods, LeaderWorkerSet for
// groups, and names that nobody else holds.
import { reasons } from "@llama-operator/llama/api";
import { controllerOf, type KubeObject, type Live } from "@llama-operator/kube-runtime/client";
import type { Plan } from "@llama-operator/llama/planning";
import type { Owner } from "../../workloads/names.ts";
import { requiredPodSecurityLevel } from "../../workloads/security.ts";
import type { Scope } from "../scope.ts";
import type { Halt } from "../status.ts";

/** The first thing that stands in the way; each check names what to do. */
export function prerequisitesStep(scope: Scope, plan: Plan): Halt | undefined {
  return podSecurity(scope, plan) ?? leaderWorkerSet(scope, plan) ?? foreignNames(scope);
}

const enforceLabel = "pod-security.kubernetes.io/enforce";
const strictness = ["privileged", "baseline", "restricted"] as const;

function podSecurity({ namespaceLabels, owner }: Scope, plan: Plan): Halt | undefined {
  const needed = requiredPodSecurityLevel(plan);
  const enforced = namespaceLabels[enforceLabel];
  const allowed = strictness.findIndex((level) => level === enforced);
  if (allowed <= strictness.indexOf(needed)) return undefined;
  return {
    reason: reasons.PodSecurity,
    message:
      `pods on a ${plan.fabric} fabric need Pod Security level "${needed}", and namespace ${owner.namespace} ` +
      `enforces "${enforced}": label it ${enforceLabel}=${needed}, or use a namespace that has the level`,
    waits: false,
    unplanned: false,
  };
}

function leaderWorkerSet(scope: Scope, plan: Plan): Halt | undefined {
  if (plan.nodesPerReplica === 1 || scope.servesLeaderWorkerSets) return undefined;
  return {
    reason: reasons.LeaderWorkerSetMissing,
    message:
      `a replica spans ${plan.nodesPerReplica} nodes, which takes a LeaderWorkerSet, and the cluster has no such ` +
      "kind: install LeaderWorkerSet (https://lws.sigs.k8s.io); the operator goes on by itself",
    waits: true,
    unplanned: false,
  };
}

function foreignNames({ children, owner, object }: Scope): Halt | undefined {
  const named = [children.service, children.podDisruptionBudget];
  if (object.spec.podTemplate.serviceAccountName === undefined) named.push(children.serviceAccount);
  const foreign = named.find((child) => child !== undefined && controllerOf(child)?.uid !== owner.uid);
  return foreign && foreignChild(foreign, owner);
}

/** What to say of an object under one of our names that is not ours. */
export function foreignChild(child: Live<KubeObject>, { name }: Owner): Halt {
  const controller = controllerOf(child);
  if (controller?.kind === "LlamaDeployment" && controller.name === name) {
    return {
      reason: reasons.PredecessorLeaving,
      message: `${child.kind} ${child.metadata.name} still belongs to an earlier LlamaDeployment ${name} that is being deleted`,
      waits: true,
      unplanned: false,
    };
  }
  return {
    reason: reasons.NameConflict,
    message:
      `${child.kind} ${child.metadata.name} is there and not ours: delete or rename it, ` +
      "or name this LlamaDeployment otherwise",
    waits: false,
    unplanned: false,
  };
}
