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

function foreignNames(scope: Scope): Unmet | undefined {
  const { children, owner, object } = scope;
  const named = [children.service, children.podDisruptionBudget];
  if (object.spec.podTemplate.serviceAccountName === undefined) named.push(children.serviceAccount);
  const holders = named.filter(
    (child): child is Live<KubeObject> => child !== undefined && controllerOf(child)?.uid !== owner.uid,
  );
  const hasWorkloads = children.deployments.length + children.leaderWorkerSets.length > 0;
  // Beside a model that runs, leftovers that hold no name are told, and keep nothing from going on.
  return foreignChildren(hasWorkloads ? holders : [...holders, ...children.orphans], owner);
}

/** What to say of objects that stand in our way and are not ours; undefined where there are none. */
export function foreignChildren(children: readonly Live<KubeObject>[], { name }: Owner): Unmet | undefined {
  const isLeaving = (child: Live<KubeObject>): boolean => {
    const controller = controllerOf(child);
    return controller?.kind === "LlamaDeployment" && controller.name === name;
  };
  const staying = children.filter((child) => !isLeaving(child));
  // What stays needs a person, whatever else is on its way out.
  if (staying.length > 0) return { kind: "stalled", reason: reasons.NameConflict, message: notOurs(staying) };
  const [leaving] = children;
  if (leaving === undefined) return undefined;
  return {
    kind: "blocked",
    reason: reasons.PredecessorLeaving,
    message: `${leaving.kind} ${leaving.metadata.name} still belongs to an earlier LlamaDeployment ${name} that is being deleted`,
  };
}

/** Objects that are named before the rest is counted. */
const mostNamed = 20;

/** Names all objects at once, so that a person need not come back for each. */
export function notOurs(objects: readonly Live<KubeObject>[]): string {
  const named = objects.slice(0, mostNamed).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  const rest = objects.length - named.length;
  const [are, them] = objects.length === 1 ? ["is", "it"] : ["are", "them"];
  return (
    `${named.join(", ")}${rest === 0 ? "" : ` and ${rest} more`} ${are} there and not ours: delete or rename ${them}, ` +
    "or name this LlamaDeployment otherwise"
  );
}
