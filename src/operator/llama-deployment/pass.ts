// A pass over one LlamaDeployment is a list of steps. Each reads the scope, does one thing, and leaves what it found in
// the pass under its own name; status is written from both at the end.
//
// Guarantees
// - A block ends only the decision about the new generation: steps of kind "generation" after it are skipped, steps of
//   kind "workloads" always run, on the revision in force.
// - The first block is the one that status tells.
// - The earliest requeue wins.
import type { ApplyContext } from "@llama-operator/kube-runtime/apply";
import type { MeasuredStatus, Reason } from "@llama-operator/llama/api";
import type { Difference, Plan } from "@llama-operator/llama/planning";
import type { Tampering } from "./children/template-repair.ts";
import type { LiveWorkload, Replica } from "./replicas/replica.ts";
import type { MadeFor } from "./revision/made-for.ts";
import type { ChosenRevision } from "./revision/stored.ts";
import type { Rollout } from "./rollout/rollout.ts";
import type { Scope } from "./scope.ts";

/** Why the generation goes no further. */
export interface Block {
  readonly reason: Reason;
  readonly message: string;
  /** True where the world may change by itself; false where a person must act. */
  readonly recovers: boolean;
}

export type StepResult =
  | { readonly kind: "continue"; readonly requeueAfterSeconds?: number | undefined }
  | {
      readonly kind: "blocked";
      readonly reason: Reason;
      readonly message: string;
      readonly requeueAfterSeconds?: number | undefined;
    }
  | { readonly kind: "stalled"; readonly reason: Reason; readonly message: string };

export const goOn: StepResult = { kind: "continue" };

/** What the steps of one pass have found so far; each member is written by the step of its name. */
export interface Pass {
  readonly context: ApplyContext;
  /** The scope's, and those of the chosen revision where that is not stored yet, or not any more. */
  workloads: readonly LiveWorkload[];
  /** Of all workloads; those on their way out are not among them. */
  replicas: readonly Replica[];
  block?: Block;
  /** The plan of this generation. */
  plan?: Plan;
  /** What to keep beside the revision about the plan of this generation. */
  madeFor?: MadeFor;
  /** Settings of the plan that the spec does not name and that it would not be planned to. */
  differences?: readonly Difference[];
  /** What runs, or is to: the revision of this generation, or, where that is blocked, the one in force. */
  revision?: ChosenRevision;
  rollout?: Rollout;
  /** Why pods of workloads are not made, in the API server's words, by the workload's name. */
  podRefusals?: ReadonlyMap<string, string>;
  /** What others added to the pods of workloads. */
  tampering?: readonly Tampering[];
  /** What an engine of the revision said of itself. */
  measured?: MeasuredStatus;
}

export interface Step {
  /** `generation`: decides about the new generation. `workloads`: looks after what runs, and always runs itself. */
  readonly about: "generation" | "workloads";
  run(scope: Scope, pass: Pass): StepResult | Promise<StepResult>;
}

/** Runs the steps in order. @returns seconds after which the earliest of them wants another pass */
export async function runSteps(
  steps: readonly Step[],
  scope: Scope,
  pass: Pass,
): Promise<number | undefined> {
  let requeueAfterSeconds: number | undefined;
  for (const step of steps) {
    if (step.about === "generation" && pass.block !== undefined) continue;
    const result = await step.run(scope, pass);
    if (result.kind !== "continue") {
      const { reason, message } = result;
      pass.block ??= { reason, message, recovers: result.kind === "blocked" };
    }
    const wants = result.kind === "stalled" ? undefined : result.requeueAfterSeconds;
    if (wants !== undefined) requeueAfterSeconds = Math.min(wants, requeueAfterSeconds ?? wants);
  }
  return requeueAfterSeconds;
}
