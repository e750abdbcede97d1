// Replicas out of pods: a replica is one pod, or all ranks of one group.
import type { KubeObject, Live } from "@llama-operator/kube-runtime/client";
import { reasons, type Reason } from "@llama-operator/llama/api";
import type { Scope } from "../scope.ts";
import { isActive, type Pod } from "../../observed/pod.ts";

/** Why a replica does not answer, beyond still loading. */
export interface ReplicaFailure {
  readonly reason: Reason;
  readonly message: string;
}

export interface Replica {
  /** Its name within the object: that of its pod, or `slot-<number>` for a group. */
  readonly id: string;
  readonly revision: string;
  /** Which one it is, of a revision whose replicas are groups. */
  readonly slot?: number | undefined;
  readonly pods: readonly Pod[];
  /** Every pod exists and has a node. */
  readonly placed: boolean;
  /** Every pod is Ready: the serving rank answers, and no other rank is missing. */
  readonly ready: boolean;
  /** Ranks are missing, and none is on its way out: nobody makes them. */
  readonly lacksPods?: true;
  /** The scheduler's words for one pod that has no node. */
  readonly unschedulable?: string;
  readonly failure?: ReplicaFailure;
  /** RFC 3339; when the last of its engines was started. */
  readonly startedAt?: string;
}

/** A workload of a revision that can be read: the Deployment of a revision, or the LeaderWorkerSet of one replica. */
export interface LiveWorkload {
  readonly object: Live<KubeObject>;
  readonly revision: string;
  /** Where its pods are placed, if not where their revision was planned for. */
  readonly placement?: string | undefined;
  /** Replicas that it asks for. */
  readonly desired: number;
  /** Of a LeaderWorkerSet: which replica it is. */
  readonly slot?: number | undefined;
  /** Those that exist and are not on their way out. */
  readonly replicas: readonly Replica[];
  /** Replicas that answer by what its own controller says and of which the cache does not show it yet. */
  readonly unseen: number;
}

/**
 * A replica of `podCount` pods; those that are on their way out or have ended do not count. With a slot it is a group.
 */
export function replicaOf(
  revision: string,
  podCount: number,
  allPods: readonly Pod[],
  slot?: number,
): Replica {
  const pods = allPods.filter(isActive);
  const complete = pods.length >= podCount;
  const unschedulable = pods.find((pod) => pod.unschedulable !== undefined)?.unschedulable;
  const failure = firstDefined(pods, failureOf);
  const startedAt = pods
    .map((pod) => pod.engine.startedAt ?? "")
    .toSorted()
    .at(-1);
  return {
    id: slot === undefined ? (allPods[0]?.metadata.name ?? "") : `slot-${slot}`,
    revision,
    slot,
    pods,
    placed: complete && pods.every((pod) => pod.nodeName !== undefined),
    ready: complete && pods.every((pod) => pod.ready),
    ...(allPods.length < podCount ? { lacksPods: true } : {}),
    ...(unschedulable === undefined ? {} : { unschedulable }),
    ...(failure === undefined ? {} : { failure }),
    ...(startedAt === undefined || startedAt === "" ? {} : { startedAt }),
  };
}

/** A group whose leader the Service does not select: it answers nobody, and its controller leaves it so. */
export function outOfService(group: Replica, { metadata: { name } }: Pod): Replica {
  const message =
    `pod ${name} leads a group and was taken out of the Service by its labels: put them back, ` +
    "or delete the pod, and its group is made anew";
  return { ...group, ready: false, failure: { reason: reasons.OutOfService, message } };
}

/**
 * A replica that does not answer while one of these pods is on a node that is not Ready: the node is why, whatever else is.
 * How to let its pods go: https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#non-graceful-node-shutdown
 */
export function onLostNode(
  replica: Replica,
  pods: readonly Pod[],
  { nodeNamed }: Pick<Scope, "nodeNamed">,
): Replica {
  if (replica.ready) return replica;
  const lost = firstDefined(pods, ({ nodeName }) => {
    const node = nodeName === undefined ? undefined : nodeNamed(nodeName);
    return node?.notReady && { name: node.metadata.name, ...node.notReady };
  });
  if (lost === undefined) return replica;
  const { name, since, reason } = lost;
  const message =
    `node ${name} is not Ready since ${since} (${reason}), and its pods end only with it: bring it back, or, if it is ` +
    "off for good, delete the Node or taint it node.kubernetes.io/out-of-service=nodeshutdown:NoExecute";
  return { ...replica, failure: { reason: reasons.NodeLost, message } };
}

function firstDefined<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function failureOf(pod: Pod): ReplicaFailure | undefined {
  if (pod.ready) return undefined;
  const { waiting, lastExit } = pod.engine;
  if (waiting?.reason === "CreateContainerConfigError") {
    const reason = waiting.message.includes("secret") ? reasons.SecretNotFound : reasons.EngineFailed;
    return { reason, message: `the engine's container waits: ${oneLine(waiting.message)}` };
  }
  if (waiting?.reason === "ErrImagePull" || waiting?.reason === "ImagePullBackOff") {
    return {
      reason: reasons.ImageNotPulled,
      message: `the engine's image is not pulled: ${oneLine(waiting.message)}`,
    };
  }
  if (lastExit !== undefined && lastExit.exitCode !== 0) {
    return {
      reason: reasons.EngineFailed,
      message: `the engine ended with exit code ${lastExit.exitCode} (${lastExit.reason}): ${lastWords(lastExit.message)}`,
    };
  }
  return undefined;
}

const longestQuote = 600;

/** The last line that says something: engines print a trace first and the reason last. */
function lastWords(log: string): string {
  const lines = log.split("\n").filter((line) => line.trim() !== "");
  return lines.length === 0 ? "it said nothing" : oneLine(lines.at(-1) ?? "");
}

/** One bounded line, with anything that looks like a Hugging Face token taken out. */
function oneLine(text: string): string {
  return text
    .replaceAll(/\s+/g, " ")
    .replaceAll(/hf_[A-Za-z0-9]{8,}/g, "hf_…")
    .trim()
    .slice(0, longestQuote);
}

/** The pods of replicas, named by revision and id. */
export function podsOf(
  replicas: readonly Replica[],
  wanted: readonly Pick<Replica, "id" | "revision">[],
): readonly Pod[] {
  return wanted.flatMap(
    ({ id, revision }) => replicas.find((each) => each.id === id && each.revision === revision)?.pods ?? [],
  );
}
