// When a pod is started, ready and alive, and how it leaves. Loading takes minutes and is no fault; a busy engine
// is slow to answer and is no fault either; only silence that lasts is.
import type { IContainer } from "kubernetes-models/v1/Container";
import type { EngineServing, Rank } from "@llama-operator/llama/engines";
import type { Plan } from "@llama-operator/llama/planning";

/**
 * The plan's estimate rests on the bandwidth of a good day; a crowded hub or disk is easily three times slower.
 */
const startupFactor = 3;
/** A small model's start is imports, compilation and graph capture, which no bandwidth describes: ten minutes. */
const leastStartupSeconds = 600;
/** A leader's clock runs while the other nodes still pull an image of 10 GB. */
const otherNodesPullSeconds = 600;

const startupPeriodSeconds = 10;

/** Seconds that a rank may take from the start of its container to a 200 before it is started anew. */
export function startupBudgetSeconds(plan: Pick<Plan, "startupSeconds" | "nodesPerReplica">): number {
  const loading = Math.max(plan.startupSeconds * startupFactor, leastStartupSeconds);
  const pulling = plan.nodesPerReplica > 1 ? otherNodesPullSeconds : 0;
  return Math.ceil((loading + pulling) / startupPeriodSeconds) * startupPeriodSeconds;
}

/**
 * Probes of a rank. Headless ranks serve no HTTP and have none: when one dies its container ends, and the group is
 * made anew; when one hangs, the leader's /health is what shows it.
 */
export function probesOf(
  rank: Rank,
  serving: EngineServing,
  budgetSeconds: number,
): Pick<IContainer, "startupProbe" | "readinessProbe" | "livenessProbe"> {
  if (rank.role === "worker") return {};
  const httpGet = { path: serving.healthPath, port: "http" };
  return {
    startupProbe: {
      httpGet,
      periodSeconds: startupPeriodSeconds,
      timeoutSeconds: 5,
      failureThreshold: budgetSeconds / startupPeriodSeconds,
    },
    readinessProbe: { httpGet, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 },
    // Two minutes of silence. An engine that died ends its process by itself, long before.
    livenessProbe: { httpGet, periodSeconds: 15, timeoutSeconds: 10, failureThreshold: 8 },
  };
}

/** What the kubelet and the engine need to end after their own deadlines. */
const marginSeconds = 15;
/** How much longer a worker waits than the leader needs to drain. */
const workerMarginSeconds = 5;

/** How long the serving rank takes to leave: endpoints forget it, then requests in flight end. */
function drainSeconds(serving: EngineServing): number {
  return serving.preStopSeconds + serving.shutdownTimeoutSeconds;
}

/** The same for every rank, so that no kubelet kills one while another still drains. */
export function terminationGracePeriodSeconds(serving: EngineServing): number {
  return drainSeconds(serving) + marginSeconds;
}

/**
 * The wait before SIGTERM. Headless ranks of vLLM 0.32 end at once on SIGTERM, whatever `--shutdown-timeout` says,
 * and requests in flight with them; so they wait until the leader has drained.
 */
export function preStopSeconds(rank: Rank, serving: EngineServing): number {
  return rank.role === "worker" ? drainSeconds(serving) + workerMarginSeconds : serving.preStopSeconds;
}
