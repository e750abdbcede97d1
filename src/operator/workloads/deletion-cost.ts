// How one pod of a Deployment is made the next to go: the ReplicaSet controller removes pods of lower cost first, among
// those that are equally placed and ready (https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost).
// An annotation of our own beside the cost says that it is ours to take back: people set costs too.

/** Read by the ReplicaSet controller when it removes pods; on the pod alone, never in a template. */
export const deletionCostAnnotation = "controller.kubernetes.io/pod-deletion-cost";

/** The operator's mark of a pod that is to go. */
export const victimAnnotation = "llama-operator.dev/victim";

/** The cost of a victim; pods without a cost have 0. */
export const victimCost = -1000;

/** Annotations of a pod that was chosen to go. */
export const victimMark: Readonly<Record<string, string>> = {
  [deletionCostAnnotation]: String(victimCost),
  [victimAnnotation]: "true",
};

/** The same as a merge patch that takes them away. */
export const noMark: Readonly<Record<string, null>> = {
  [deletionCostAnnotation]: null,
  [victimAnnotation]: null,
};
