// How one pod of a Deployment is made the next to go: the ReplicaSet controller removes pods of lower cost first, among
// those that are equally placed and ready (https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost).

/** Read by the ReplicaSet controller when it removes pods; on the pod alone, never in a template. */
export const deletionCostAnnotation = "controller.kubernetes.io/pod-deletion-cost";

/** The cost of a victim; pods without a cost have 0. */
export const victimCost = -1000;

/** Whether a pod of this cost was chosen to go. */
export function isMarkedVictim(deletionCost: number | undefined): boolean {
  return deletionCost === victimCost;
}
