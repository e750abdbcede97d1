// Status out of what was found: computed last, from the scope alone, so that the same world gives the same
// status and a pass at rest writes nothing.
import {
  conditionTypes,
  reasons,
  type ConditionType,
  type Reason,
  type LlamaDeploymentStatus,
  type PlanStatus,
  type Condition,
} from "@llama-operator/llama/api";
import type { Replica } from "./replicas.ts";
import type { RolloutDecision } from "./rollout.ts";

/** Why a pass went no further. */
export interface Halt {
  readonly reason: Reason;
  readonly message: string;
  /** True where the world may change by itself; false where a person must act. */
  readonly waits: boolean;
  /** True where the planner itself said no. */
  readonly unplanned: boolean;
}

/** What a pass found; everything that status says comes from here. */
export interface Findings {
  readonly generation: number;
  readonly wanted: number;
  readonly halt?: Halt;
  /** One line on the plan in force. */
  readonly planSummary?: string;
  readonly plan?: PlanStatus;
  readonly currentRevision?: string;
  /** Replicas of every revision; those leaving are not among them. */
  readonly replicas: readonly Replica[];
  /** Pods of any revision that are still terminating. */
  readonly leaving: number;
  readonly rollout?: RolloutDecision;
  /** What the withheld or pending replicas wait for. */
  readonly placement?: { readonly reason: Reason; readonly message: string };
  /** Seconds from a started container to an answering engine, as planned. */
  readonly startupSeconds?: number;
  readonly selector: string;
  readonly endpoint: string;
}

interface Verdict {
  readonly status: Condition["status"];
  readonly reason: Reason;
  readonly message: string;
}

/** The new status; conditions keep their `lastTransitionTime` while they say the same. */
export function statusOf(
  findings: Findings,
  previous: LlamaDeploymentStatus | undefined,
  now: Date,
): LlamaDeploymentStatus {
  const ready = findings.replicas.filter((replica) => replica.ready).length;
  const verdicts: [ConditionType, Verdict | undefined][] = [
    [conditionTypes.ready, readiness(findings)],
    [conditionTypes.available, availability(findings, ready)],
    [conditionTypes.reconciling, progress(findings)],
    [conditionTypes.stalled, stall(findings)],
    [conditionTypes.planned, planned(findings)],
    [conditionTypes.scheduled, scheduled(findings)],
    [conditionTypes.modelLoaded, loaded(findings)],
  ];
  const plan = findings.plan ?? previous?.plan;
  // The Service is made with the first plan, and stays.
  const endpoint = findings.plan === undefined ? previous?.endpoint : findings.endpoint;
  const currentRevision = findings.currentRevision ?? previous?.currentRevision;
  return {
    observedGeneration: findings.generation,
    conditions: verdicts.flatMap(([type, verdict]) =>
      verdict === undefined ? [] : [transition(type, verdict, findings.generation, previous, now)],
    ),
    replicas: findings.replicas.length,
    readyReplicas: ready,
    selector: findings.selector,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(currentRevision === undefined ? {} : { currentRevision }),
    ...(plan === undefined ? {} : { plan }),
  };
}

function transition(
  type: ConditionType,
  verdict: Verdict,
  observedGeneration: number,
  previous: LlamaDeploymentStatus | undefined,
  now: Date,
): Condition {
  const before = previous?.conditions?.find((condition) => condition.type === type);
  const same =
    before?.status === verdict.status &&
    before.reason === verdict.reason &&
    before.message === verdict.message;
  return {
    type,
    ...verdict,
    observedGeneration,
    lastTransitionTime: same ? before.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, "Z"),
  };
}

function current(findings: Findings): readonly Replica[] {
  return findings.replicas.filter((replica) => replica.revision === findings.currentRevision);
}

