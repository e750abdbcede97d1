// The public names of @llama-operator/kube-runtime/status. Other parts can import these and nothing else.
export {
  type Condition,
  type ConditionContext,
  type ConditionStatus,
  type ConditionVerdict,
  mergeConditions,
} from "./conditions.ts";
