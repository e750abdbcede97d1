// What a condition says, and the few things that several conditions ask of a pass.
import type { ConditionType, Reason } from "@llama-operator/llama/api";
import type { Pass } from "../../pass.ts";
import type { Replica } from "../../replicas/replica.ts";
import type { Scope } from "../../scope.ts";

export interface Verdict {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: Reason;
  readonly message: string;
}

/** One condition: absent where it has nothing to say. */
export interface ConditionRule {
  readonly type: ConditionType;
  readonly judge: (scope: Scope, pass: Pass) => Verdict | undefined;
}

/** Replicas of the revision that this generation resolves to. */
export function currentReplicas({ replicas, revision }: Pass): readonly Replica[] {
  return replicas.filter((replica) => replica.revision === revision?.data.hash);
}