/** The first thing that keeps this generation from answering in full; undefined where nothing does. */
function obstacle(findings: Findings): { readonly reason: Reason; readonly message: string } | undefined {
  const { halt, placement, wanted, replicas } = findings;
  if (halt !== undefined) return halt;
  if (wanted === 0) {
    const left = replicas.length + findings.leaving;
    return left === 0
      ? undefined
      : { reason: reasons.RollingOut, message: "scaling to zero; pods are leaving" };
  }
  const mine = current(findings);
  const answering = mine.filter((replica) => replica.ready).length;
  const older = replicas.length - mine.length;
  if (answering >= wanted && mine.length === wanted && older === 0) return undefined;
  const failure = mine.find((replica) => replica.failure !== undefined)?.failure;
  if (failure !== undefined) return failure;
  if (placement !== undefined) return placement;
  if (older > 0) {
    const because = findings.rollout?.because ?? "a new revision replaces an older one";
    return {
      reason: reasons.RollingOut,
      message: `${answering} of ${wanted} new replicas answer: ${because}`,
    };
  }
  if (mine.length > wanted) return { reason: reasons.RollingOut, message: `scaling down to ${wanted}` };
  return { reason: reasons.ReplicasUnavailable, message: `${answering} of ${wanted} replicas answer` };
}

function readiness(findings: Findings): Verdict {
  const problem = obstacle(findings);
  if (problem !== undefined) return { status: "False", reason: problem.reason, message: problem.message };
  return findings.wanted === 0
    ? { status: "True", reason: reasons.ScaledToZero, message: "no replica is wanted" }
    : {
        status: "True",
        reason: reasons.Serving,
        message: `${findings.wanted} of ${findings.wanted} replicas answer`,
      };
}

function availability(findings: Findings, ready: number): Verdict {
  if (ready > 0)
    return {
      status: "True",
      reason: reasons.Serving,
      message: `${ready} ${ready === 1 ? "replica answers" : "replicas answer"}`,
    };
  return findings.wanted === 0
    ? { status: "False", reason: reasons.ScaledToZero, message: "no replica is wanted" }
    : { status: "False", reason: reasons.NoReplicaReady, message: "no replica answers" };
}

function progress(findings: Findings): Verdict | undefined {
  if (findings.halt !== undefined && !findings.halt.waits) return undefined;
  const problem = obstacle(findings);
  return problem && { status: "True", reason: problem.reason, message: problem.message };
}

function stall({ halt }: Findings): Verdict | undefined {
  return halt === undefined || halt.waits
    ? undefined
    : { status: "True", reason: halt.reason, message: halt.message };
}

function planned({ halt, planSummary }: Findings): Verdict {
  if (halt?.unplanned === true) return { status: "False", reason: halt.reason, message: halt.message };
  return planSummary === undefined
    ? { status: "Unknown", reason: halt?.reason ?? reasons.InvalidSpec, message: "not planned yet" }
    : { status: "True", reason: reasons.Fits, message: planSummary };
}

function scheduled(findings: Findings): Verdict | undefined {
  const { placement, wanted, halt } = findings;
  if (halt !== undefined || wanted === 0) return undefined;
  if (placement !== undefined) return { status: "False", ...placement };
  const mine = current(findings);
  if (mine.length < wanted || mine.some((replica) => !replica.placed)) {
    return { status: "Unknown", reason: reasons.PlacingPods, message: "pods are being placed" };
  }
  return { status: "True", reason: reasons.PodsScheduled, message: "every pod has a node" };
}

function loaded(findings: Findings): Verdict | undefined {
  const { halt, wanted, startupSeconds } = findings;
  const mine = current(findings);
  if (halt !== undefined || wanted === 0 || mine.length === 0) return undefined;
  const pending = mine.filter((replica) => !replica.ready);
  if (pending.length === 0)
    return { status: "True", reason: reasons.Loaded, message: "the weights are in GPU memory" };
  const failure = pending.find((replica) => replica.failure !== undefined)?.failure;
  if (failure !== undefined) return { status: "False", ...failure };
  const startedAt =
    pending
      .map((replica) => replica.startedAt ?? "")
      .toSorted()
      .at(-1) ?? "";
  if (startedAt === "" || startupSeconds === undefined) {
    return { status: "False", reason: reasons.Loading, message: "no engine has started yet" };
  }
  const expected = new Date(Date.parse(startedAt) + startupSeconds * 1000)
    .toISOString()
    .replace(/\.\d+Z$/, "Z");
  return {
    status: "False",
    reason: reasons.Loading,
    message: `weights are loading; expected to answer by ${expected}`,
  };
}
