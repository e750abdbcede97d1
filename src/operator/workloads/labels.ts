// Labels of everything that is made for a LlamaDeployment, and the selectors that rely on them.
// Selectors are immutable in Deployments and relied on by other people's scalers: never change a key here.

/** The label that says which LlamaDeployment an object was made for; on every object and every pod. */
export const deploymentLabel = "llama-operator.dev/deployment";

/** The label that says which revision a workload or a pod belongs to. */
export const revisionLabel = "llama-operator.dev/revision";

/** The label that says what a pod does in its replica. */
const roleLabel = "llama-operator.dev/role";

/** The label of a LeaderWorkerSet that says which replica it is; 0 is the first. */
export const slotLabel = "llama-operator.dev/slot";

/** The label of a workload, and of its pods, that are placed otherwise than where their revision was planned for. */
export const placementLabel = "llama-operator.dev/placement";

/** The label that the LeaderWorkerSet controller puts on every pod of a group: the name of its LeaderWorkerSet. */
export const groupNameLabel = "leaderworkerset.sigs.k8s.io/name";

/** What a pod does: `serving` pods answer HTTP, `worker` pods are headless ranks of a group. */
export type Role = "serving" | "worker";

const managedByLabel = "app.kubernetes.io/managed-by";
const manager = "llama-operator";

/** Labels on every object made for the LlamaDeployment `name`. */
export function objectLabels(name: string): Record<string, string> {
  return {
    [managedByLabel]: manager,
    "app.kubernetes.io/name": "llama",
    "app.kubernetes.io/instance": name,
    [deploymentLabel]: name,
  };
}

/** What tells the workload of another placement, and its pods, from those at home. */
export function placementLabels({
  placement,
}: {
  readonly placement?: string | undefined;
}): Record<string, string> {
  return placement === undefined ? {} : { [placementLabel]: placement };
}

/** Labels on the pods of one revision and role. */
export function podLabels(name: string, revision: string, role: Role): Record<string, string> {
  return { ...objectLabels(name), [revisionLabel]: revision, [roleLabel]: role };
}

/** Selects every pod of the LlamaDeployment, headless ranks among them: what a disruption costs. */
export function allRanks(name: string): Record<string, string> {
  return { [deploymentLabel]: name };
}

/** Selects the pods that answer HTTP, of every revision: the Service's selector. */
export function servingPods(name: string): Record<string, string> {
  return { [deploymentLabel]: name, [roleLabel]: "serving" };
}

/** Whether a pod with these labels answers HTTP. */
export function isServing(labels: Readonly<Record<string, string>> | undefined): boolean {
  return labels?.[roleLabel] === ("serving" satisfies Role);
}

/** {@link servingPods} as `status.selector`, the form that /scale, HPA and KEDA read. */
export function servingSelector(name: string): string {
  return Object.entries(servingPods(name))
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

/** Whether an object with these labels was made by the operator for some LlamaDeployment. */
export function plannedByUs(labels: Readonly<Record<string, string>> | undefined): boolean {
  return labels?.[managedByLabel] === manager && labels[deploymentLabel] !== undefined;
}
