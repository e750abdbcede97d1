// Stories draw from a stream of numbers who does what next: the same numbers tell the same story.
import type { Cluster, Draw } from "./cluster.ts";
import { draw, keyOf, ownerOf } from "./cluster.ts";
import type { Fleet } from "./fleet.ts";
import { foreignPod, gpusPerNode, type Model } from "./objects.ts";

/** Draws from a story's numbers. */
export function drawFrom(numbers: Iterator<number>): Draw {
  return (count) => (count === 0 ? 0 : (numbers.next().value ?? 0) % count);
}

const footprints = [
  { nodesPerReplica: 1, gpusPerNode: 1 },
  { nodesPerReplica: 1, gpusPerNode: 4 },
  { nodesPerReplica: 1, gpusPerNode: 8 },
  { nodesPerReplica: 2, gpusPerNode: 8 },
  { nodesPerReplica: 3, gpusPerNode: 8 },
] as const;

/** A model of groups over whole nodes. */
export function groupModel(cluster: Cluster, nodesPerReplica: number, over: Partial<Model> = {}): Model {
  const footprint = { nodesPerReplica, gpusPerNode };
  return { holder: cluster.newName("t/m"), pool: "a", footprint, replicas: 1, ...over };
}

/** A model of single pods. */
export function singleModel(cluster: Cluster, gpus: number, replicas: number): Model {
  const footprint = { nodesPerReplica: 1, gpusPerNode: gpus };
  return { holder: cluster.newName("t/m"), pool: "a", footprint, replicas };
}

export function anyModel(cluster: Cluster, pick: Draw): Model {
  return {
    holder: cluster.newName("t/m"),
    pool: pick(4) === 0 ? "b" : "a",
    footprint: draw(pick, footprints) ?? footprints[0],
    priorityClassName: draw(pick, [undefined, undefined, "low", "high"]),
    replicas: 1 + pick(3),
  };
}

/** Some replica that is placed ends, and its model wants one fewer. Returns whether there was one. */
export function endSome(fleet: Fleet, pick: Draw): boolean {
  const pod = draw(pick, placedPods(fleet));
  if (pod === undefined) return false;
  const holder = ownerOf(pod);
  fleet.kinds.pods.remove(keyOf(pod));
  fleet.scale(holder, (fleet.models.get(holder)?.replicas ?? 1) - 1);
  return true;
}

function placedPods({ kinds }: Cluster) {
  return [...kinds.pods.live.values()].filter(({ nodeName }) => nodeName !== undefined);
}

/** A pod that is not the operator's takes GPUs, or one of them ends; the former when no group is being made. */
function foreignStep(fleet: Fleet, pick: Draw): void {
  const { pods, leaderWorkerSets } = fleet.kinds;
  const foreign = [...pods.live.keys()].filter((key) => key.startsWith("foreign/"));
  const ended = draw(pick, foreign);
  if (ended !== undefined && pick(2) === 0) return pods.remove(ended);
  const isQuiet = [...leaderWorkerSets.live.entries()].every(
    ([key, group]) =>
      fleet.podsOfGroup(key).filter(({ nodeName }) => nodeName !== undefined).length ===
      group.spec?.leaderWorkerTemplate?.size,
  );
  const [name, free] = draw(pick, fleet.freeGpus("a")) ?? ["", 0];
  if (!isQuiet || fleet.inFlight.size > 0 || free === 0) return undefined;
  pods.write(foreignPod(fleet.newName("f"), name, 1 + pick(free)));
  return pods.deliver();
}

/** One step of anybody. */
export async function anyStep(fleet: Fleet, pick: Draw): Promise<void> {
  const { kinds } = fleet;
  const anyone = draw(pick, fleet.models.keys()) ?? "";
  switch (pick(13)) {
    case 0:
      return fleet.apply(anyModel(fleet, pick));
    case 1:
      return fleet.scale(anyone, pick(4));
    case 2:
      return pick(3) === 0 ? fleet.delete(anyone) : undefined;
    case 3:
    case 4:
      return fleet.decide(draw(pick, fleet.due) ?? "");
    case 5:
      return fleet.finish(draw(pick, fleet.inFlight.keys()) ?? "", pick(4) === 0);
    case 6:
      return fleet.runControllers();
    case 7:
    case 8:
      return fleet.schedule(pick);
    case 9:
      return fleet.grow(draw(pick, kinds.gpuPools.live.keys()) ?? "");
    case 10:
      return draw(pick, Object.values(kinds))?.deliver(1 + pick(5));
    case 11:
      return foreignStep(fleet, pick);
    default:
      if (pick(10) === 0) fleet.restart();
      return fleet.pass(0.2);
  }
}
