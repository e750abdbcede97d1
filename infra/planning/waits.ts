// What `up` waits for, and for how long, model by model.
import type { Plan } from "@llama-operator/llama/planning";
import type { ModelConfiguration } from "../config/model.ts";
import type { PoolConfiguration } from "../config/pool.ts";

export type Wait = NonNullable<ModelConfiguration["wait"]>;

/** Capacity that begins when the cloud grants it. */
const awaited: readonly PoolConfiguration["capacity"]["kind"][] = ["queued", "capacityBlock"];

/**
 * What to wait for where the model does not say: an answer, unless its pool may stay without a node for long, or its
 * weights are on a volume that this very `up` may make, empty.
 */
export function defaultWait({ capacity, nodes }: PoolConfiguration, emptyVolume: boolean): Wait {
  return emptyVolume || awaited.includes(capacity.kind) || nodes.min === 0 ? "planned" : "ready";
}

/** The plan's estimate rests on the bandwidth of a good day; the operator's own start-up probes allow three times. */
const startupFactor = 3;
/** As those probes: imports, compilation and graph capture of a small model, which no bandwidth describes. */
const leastStartupSeconds = 600;
/** Pulling an engine's image of 10 GB on a new node. */
const imagePullSeconds = 600;
/** What a pool that is short of stock tries for (facts of GKE's node pools: 40 minutes and more). */
const newNodeSeconds = 2400;
/** The operator plans at once; the rest is a busy API server. */
const plannedSeconds = 120;

/** Seconds that Pulumi allows until what is waited for holds. */
export function waitSeconds(wait: Wait, plan: Plan, { nodes }: PoolConfiguration, replicas: number): number {
  if (wait === "planned") return plannedSeconds;
  const start = Math.max(plan.startupSeconds * startupFactor, leastStartupSeconds) + imagePullSeconds;
  const grows = nodes.max > nodes.min ? newNodeSeconds : 0;
  // A change is rolled out replica by replica.
  return start * Math.max(replicas, 1) + grows;
}
