// Kubernetes events out of changes of conditions: one when a condition starts to say something else, none for a
// pass that changes nothing.
import { conditionTypes } from "../../api/conditions.ts";
import type { LlamaDeploymentStatus } from "../../api/llama-deployment.ts";
import type { Condition } from "../../api/schema.ts";

/** What is worth an event; the caller adds what it is about. */
export interface Transition {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  /** What the operator was doing: `Plan`, `Place`, `Serve`. */
  readonly action: string;
  readonly note: string;
}

const actions: Readonly<Record<string, string>> = {
  [conditionTypes.planned]: "Plan",
  [conditionTypes.scheduled]: "Place",
  [conditionTypes.modelLoaded]: "Load",
  [conditionTypes.ready]: "Serve",
};

/**
 * The events of a step from one status to the next. Ready, Stalled and Reconciling repeat what another condition
 * says first, so a reason is told once, by the first condition that has it.
 */
export function transitions(
  before: LlamaDeploymentStatus | undefined,
  after: LlamaDeploymentStatus,
): readonly Transition[] {
  const told = new Set<string>();
  const events: Transition[] = [];
  for (const type of Object.keys(actions)) {
    const condition = find(after, type);
    if (condition === undefined || condition.status === "Unknown" || told.has(condition.reason)) continue;
    told.add(condition.reason);
    const previous = find(before, type);
    if (previous?.reason === condition.reason && previous.status === condition.status) continue;
    const { reason, message } = condition;
    events.push({
      type: isGood(condition) ? "Normal" : "Warning",
      reason,
      action: actions[type] ?? type,
      note: message,
    });
  }
  return events;
}

function find(status: LlamaDeploymentStatus | undefined, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

const expectedWaits: ReadonlySet<string> = new Set(["Loading", "RollingOut", "ReplicasUnavailable"]);

function isGood({ status, reason }: Condition): boolean {
  return status === "True" || expectedWaits.has(reason);
}
