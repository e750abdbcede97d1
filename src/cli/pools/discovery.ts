// Reads GpuPools off the nodes of a cluster: nodes that a cloud made alike are one pool. Pure; what cannot be told
// from a node (how far an autoscaler may go, whether a fabric is set up) is left for a person to add.
import { type GpuPoolSpec, type Toleration, apiGroupVersion } from "@llama-operator/llama/api";
import { findGpu, findMachineShape } from "@llama-operator/llama/catalog";
import { poolIdentity, productOf, shapeSelector } from "./node-labels.ts";
import { smallestAllocatable } from "./node-allocatable.ts";

/** What is read of a Node. */
export interface DiscoveredNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  /** Quantities by resource name, as the Node writes them. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** A GpuPool with what discovery can tell; every other field takes the kind's default. */
export interface GpuPoolManifest {
  readonly apiVersion: typeof apiGroupVersion;
  readonly kind: "GpuPool";
  readonly metadata: { readonly name: string };
  readonly spec: Pick<GpuPoolSpec, "gpu" | "nodeSelector"> &
    Partial<Pick<GpuPoolSpec, "machineShape" | "allocatable" | "tolerations" | "capacity" | "fabric">>;
}

export interface Discovery {
  readonly pools: readonly GpuPoolManifest[];
  /** GPU nodes that are in no pool, each with the reason. */
  readonly skipped: readonly { readonly node: string; readonly reason: string }[];
  /** Nodes without a GPU. */
  readonly withoutGpu: number;
}

const gpuResource = "nvidia.com/gpu";

/** Groups `nodes` into pools, in the order of their names. */
export function discoverPools(nodes: readonly DiscoveredNode[]): Discovery {
  const groups = new Map<string, { readonly product: string; readonly nodes: DiscoveredNode[] }>();
  const skipped: { node: string; reason: string }[] = [];
  let withoutGpu = 0;
  for (const node of nodes) {
    const gpus = gpusOf(node);
    if (gpus === 0) {
      withoutGpu += 1;
      continue;
    }
    const label = productOf(node.labels);
    const product = label === undefined ? undefined : findGpu(label)?.name;
    if (product === undefined) {
      const reason =
        label === undefined
          ? "no label says which GPU it has (nvidia.com/gpu.product, cloud.google.com/gke-accelerator or a known instance type)"
          : `the catalog has no GPU ${label}`;
      skipped.push({ node: node.name, reason });
      continue;
    }
    const key = JSON.stringify([poolIdentity(node.labels), product, gpus]);
    const group = groups.get(key) ?? { product, nodes: [] };
    group.nodes.push(node);
    groups.set(key, group);
  }
  const pools = [...groups.values()].map(({ product, nodes: members }) => poolOf(product, members));
  return { pools: named(distinct(pools)), skipped, withoutGpu };
}

/** Two sizes of node in one node pool need more than its label to be told apart. */
function distinct(pools: readonly (GpuPoolManifest & Sample)[]): readonly GpuPoolManifest[] {
  const selectorOf = (pool: GpuPoolManifest) => JSON.stringify(pool.spec.nodeSelector);
  const counts = Map.groupBy(pools, selectorOf);
  return pools.map(({ sample, ...pool }) => {
    if ((counts.get(selectorOf(pool))?.length ?? 0) < 2) return pool;
    const nodeSelector = { ...pool.spec.nodeSelector, ...shapeSelector(sample.labels) };
    return { ...pool, spec: { ...pool.spec, nodeSelector } };
  });
}

interface Sample {
  /** One of the pool's nodes. */
  readonly sample: DiscoveredNode;
}

function gpusOf(node: DiscoveredNode): number {
  return Number(node.allocatable[gpuResource] ?? "0");
}

function poolOf(product: string, nodes: readonly DiscoveredNode[]): GpuPoolManifest & Sample {
  const [first] = nodes;
  if (first === undefined) throw new RangeError("a pool has at least one node");
  const { name, nodeSelector, capacity } = poolIdentity(first.labels);
  const shape = findMachineShape(first.labels["node.kubernetes.io/instance-type"] ?? "");
  const allocatable = smallestAllocatable(nodes, shape?.allocatable);
  const tolerations = tolerationsFor(nodes);
  const efa = Number(first.allocatable["vpc.amazonaws.com/efa"] ?? "0");
  return {
    sample: first,
    apiVersion: apiGroupVersion,
    kind: "GpuPool",
    metadata: { name: objectNameOf(name ?? shape?.name ?? product) },
    spec: {
      gpu: { product, perNode: gpusOf(first), resourceName: gpuResource },
      ...(shape === undefined ? {} : { machineShape: shape.name }),
      ...(allocatable === undefined ? {} : { allocatable }),
      nodeSelector,
      ...(tolerations.length === 0 ? {} : { tolerations }),
      ...(capacity === "onDemand" ? {} : { capacity }),
      // Only EFA shows on a node that it is set up; for others a person says so.
      ...(efa === 0 ? {} : { fabric: { type: "efa", resources: { "vpc.amazonaws.com/efa": String(efa) } } }),
    },
  };
}

/** Taints that Kubernetes sets and removes by itself (not-ready, pressure, cordon) are no property of a pool. */
const transientTaint = /^(?:node\.kubernetes\.io|node\.cloudprovider\.kubernetes\.io|ToBeDeleted)/;
const effects = ["NoSchedule", "NoExecute"] as const;

function tolerationsFor(nodes: readonly DiscoveredNode[]): Toleration[] {
  const tolerations = new Map<string, Toleration>();
  for (const { key, value, effect } of nodes.flatMap(({ taints }) => taints)) {
    const known = effects.find((candidate) => candidate === effect);
    if (known === undefined || transientTaint.test(key)) continue;
    const toleration: Toleration =
      value === undefined || value === ""
        ? { key, operator: "Exists", effect: known }
        : { key, operator: "Equal", value, effect: known };
    tolerations.set(`${key}=${value ?? ""}:${effect}`, toleration);
  }
  return [...tolerations.values()];
}

/** Lower case, and nothing that a name may not hold. */
function objectNameOf(text: string): string {
  const name = text.toLowerCase().replaceAll(/[^-a-z0-9.]+/g, "-");
  return name.replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, "") || "gpus";
}

/** Gives pools of one name (two sizes of node in a node group) the product and a number at the end. */
function named(pools: readonly GpuPoolManifest[]): readonly GpuPoolManifest[] {
  const seen = new Map<string, number>();
  return pools
    .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name))
    .map((pool) => {
      const { name } = pool.metadata;
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      return count === 1 ? pool : { ...pool, metadata: { name: `${name}-${count}` } };
    });
}
