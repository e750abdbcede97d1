// Why GPUs that are free are of no use: taints that the pool does not tolerate, or nodes that have too little CPU, memory
// or disk left for the pods that would take them. Pure.
import type { NodeResources } from "../observed/resources.ts";
import { scarceOn } from "./node-capacity.ts";
import { byGpusAlone, type PoolCapacity } from "./pool-nodes.ts";
import { roomFor, type Footprint, type OtherPods } from "./room.ts";

export interface Obstacle {
  /** As kubectl writes them: `dedicated=training:NoSchedule`. */
  readonly taints: readonly string[];
  readonly scarce: readonly (keyof NodeResources)[];
}

/** What keeps a replica from GPUs that would do; undefined where it is GPUs that are missing. */
export function obstacleOf(
  pool: PoolCapacity,
  footprint: Footprint,
  others: OtherPods,
): Obstacle | undefined {
  if (roomFor(byGpusAlone(pool), footprint, others) === 0) return undefined;
  const taints = [...pool.tainted.values()]
    .filter(({ capacity }) => capacity.free >= footprint.gpusPerNode)
    .flatMap((node) =>
      node.taints.map(({ key, value, effect }) => `${key}${value && `=${value}`}:${effect}`),
    );
  const scarce = [...pool.byName.values()].flatMap((node) => scarceOn(node, footprint));
  return { taints: [...new Set(taints)].toSorted(), scarce: [...new Set(scarce)].toSorted() };
}
