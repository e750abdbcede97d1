// Why replicas of the current revision have no node, in words that stay the same while nothing else changes: counts of
// free GPUs come and go every second, and are read from the GpuPool.
import { reasons } from "@llama-operator/llama/api";
import type { FreeGpus } from "../../capacity/gpu-capacity.ts";
import type { Obstacle } from "../../capacity/obstacle.ts";
import type { NodeResources } from "../../observed/resources.ts";
import type { RevisionData } from "../../workloads/revision.ts";
import type { Pass } from "../pass.ts";
import type { Scope } from "../scope.ts";
import type { Placement } from "./rollout.ts";

/** The scheduler's words. */
const missingClaim = /persistentvolumeclaim "([^"]+)" not found/;

/** What replicas wait for; undefined where all are placed or being placed. */
export function waitFor(found: {
  readonly scope: Scope;
  readonly pass: Pass;
  readonly current: RevisionData;
  /** Replicas that are wanted and not made. */
  readonly withheld: number;
  /** What the pool has for it. */
  readonly free: FreeGpus;
}): Placement | undefined {
  const { scope, pass, current, withheld, free } = found;
  const waiting = pass.replicas.find(
    ({ revision, unschedulable }) => revision === current.hash && unschedulable !== undefined,
  );
  if (waiting === undefined && withheld === 0) return undefined;
  const claim = missingClaim.exec(waiting?.unschedulable ?? "")?.[1];
  if (claim !== undefined) {
    const message = `PersistentVolumeClaim ${claim} is not there`;
    return { reason: reasons.ClaimNotFound, message, forGpus: false };
  }
  if (free.refused) {
    const message =
      "LeaderWorkerSets that are made get no pods, so that no further ones are made: a quota or a webhook refuses them";
    return { reason: reasons.PlacingPods, message, forGpus: false };
  }
  const { plan } = current;
  const { behind, obstacle } = free;
  if (behind === undefined && obstacle !== undefined) {
    return { reason: reasons.Unschedulable, message: obstacleMessage(current, obstacle), forGpus: true };
  }
  const words = otherWords(waiting?.unschedulable, plan.pod.gpuResourceName);
  if (words !== undefined && scope.nodesOf(plan.pool).some((node) => node.free >= plan.pod.gpus)) {
    const message = `pool ${plan.pool} has free GPUs, and kube-scheduler places no pod: ${words}`;
    return { reason: reasons.Unschedulable, message, forGpus: false };
  }
  return { ...shortage(scope, current, free), forGpus: true };
}

const wordsFor: Record<keyof NodeResources, string> = {
  cpuMillicores: "CPU",
  memoryBytes: "memory",
  ephemeralStorageBytes: "ephemeral storage",
};

/** GPUs are free and something else keeps the pods from them. */
function obstacleMessage({ plan: { pool, pod } }: RevisionData, { taints, scarce }: Obstacle): string {
  const found = [
    ...(taints.length === 0
      ? []
      : [`nodes have taints that the pool does not tolerate: ${taints.join(", ")}`]),
    ...(scarce.length === 0
      ? []
      : [
          `nodes have too little ${scarce.map((name) => wordsFor[name]).join(", ")} left beside other pods: each ` +
            `pod requests ${requested(pod, scarce)}`,
        ]),
  ];
  return `GPUs of pool ${pool} are free, but ${found.join("; ")}`;
}

function requested(pod: NodeResources, names: readonly (keyof NodeResources)[]): string {
  return names
    .map((name) =>
      name === "cpuMillicores"
        ? `${pod.cpuMillicores / 1000} CPUs`
        : `${Math.ceil(pod[name] / 2 ** 30)} GiB of ${wordsFor[name]}`,
    )
    .join(", ");
}

/**
 * The scheduler's words for a pod that it does not place, where they do not name GPUs: each reason once, without the
 * counts of nodes, which change while nothing else does, and without what it says of preemption.
 */
function otherWords(words: string | undefined, gpuResourceName: string): string | undefined {
  if (words === undefined || words.includes(gpuResourceName)) return undefined;
  const [said = ""] = words.replace(/^\d+\/\d+ nodes are available: /, "").split(/\.? preemption: /);
  const found = said
    .replace(/\.$/, "")
    .split(", ")
    .map((each) => each.replace(/^\d+ /, ""));
  return [...new Set(found)].toSorted().join(", ").slice(0, longestWords);
}

const longestWords = 400;

/** GPUs that are free but scattered are not GPUs that are missing. */
function shortage(
  scope: Scope,
  { plan: { pool, nodesPerReplica, pod } }: RevisionData,
  { behind, scattered }: FreeGpus,
): Omit<Placement, "forGpus"> {
  const needs = `a replica needs ${counted(nodesPerReplica, "node")} with ${counted(pod.gpus, "free GPU")}`;
  if (behind !== undefined) {
    // Names of other namespaces are not everybody's to read.
    const isNeighbour = behind.startsWith(`${scope.owner.namespace}/`);
    const first = isNeighbour ? behind : "a LlamaDeployment of another namespace";
    const message = `${needs}; ${first} waits for GPUs of pool ${pool} too and comes first`;
    return { reason: reasons.WaitingForGpus, message };
  }
  if (scattered) {
    const message = `${needs}: the free GPUs of pool ${pool} are enough but scattered; move what holds parts of nodes`;
    return { reason: reasons.Fragmented, message };
  }
  const message = `${needs}; pool ${pool} has too few${growth(scope, pool)}`;
  return { reason: reasons.WaitingForGpus, message };
}

/** What an autoscaler may do about it. */
function growth(scope: Scope, poolName: string): string {
  const spec = scope.pools.find(({ metadata }) => metadata.name === poolName)?.spec;
  const most = spec?.nodes?.max ?? 0;
  if (spec === undefined || scope.nodesOf(poolName).length >= most) return "";
  return `, and may grow to ${counted(most, "node")} (capacity: ${spec.capacity ?? "onDemand"})`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
