// Where the pools of a plan come from: files, flags, the cluster, or a stated default, in this order. What was used
// is part of the answer, because a plan for the wrong pools is a wrong plan.
import { gpuPoolSpec, gpuPools, parseGpuPool, type GpuPool } from "@llama-operator/llama/api";
import { findMachineShape, machineShapes } from "@llama-operator/llama/catalog";
import { DeviceUse, nodeCapacity } from "@llama-operator/operator/capacity";
import { nodes, pods, projectNode, projectPod } from "@llama-operator/operator/observed";
import {
  ApiError,
  ConfigError,
  ConnectionError,
  isNotFound,
  resourceType,
  type KubeObject,
} from "@llama-operator/kube-runtime/client";
import type { PoolFacts } from "@llama-operator/llama/planning";
import { withCluster } from "../cluster-connection.ts";
import type { ClusterConnection, ClusterOptions } from "../cluster-connection.ts";
import { exitCodes } from "../exit-codes.ts";
import { CommandError } from "../failure.ts";
import { readManifests } from "../manifests.ts";
import type { Manifest } from "../manifests.ts";
import type { Terminal } from "../terminal.ts";
import { namedGpu } from "./gpu-name.ts";

export interface PoolOptions extends ClusterOptions {
  readonly pools?: readonly string[];
  readonly gpu?: string;
  readonly gpusPerNode?: number;
  readonly machineShape?: string;
}

export interface Pools {
  readonly from: "files" | "flags" | "cluster" | "default";
  /** For people: which files, which server, why the default. */
  readonly description: string;
  readonly facts: readonly PoolFacts[];
}

/** Finds the pools. `given` are GpuPools among the manifests to plan. @throws CommandError */
export async function findPools(
  options: PoolOptions,
  given: readonly Manifest[],
  terminal: Terminal,
): Promise<Pools> {
  const files = options.pools === undefined ? [] : await readManifests(options.pools, terminal);
  const manifests = [...files, ...given].filter(({ kind }) => kind === gpuPools.kind);
  if (manifests.length > 0) {
    refusePoolFlags(options, manifests);
    return poolsOfManifests(manifests);
  }
  if (options.pools !== undefined) throw usage(`${options.pools.join(", ")}: no GpuPool in it`);
  const { gpu, gpusPerNode, machineShape } = options;
  if (gpu !== undefined || gpusPerNode !== undefined || machineShape !== undefined)
    return poolOfFlags(options);
  return poolsOfCluster(options, terminal);
}

/** Two answers to one question: none of them is dropped in silence. */
function refusePoolFlags(options: PoolOptions, [pool]: readonly Manifest[]): void {
  const flags = (["gpu", "gpusPerNode", "machineShape"] as const)
    .filter((option) => options[option] !== undefined)
    .map((option) => `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  if (flags.length === 0) return;
  throw usage(
    `${flags.join(" and ")} beside the GpuPools of ${pool?.source ?? "files"}: plan for the one or for the other`,
  );
}

function poolsOfManifests(manifests: readonly Manifest[]): Pools {
  const facts = manifests.map(({ source, object }) => {
    const parsed = parseGpuPool(object);
    if (parsed.ok) return factsOf(parsed.object);
    const problems = parsed.problems.map(({ path, message }) => `${path}: ${message}`).join("; ");
    throw usage(`${source}: not a valid GpuPool: ${problems}`);
  });
  const sources = [...new Set(manifests.map(({ source }) => source))].join(", ");
  return { from: "files", description: sources, facts };
}

function poolOfFlags(options: PoolOptions): Pools {
  const { machineShape } = options;
  const shape = machineShape === undefined ? undefined : findMachineShape(machineShape);
  if (machineShape !== undefined && shape === undefined) {
    const known = machineShapes.map(({ name }) => name).join(", ");
    throw usage(`--machine-shape ${machineShape}: not in the catalog; known: ${known}`);
  }
  const asked = options.gpu ?? shape?.gpu ?? defaultShape.gpu;
  const named = namedGpu(asked);
  if ("problem" in named) throw usage(`--gpu ${asked}: ${named.problem}`);
  const { product } = named;
  const perNode = options.gpusPerNode ?? shape?.gpusPerNode ?? defaultShape.gpusPerNode;
  const facts = onePool(product, perNode, shape?.name);
  return { from: "flags", description: `${perNode} x ${product} a node`, facts: [facts] };
}

const defaultShape = { name: "a3-highgpu-8g", gpu: "nvidia-h100-80gb", gpusPerNode: 8 } as const;

function onePool(product: string, perNode: number, machineShape: string | undefined): PoolFacts {
  const spec = gpuPoolSpec.parse({
    gpu: { product, perNode },
    ...(machineShape === undefined ? {} : { machineShape }),
  });
  return { name: "assumed", labels: {}, spec };
}

function defaultPools(why: string): Pools {
  const { name, gpu, gpusPerNode } = defaultShape;
  return {
    from: "default",
    description: `${gpusPerNode} x ${gpu} a node (${name}), assumed because ${why}`,
    facts: [onePool(gpu, gpusPerNode, name)],
  };
}

/** Short: a user without a cluster should not wait to be told. */
const requestTimeoutMs = 3000;

async function poolsOfCluster(options: ClusterOptions, terminal: Terminal): Promise<Pools> {
  // Who names a cluster wants that one; who does not may have none.
  const named = options.kubeconfig !== undefined || options.kubeContext !== undefined;
  try {
    return await withCluster(options, terminal, { requestTimeoutMs }, async (connection) => {
      const facts = await factsOfCluster(connection, terminal.signal);
      if (facts.length > 0) return { from: "cluster", description: connection.server, facts };
      if (!named) return defaultPools(`${connection.server} has no GpuPool`);
      throw new CommandError(
        `${connection.server} has no GpuPool; write one (examples/gpu-pool-h100.yaml), discover them (llama-operator pools discover), or give --pools or --machine-shape`,
      );
    });
  } catch (error) {
    if (named) throw error;
    if (error instanceof ConfigError) return defaultPools("no cluster is configured");
    if (error instanceof ConnectionError) return defaultPools("the kubeconfig's cluster does not answer");
    if (error instanceof ApiError) return defaultPools(`the cluster does not let us read its GpuPools`);
    throw error;
  }
}

async function factsOfCluster(
  { client }: ClusterConnection,
  signal: AbortSignal,
): Promise<readonly PoolFacts[]> {
  const pools = await client
    .list(resourceType<GpuPool & KubeObject>(gpuPools), { signal })
    .catch((error: unknown) => {
      if (isNotFound(error)) return { items: [] };
      throw error;
    });
  if (pools.items.length === 0) return [];
  const [nodeList, podList] = await Promise.all([
    client.list(nodes, { signal }),
    client.list(pods, { signal }),
  ]);
  const use = new DeviceUse();
  for (const pod of podList.items) use.observe(projectPod(pod));
  const projected = nodeList.items.map(projectNode);
  return pools.items.map((pool) => ({
    ...factsOf(pool),
    freeGpus: projected.flatMap((node) => nodeCapacity(node, pool.spec, use)?.free ?? []),
  }));
}

function factsOf({ metadata, spec }: GpuPool): PoolFacts {
  return { name: metadata.name, labels: metadata.labels ?? {}, spec };
}

function usage(message: string): CommandError {
  return new CommandError(message, { code: exitCodes.usage });
}
