// The table of LlamaDeployments that the demo draws: one line each, from status alone. Pure.
import type { LlamaDeployment } from "./kinds.ts";

export type ConditionStatus = "True" | "False" | "Unknown";

export interface ConditionView {
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message: string;
}

/** A condition of this generation of the object; undefined while the operator has not said. */
export function conditionOf(object: LlamaDeployment, type: string): ConditionView | undefined {
  const { status, metadata } = object;
  if (status === undefined || status.observedGeneration !== metadata.generation) return undefined;
  return status.conditions?.find((condition) => condition.type === type);
}

export function isReady(object: LlamaDeployment): boolean {
  return conditionOf(object, "Ready")?.status === "True";
}

export type Tone = "good" | "bad" | "busy";

/** The lines of the table; `paint` colours the state. Aligned, so that a line changes only with its own object. */
export function tableLines(
  objects: readonly LlamaDeployment[],
  paint: (tone: Tone, text: string) => string,
): readonly string[] {
  const rows = objects.map((object) => {
    const { name } = object.metadata;
    const { readyReplicas = 0, plan } = object.status ?? {};
    const layout =
      plan === undefined
        ? "-"
        : `${plan.gpusPerReplica} GPU${plan.gpusPerReplica === 1 ? "" : "s"}, ${plan.weights.toUpperCase()}`;
    return { name, layout, ready: `${readyReplicas}/${object.spec.replicas}`, ...stateOf(object) };
  });
  const width = (cells: readonly string[]) => Math.max(0, ...cells.map((cell) => cell.length));
  const nameWidth = width(rows.map(({ name }) => name));
  const layoutWidth = width([...rows.map(({ layout }) => layout), "16 GPUs, BF16"]);
  return rows.map(
    ({ name, layout, ready, tone, text }) =>
      `${name.padEnd(nameWidth)}   ${layout.padEnd(layoutWidth)}   ${ready.padEnd(5)}   ${paint(tone, text)}`,
  );
}

/** Told instead of "0 of 1 replicas answer", because they say why. The first that is false is what it waits for. */
const causes = ["Planned", "Scheduled", "ModelLoaded"] as const;

function stateOf(object: LlamaDeployment): { readonly tone: Tone; readonly text: string } {
  const ready = conditionOf(object, "Ready");
  if (ready === undefined) return { tone: "busy", text: "Pending" };
  if (ready.status === "True") return { tone: "good", text: "Ready" };
  const tone = conditionOf(object, "Stalled")?.status === "True" ? "bad" : "busy";
  const cause = causes
    .map((type) => conditionOf(object, type))
    .find((condition) => condition !== undefined && condition.status !== "True");
  const { reason, message } = ready.reason === "ReplicasUnavailable" && cause !== undefined ? cause : ready;
  return { tone, text: `${reason}: ${message}` };
}
