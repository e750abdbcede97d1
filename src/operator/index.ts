// The public names of @llama-operator/operator. Other parts can import these and nothing else.
export { planStatusOf } from "./llama-deployment/plan/plan-status.ts";
export { type FlagMeta, type OperatorConfig, operatorConfig } from "./config.ts";
export { type OperatorDependencies, startOperator } from "./start.ts";
