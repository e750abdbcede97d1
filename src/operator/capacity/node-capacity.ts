// What one node has for the pods of a pool: free GPUs, CPU, memory and disk beside them, and taints that keep them away.
import { matchesLabels, type GpuPoolSpec } from "@llama-operator/llama/api";
import type { Node, Taint } from "../observed/node.ts";
import { difference, resourceNames, type NodeResources } from "../observed/resources.ts";
import type { DeviceUse } from "./device-use.ts";
import type { Footprint } from "./room.ts";

/** Free and allocatable GPUs of one node of a pool. */
export interface NodeCapacity {
  readonly node: string;
  readonly total: number;
  readonly free: number;
  /** CPU, memory and disk that no pod requests; absent where the node states no limits. */
  readonly spare?: NodeResources | undefined;
}

/** A node of a pool that is up. */
export interface PoolNode {
  readonly capacity: NodeCapacity;
  /** Those that the pool does not tolerate: none where its pods may go there. */
  readonly taints: readonly Taint[];
}

type Use = Pick<DeviceUse, "used" | "requested">;

/** A node as the pool's pods find it; undefined for one that is another pool's, not up, or without GPUs. */
export function poolNode(node: Node, spec: GpuPoolSpec, use: Use): PoolNode | undefined {
  const { resourceName } = spec.gpu;
  const total = node.devices[resourceName] ?? 0;
  if (!node.usable || !(total > 0) || !isMember(node, spec)) return undefined;
  const { name } = node.metadata;
  const { allocatable } = node;
  return {
    capacity: {
      node: name,
      total,
      free: Math.max(0, total - use.used(name, resourceName)),
      ...(allocatable === undefined ? {} : { spare: difference(allocatable, use.requested(name)) }),
    },
    taints: (node.taints ?? []).filter((taint) => !isTolerated(taint, spec)),
  };
}

/** GPUs of a node of the pool; undefined for a node where its pods may not go. */
export function nodeCapacity(node: Node, spec: GpuPoolSpec, use: Use): NodeCapacity | undefined {
  const found = poolNode(node, spec, use);
  return found?.taints.length === 0 ? found.capacity : undefined;
}

/** Whether a node is the pool's, be it up or not. */
export function isMember({ metadata }: Node, { nodeSelector }: GpuPoolSpec): boolean {
  return matchesLabels(metadata.labels, nodeSelector);
}

/**
 * Whether the pool's pods may go to a node in spite of its taint. The taint that is named after the GPU's resource is:
 * where a cloud sets it, it lets the API server add its toleration (the admission plugin ExtendedResourceToleration).
 */
function isTolerated({ key, value, effect }: Taint, { tolerations, gpu }: GpuPoolSpec): boolean {
  if (key === gpu.resourceName) return true;
  return tolerations.some(
    (each) =>
      (each.effect === undefined || each.effect === effect) &&
      (each.key === undefined || each.key === key) &&
      (each.operator === "Exists" || (each.value ?? "") === value),
  );
}

/** The GPUs of a node that pods of so many can take, by what else each of them requests. */
export function gpusFor(
  { free, spare }: Pick<NodeCapacity, "free" | "spare">,
  { gpusPerNode, requests }: Pick<Footprint, "gpusPerNode" | "requests">,
): number {
  if (spare === undefined || requests === undefined) return free;
  const pods = resourceNames
    .filter((name) => requests[name] > 0)
    .map((name) => Math.floor(Math.max(0, spare[name]) / requests[name]));
  return Math.min(free, ...pods.map((count) => count * gpusPerNode));
}

/** Resources of which a node that has the GPUs for a pod has too little. */
export function scarceOn(
  { free, spare }: Pick<NodeCapacity, "free" | "spare">,
  { gpusPerNode, requests }: Footprint,
): readonly (keyof NodeResources)[] {
  if (free < gpusPerNode || spare === undefined || requests === undefined) return [];
  return resourceNames.filter((name) => spare[name] < requests[name]);
}
