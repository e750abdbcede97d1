// How a pass uses GpuCapacity: release, free, assume, enqueue or dequeue, in this order and without waiting between.
import type { LlamaDeployment } from "@llama-operator/llama/api";
import { parseObjectKey, type KubeObject, type Live } from "@llama-operator/kube-runtime/client";
import { byDeployment } from "../../observed/caches.ts";
import type { GpuCapacity } from "../gpu-capacity.ts";
import { waitingSince } from "../queue.ts";
import type { CapacitySources } from "../sources.ts";
import { storedRequest } from "../stored-request.ts";
import { requestOf, type Model } from "./objects.ts";

/** What a pass is about to write. */
export interface Decision {
  readonly model: Model;
  /** Replicas of the Deployment, where replicas are single pods. */
  readonly deployment?: number;
  /** Slots of groups to create, and names of groups to remove. */
  readonly create: readonly number[];
  readonly remove: readonly string[];
  readonly waitingForGpus: Model["waitingForGpus"];
}

export function decide(
  holder: string,
  kinds: Omit<CapacitySources, "revisions">,
  capacity: GpuCapacity,
  nowMs: number,
): Decision | undefined {
  capacity.release(holder);
  const object = kinds.llamaDeployments.store.get(parseObjectKey(holder));
  if (object === undefined) {
    capacity.dequeue(holder);
    return undefined;
  }
  const model = modelOf(holder, object);
  const before = storedRequest(object);
  const isGroup = model.footprint.nodesPerReplica > 1;
  const pods = kinds.pods.store.byIndex(byDeployment, holder);
  const made = kinds.leaderWorkerSets.store.byIndex(byDeployment, holder);
  // Pods beyond what the Deployment asks for are on their way out.
  const asked = kinds.deployments.store.get(parseObjectKey(holder))?.spec?.replicas ?? 0;
  const placed = Math.min(asked, pods.filter(({ nodeName }) => nodeName !== undefined).length);
  const lacks = Math.max(0, model.replicas - (isGroup ? made.length : placed));
  const request = requestOf(model, before?.sinceMs ?? nowMs, lacks);
  const { replicas: free, behind, outranked } = capacity.free(request);
  const assumed = { holder, pool: model.pool, footprint: model.footprint };
  if (isGroup) {
    const names = made.map(({ metadata }) => metadata.name).toSorted();
    const create = freeSlots(new Set(names), parseObjectKey(holder).name, Math.min(lacks, free));
    for (const slot of create) {
      capacity.assume(`${parseObjectKey(holder).name}-${slot}`, { ...assumed, replicas: 1 });
    }
    const { namespace } = parseObjectKey(holder);
    const remove = names.slice(model.replicas).map((name) => `${namespace}/${name}`);
    const withheld = lacks - create.length;
    return {
      model,
      create,
      remove,
      waitingForGpus: wait(withheld),
    };
  }
  const deployment =
    behind === undefined
      ? model.replicas
      : Math.min(model.replicas, Math.max(placed + free, outranked ? 0 : asked));
  capacity.assume(parseObjectKey(holder).name, { ...assumed, replicas: deployment });
  const isWaiting =
    deployment < model.replicas ||
    pods.some(({ unschedulable, nodeName }) => nodeName === undefined && unschedulable !== undefined);
  return {
    model,
    deployment,
    create: [],
    remove: [],
    waitingForGpus: wait(isWaiting ? lacks : 0),
  };

  function wait(replicas: number): Model["waitingForGpus"] {
    if (replicas <= 0) {
      capacity.dequeue(holder);
      return undefined;
    }
    const sinceMs = waitingSince(before, replicas, nowMs);
    capacity.enqueue({ ...request, replicas, sinceMs });
    return { since: new Date(sinceMs).toISOString(), replicas };
  }
}

function modelOf(holder: string, { spec, status }: Live<LlamaDeployment & KubeObject>): Model {
  const { pool = "", nodesPerReplica = 1, gpusPerReplica = 1 } = status?.plan ?? {};
  const waiting = (status as { waitingForGpus?: Model["waitingForGpus"] } | undefined)?.waitingForGpus;
  return {
    holder,
    pool,
    footprint: { nodesPerReplica, gpusPerNode: gpusPerReplica / nodesPerReplica },
    priorityClassName: spec.podTemplate.priorityClassName,
    replicas: spec.replicas,
    waitingForGpus: waiting,
  };
}

function freeSlots(taken: ReadonlySet<string>, name: string, count: number): readonly number[] {
  const slots: number[] = [];
  for (let slot = 0; slots.length < count; slot += 1) if (!taken.has(`${name}-${slot}`)) slots.push(slot);
  return slots;
}
