// Kubernetes events out of changes of conditions: one when a condition starts to say something else, none for a
// pass that changes nothing.
import {
  conditionTypes,
  reasons,
  type ConditionType,
  type Reason,
  type LlamaDeploymentStatus,
  type Condition,
} from "@llama-operator/llama/api";
import type { Tampering } from "../children/template-repair.ts";
import { isShort } from "../engine-report/measured.ts";

/** What is worth an event; the caller adds what it is about. */
export interface Transition {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  /** What the operator was doing: `Plan`, `Place`, `Load`, `Serve`, `Measure` or `Repair`. */
  readonly action: string;
  readonly note: string;
}

/** In the order of a replica's life: what one condition has told, the later ones do not repeat. */
const actions: readonly (readonly [ConditionType, string])[] = [
  [conditionTypes.planned, "Plan"],
  [conditionTypes.scheduled, "Place"],
  [conditionTypes.modelLoaded, "Load"],
  [conditionTypes.ready, "Serve"],
];

/** Steps on the way that conditions show and that nobody needs a record of. */
const uneventful: ReadonlySet<string> = new Set<Reason>([
  reasons.PodsScheduled,
  reasons.Loaded,
  reasons.Loading,
  reasons.ReplicasUnavailable,
]);

/** The events of a step from one status to the next. */
export function transitions(
  before: LlamaDeploymentStatus | undefined,
  after: LlamaDeploymentStatus,
): readonly Transition[] {
  const told = new Set(uneventful);
  const events: Transition[] = [];
  for (const [type, action] of actions) {
    const condition = find(after, type);
    if (condition === undefined || condition.status === "Unknown" || told.has(condition.reason)) continue;
    told.add(condition.reason);
    const previous = find(before, type);
    if (previous?.reason === condition.reason && previous.status === condition.status) continue;
    const isProgress = condition.status === "True" || condition.reason === reasons.RollingOut;
    const { reason, message } = condition;
    events.push({ type: isProgress ? "Normal" : "Warning", reason, action, note: message });
  }
  return [...events, ...shortfalls(before, after)];
}

/** The events of what others added to pods. */
export function tamperingEvents(tampering: readonly Tampering[]): readonly Transition[] {
  return tampering.map(({ workload: { kind, name }, paths, isRepaired }) => {
    const what = `${kind} ${name}: ${paths.join(", ")} ${paths.length === 1 ? "was" : "were"} added by somebody else`;
    return isRepaired
      ? {
          type: "Warning",
          reason: reasons.TemplateRepaired,
          action: "Repair",
          note: `${what} and taken out again; what pods need beyond the plan is set in the LlamaDeployment`,
        }
      : {
          type: "Warning",
          reason: reasons.TemplateChanged,
          action: "Repair",
          note: `${what} again, soon after it was taken out, and is left for now: each change restarts pods`,
        };
  });
}

/** Told when the engine's report is written, once a revision. */
function shortfalls(
  before: LlamaDeploymentStatus | undefined,
  { currentRevision, plan }: LlamaDeploymentStatus,
): readonly Transition[] {
  const isNew = before?.plan?.measured === undefined || before.currentRevision !== currentRevision;
  if (plan?.measured === undefined || !isNew || !isShort(plan.measured)) return [];
  const { kvCacheTokens, driftPercent } = plan.measured;
  return [
    {
      type: "Warning",
      reason: reasons.KvCacheSmallerThanPlanned,
      action: "Measure",
      note:
        `the engine reports a KV cache of ${kvCacheTokens} tokens, ${driftPercent} % against the ` +
        `${plan.kvCacheTokens} that were planned; llama-operator overheads lists what to plan with instead`,
    },
  ];
}

function find(status: LlamaDeploymentStatus | undefined, type: ConditionType): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}
