// How a pass uses GpuCapacity: release, free, assume, enqueue or dequeue, in this order and without waiting between.
import type { LlamaDeployment } from "@llama-operator/llama/api";
import { parseObjectKey, type KubeObject, type Live } from "@llama-operator/kube-runtime/client";
import { byDeployment } from "../../observed/caches.ts";
import { groupNameLabel } from "../../workloads/labels.ts";
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
  /** Another pass is due then, whatever happens. */
  readonly againInSeconds?: number;
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
  const back = capacity.toGiveBack(holder);
  const givenBack = new Set(back.inSeconds === 0 ? back.names : []);
  const pods = kinds.pods.store.byIndex(byDeployment, holder);
  const made = kinds.leaderWorkerSets.store
    .byIndex(byDeployment, holder)
    .filter(({ metadata }) => !givenBack.has(metadata.name));
  // Pods beyond what the Deployment asks for are on their way out.
  const asked = kinds.deployments.store.get(parseObjectKey(holder))?.spec?.replicas ?? 0;
  const placed = Math.min(asked, pods.filter(({ nodeName }) => nodeName !== undefined).length);
  const lacks = Math.max(0, model.replicas - (isGroup ? made.length : placed));
  const request = requestOf(model, before?.sinceMs ?? nowMs, lacks);
  const { replicas: free, behind, outranked } = capacity.free(request);
  const assumed = { holder, pool: model.pool, footprint: model.footprint };
  if (isGroup) {
    const names = made.map(({ metadata }) => metadata.name).toSorted();
    const creates = givenBack.size > 0 ? 0 : Math.min(lacks, free);
    const create = freeSlots(new Set(names), parseObjectKey(holder).name, creates);
    for (const slot of create) {
      capacity.assume(`${parseObjectKey(holder).name}-${slot}`, { ...assumed, replicas: 1 });
    }
    const { namespace } = parseObjectKey(holder);
    const remove = [...names.slice(model.replicas), ...givenBack].map((name) => `${namespace}/${name}`);
    const isPartial = made.some(({ metadata: { name } }) => placedOf(name) < model.footprint.nodesPerReplica);
    const withheld = lacks - create.length;
    return {
      model,
      create,
      remove,
      waitingForGpus: wait(withheld, isPartial),
      ...(back.names.length === 0 || back.inSeconds === 0 ? {} : { againInSeconds: back.inSeconds }),
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

  function placedOf(group: string): number {
    return pods.filter(
      ({ nodeName, metadata }) => nodeName !== undefined && metadata.labels?.[groupNameLabel] === group,
    ).length;
  }

  function wait(replicas: number, isPartial = false): Model["waitingForGpus"] {
    if (replicas <= 0 && isPartial) {
      capacity.enqueue({ ...request, replicas: 0 });
      return undefined;
    }
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
