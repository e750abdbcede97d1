// Where the pods of a plan that exists go: what a pool decides of them is its selector, its tolerations, the names of its
// resources and, where they would no longer fit its nodes, their share of CPU and memory. How the model is laid out is
// none of it: a pool that is renamed, or whose nodes get another taint, runs the same engine.
import { canonicalJson } from "../../api/canonical-json.ts";
import type { Layout } from "../choice/parallelism.ts";
import type { Plan, PodResources } from "../plan.ts";
import { freeRoom, type Hardware } from "./hardware.ts";
import { ephemeralStorageOffered, podResources } from "./pod.ts";

/** The plan on this hardware, as it was where nothing differs; undefined where its pods have no place there. */
export function placeOn(plan: Plan, hardware: Hardware): Plan | undefined {
  const { pool } = hardware;
  const usesFabric = plan.nodesPerReplica > 1 && plan.fabric !== "none";
  const hasPlace =
    pool.spec.gpu.product === plan.gpu &&
    hardware.gpusPerNode >= plan.pod.gpus &&
    plan.pod.ephemeralStorageBytes <= (ephemeralStorageOffered(hardware) ?? Infinity) &&
    (!usesFabric || pool.spec.fabric.type === plan.fabric);
  if (!hasPlace) return undefined;
  const { nodeSelector, tolerations } = pool.spec;
  const placed = {
    ...plan,
    pool: pool.name,
    nodeSelector,
    tolerations,
    pod: podOn(plan, hardware, usesFabric),
  };
  return canonicalJson(placed) === canonicalJson(plan) ? plan : placed;
}

/** What each pod requests: as before, as far as the pool's nodes offer it. */
function podOn(plan: Plan, hardware: Hardware, usesFabric: boolean): PodResources {
  const { spec } = hardware.pool;
  const { tensor, pipeline, nodesPerReplica: nodes, pod, weights } = plan;
  const layout: Layout = { tensor, pipeline, nodes, gpusPerPod: pod.gpus };
  const share = podResources(hardware, layout, weights);
  const isOffered = pod.cpuMillicores <= share.cpuMillicores && pod.memoryBytes <= share.memoryBytes;
  const { cpuMillicores, memoryBytes, sharedMemoryBytes } = isOffered ? pod : share;
  return {
    ...pod,
    gpuResourceName: spec.gpu.resourceName,
    cpuMillicores,
    memoryBytes,
    sharedMemoryBytes,
    fabric: usesFabric ? spec.fabric.resources : pod.fabric,
  };
}

/** Whether pods of both plans could run on each other's nodes and look the same. */
function sameOnPods(one: Plan, other: Plan): boolean {
  return canonicalJson({ ...one, pool: "" }) === canonicalJson({ ...other, pool: "" });
}

/**
 * Where the pods of a plan go, out of these pools: its own while that has a place for them; else one that asks nothing
 * else of them, as its own under another name does; else one that has room.
 *
 * @param moves whether another one is better where its own is full: nothing of it runs yet
 */
export function placeAmong(
  plan: Plan,
  hardware: readonly Hardware[],
  { moves }: { readonly moves: boolean },
): Plan | undefined {
  const places = hardware.flatMap((each) => {
    const isOwn = each.pool.name === plan.pool;
    const mayGrow = isOwn || plan.nodesPerReplica <= (each.pool.spec.nodes?.max ?? Infinity);
    const placed = mayGrow ? placeOn(plan, each) : undefined;
    const room = freeRoom(each, plan.nodesPerReplica, plan.pod.gpus);
    return placed === undefined ? [] : [{ placed, room, isOwn }];
  });
  const own = places.find(({ isOwn }) => isOwn);
  const others = places
    .filter(({ isOwn }) => !isOwn)
    .toSorted(
      (a, b) =>
        Number(sameOnPods(b.placed, plan)) - Number(sameOnPods(a.placed, plan)) ||
        b.room - a.room ||
        (a.placed.pool < b.placed.pool ? -1 : 1),
    );
  if (own === undefined) return others[0]?.placed;
  if (!moves || own.room === 2) return own.placed;
  const better = others.toSorted((a, b) => b.room - a.room).find(({ room }) => room > own.room);
  return (better ?? own).placed;
}
