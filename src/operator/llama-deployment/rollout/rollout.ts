// What the rollout step leaves in the pass for the steps after it and for status.
import type { Reason } from "@llama-operator/llama/api";
import type { RevisionWorkload } from "../../workloads/desired.ts";
import type { RolloutPlan } from "./planner.ts";

/** What replicas without a node wait for. */
export interface Placement {
  readonly reason: Reason;
  readonly message: string;
  /** They wait for GPUs, and not for something else that pods need. */
  readonly forGpus: boolean;
}

export interface Rollout {
  readonly plan: RolloutPlan;
  /** The workloads that should exist, of every revision that still has replicas. */
  readonly workloads: readonly RevisionWorkload[];
  /** What replicas that are not placed wait for. */
  readonly placement?: Placement | undefined;
  /** Set while they wait for GPUs. */
  readonly waiting?: { readonly sinceMs: number; readonly replicas: number } | undefined;
}
