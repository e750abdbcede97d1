// What a person's own Pulumi program gets from the package @llama-operator/infra. Each cloud is an entry of its own,
// because each brings the SDK of its cloud: `@llama-operator/infra/gke`.
export { LeaderWorkerSetAddOn } from "./components/leader-worker-set.ts";
export type { LeaderWorkerSetArgs } from "./components/leader-worker-set.ts";
export { GpuPoolResource } from "./components/gpu-pool.ts";
export type { GpuPoolArgs } from "./components/gpu-pool.ts";
export { LlamaModel } from "./components/llama-model.ts";
export type { LlamaDeploymentArgs, LlamaModelArgs } from "./components/llama-model.ts";
export { LlamaOperator } from "./components/llama-operator.ts";
export type { LlamaOperatorArgs } from "./components/llama-operator.ts";
export type { ComponentOptions, Registration, Transform } from "./components/transform.ts";

export { parseConfiguration } from "./config/configuration.ts";
export type { ParsedConfiguration } from "./config/configuration.ts";
export type { StackConfiguration } from "./config/stack-configuration.ts";
export type { ModelConfiguration } from "./config/model.ts";
export type { OperatorConfiguration } from "./config/operator.ts";
export type { PoolConfiguration } from "./config/pool.ts";
export { ConfigurationError } from "./config/problem.ts";
export type { ConfigurationProblem } from "./config/problem.ts";
export { readStackFile } from "./config/stack-file.ts";

export { describeRefusals, planStack } from "./planning/plan-stack.ts";
export type { RefusedModel } from "./planning/placed-model.ts";
export type { PlannedModel, PoolUse, StackPlan } from "./planning/plan-stack.ts";
export { serve } from "./serving/serving.ts";
export type { ModelOutput, ServingOutputs, ServingPlan } from "./serving/serving.ts";

export { guardPools } from "./guards/guard-pools.ts";
export type { GuardOptions, GuardedPool, PoolGuard } from "./guards/guard-pools.ts";
export type { ServedModel } from "./guards/pools-in-use.ts";
export type { PoolArguments, PoolRecord, PoolRecords } from "./guards/pool-record.ts";
export type { ReplacingField } from "./guards/replacing-field.ts";
export type { Rollout } from "./guards/replacements.ts";
