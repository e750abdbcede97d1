// The public names of @llama-operator/operator/workloads. Other parts can import these and nothing else.
export { RevisionUnreadable, controllerRevision, readRevision } from "./controller-revision.ts";
export { deploymentLabel } from "./labels.ts";
export { controllerRevisionName } from "./names.ts";
export { type RevisionData, renderRevision } from "./revision.ts";
