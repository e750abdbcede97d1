// What a condition says, and the few things that several conditions ask of a pass.
import { reasons, type ConditionType, type Reason } from "@llama-operator/llama/api";
import type { Pass } from "../../pass.ts";
import type { LiveWorkload, Replica } from "../../replicas/replica.ts";
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

/** What keeps pods from being made; of the revision of this generation first. */
export function podRefusal({
  workloads,
  revision,
  podRefusals,
}: Pass): Pick<Verdict, "reason" | "message"> | undefined {
  const isCurrent = (workload: LiveWorkload): boolean => workload.revision === revision?.data.hash;
  const refused = workloads
    .filter(({ object }) => podRefusals?.has(object.metadata.name))
    .toSorted((a, b) => Number(isCurrent(b)) - Number(isCurrent(a)))[0]?.object;
  if (refused === undefined) return undefined;
  const { kind, metadata } = refused;
  const message = `pods of ${kind} ${metadata.name} are refused: ${podRefusals?.get(metadata.name)}`;
  return { reason: reasons.PodsRefused, message };
}
