// What a pass does, in order. A new concern is a file and a line here.
import type { Applier } from "@llama-operator/kube-runtime/apply";
import type { KubeClient } from "@llama-operator/kube-runtime/client";
import type { MeasuredOverhead } from "@llama-operator/llama/api";
import type { GpuCapacity } from "../capacity/gpu-capacity.ts";
import type { DesiredObjects } from "./children/desired-objects.ts";
import { childrenStep } from "./children/step.ts";
import { measuredStep, type Reports } from "./engine-report/step.ts";
import type { Step } from "./pass.ts";
import { planStep } from "./plan/step.ts";
import { prerequisitesStep } from "./prerequisites/step.ts";
import { refusedPodsStep } from "./replicas/refused-pods.ts";
import { revisionStep } from "./revision/step.ts";
import { markStep, RefusedMarks } from "./rollout/mark-step.ts";
import { rolloutStep } from "./rollout/step.ts";

export function stepsOf(tools: {
  readonly applier: Applier;
  readonly client: Pick<KubeClient, "list">;
  readonly capacity: GpuCapacity;
  readonly desired: DesiredObjects;
  readonly reports: Reports;
  readonly measuredOverheads: readonly MeasuredOverhead[];
}): readonly Step[] {
  const refusedMarks = new RefusedMarks();
  return [
    // The new generation: what these refuse, no pod ever sees.
    planStep(tools.measuredOverheads),
    prerequisitesStep,
    // What runs: looked after in every pass.
    revisionStep,
    rolloutStep(tools.capacity, refusedMarks),
    markStep(tools.applier, refusedMarks),
    childrenStep(tools.applier, tools.desired),
    // What status tells of what runs.
    refusedPodsStep(tools.client),
    measuredStep(tools.reports),
  ];
}
