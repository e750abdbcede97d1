// The public names of @llama-operator/llama/api. Other parts can import these and nothing else.
export { canonicalJson } from "./canonical-json.ts";
export { type ConditionType, type Reason, conditionTypes, reasons } from "./conditions.ts";
export { type CustomResourceDefinition, customResourceDefinitions } from "./crd.ts";
export { type GpuPoolSpec, type GpuPoolStatus, type Toleration, gpuPoolSpec } from "./gpu-pool.ts";
export { matchesLabels } from "./labels.ts";
export {
  type LlamaDeploymentSpec,
  type LlamaDeploymentStatus,
  type MeasuredStatus,
  type PlanStatus,
  deploymentName,
  deploymentNameRule,
  llamaDeploymentSpec,
} from "./llama-deployment.ts";
export { type MeasuredOverhead, type ParsedOverheads, parseMeasuredOverheads } from "./measured-overheads.ts";
export { type ModelProfile, model, modelProfile } from "./model.ts";
export {
  type GpuPool,
  type LlamaDeployment,
  type ParsedManifest,
  apiGroup,
  apiGroupVersion,
  gpuPools,
  llamaDeployments,
  parseGpuPool,
  parseLlamaDeployment,
} from "./resources.ts";
export { type Condition, int32, labels, objectName, quantity, text } from "./schema.ts";
export { type StructuralSchema, structuralSchema } from "./structural-schema.ts";
export { withoutDefaults } from "./without-defaults.ts";
export { type ManifestProblem, apiServerMessage, manifestProblems } from "./validation-messages.ts";
