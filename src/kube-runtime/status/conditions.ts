// Conditions of a status, by the rules of metav1.Condition. One function for every kind: alerts and people read
// `lastTransitionTime` as a clock ("not Ready since"), so that it must not restart when only the message changes.
//
// Guarantees
// - `lastTransitionTime` moves when `status` changes, and at no other time.
// - The same verdicts on the same generation give the same conditions, byte for byte: a pass at rest writes nothing.
// - A type that no verdict names is gone; the order is that of the verdicts.
import { formatTime } from "../timestamps.ts";

export type ConditionStatus = "True" | "False" | "Unknown";

/** metav1.Condition. */
export interface Condition {
  readonly type: string;
  readonly status: ConditionStatus;
  /** Generation of the spec that the condition describes. */
  readonly observedGeneration?: number;
  /** RFC 3339, whole seconds: when `status` last changed. */
  readonly lastTransitionTime: string;
  /** One word for the cause, for programs. */
  readonly reason: string;
  /** The cause, for people. */
  readonly message: string;
}

/** What a pass found about one type of condition. */
export interface ConditionVerdict {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message: string;
}

/** The generation that was looked at, and when. */
export interface ConditionContext {
  readonly generation: number;
  readonly now: Date;
}

/**
 * The conditions that say what `verdicts` say, each type named once, with the clocks of `previous`.
 *
 * @param previous conditions of the live status; absent on a new object
 */
export function mergeConditions(
  previous: readonly Condition[] | undefined,
  verdicts: readonly ConditionVerdict[],
  { generation, now }: ConditionContext,
): Condition[] {
  return verdicts.map(({ type, status, reason, message }) => {
    const before = previous?.find((condition) => condition.type === type);
    return {
      type,
      status,
      reason,
      message,
      observedGeneration: generation,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : formatTime(now),
    };
  });
}
