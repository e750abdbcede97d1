// The public names of @llama-operator/operator/observed. Other parts can import these and nothing else.
export { controllerRevisions, llamaDeployments, nodes, pods } from "./kinds.ts";
export { projectNode } from "./node.ts";
export { projectPod } from "./pod.ts";
