// `llama-operator pools discover`: writes GpuPools from the nodes that are there, for clusters that were not made
// with this project's infrastructure code.
import { Command } from "commander";
import { isNotFound, type KubeObject, resourceType } from "@llama-operator/kube-runtime/client";
import { gpuPools, matchesLabels, type GpuPool } from "@llama-operator/llama/api";
import { withCluster, withClusterOptions } from "../cluster-connection.ts";
import type { ClusterConnection, ClusterOptions } from "../cluster-connection.ts";
import { CommandError } from "../failure.ts";
import { outputOption, structuredList, table } from "../output.ts";
import type { StructuredFormat } from "../output.ts";
import type { Terminal } from "../terminal.ts";
import { discoverPools } from "./discovery.ts";
import type { DiscoveredNode, Discovery, GpuPoolManifest } from "./discovery.ts";

export function poolsCommand(terminal: Terminal): Command {
  return new Command("pools").description("Work with GpuPools").addCommand(discoverCommand(terminal));
}

interface DiscoverOptions extends ClusterOptions {
  readonly output: "yaml" | "json" | "table";
  readonly apply?: boolean;
  readonly dryRun?: boolean;
}

function discoverCommand(terminal: Terminal): Command {
  const command = new Command("discover")
    .description("Group the cluster's GPU nodes into GpuPools and print them, or apply them")
    .addOption(outputOption(["yaml", "json", "table"]))
    .option("--apply", "apply the pools instead of printing them alone (server-side apply)")
    .option("--dry-run", "with --apply: let the API server check them, and change nothing");
  return withClusterOptions(command)
    .addHelpText(
      "after",
      `
Nodes of one node pool, GPU and size become one GpuPool. What a node does not show (a fabric other than EFA, how far
an autoscaler may go, which namespaces may use it) is for you to add before applying.

Examples:
  llama-operator pools discover > pools.yaml
  llama-operator pools discover -o table
  llama-operator pools discover --apply --dry-run`,
    )
    .action((options: DiscoverOptions) => discover(options, terminal));
}

const fieldManager = "llama-operator-cli";
const requestTimeoutMs = 15_000;

interface NodeObject extends KubeObject {
  spec?: { taints?: { key: string; value?: string; effect: string }[] };
  status?: { allocatable?: Record<string, string> };
}

const nodes = resourceType<NodeObject>({
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  namespaced: false,
});

async function discover(options: DiscoverOptions, terminal: Terminal): Promise<void> {
  await withCluster(options, terminal, { requestTimeoutMs }, async (connection) => {
    const [nodes, taken] = await Promise.all([
      readNodes(connection, terminal.signal),
      readPools(connection, terminal.signal),
    ]);
    const { free, covered } = uncovered(nodes, taken);
    for (const [pool, count] of covered)
      terminal.err.write(`${count} nodes are in GpuPool ${pool} already\n`);
    const discovery = discoverPools(free);
    for (const { node, reason } of discovery.skipped) {
      terminal.err.write(`node ${node} is in no pool: ${reason}\n`);
    }
    if (discovery.pools.length === 0) {
      if (covered.size > 0 && discovery.skipped.length === 0) return;
      throw nothingFound(discovery, connection.server);
    }
    terminal.out.write(render(discovery.pools, options.output));
    if (options.apply !== true) return;
    for (const pool of discovery.pools) {
      await applyPool(connection, pool, options.dryRun === true, terminal.signal);
      const how = options.dryRun === true ? "would be applied (dry run)" : "applied";
      terminal.err.write(`gpupool ${pool.metadata.name} ${how}\n`);
    }
  });
}

async function readNodes(
  { client }: ClusterConnection,
  signal: AbortSignal,
): Promise<readonly DiscoveredNode[]> {
  const { items } = await client.list(nodes, { signal });
  return items.map(({ metadata, spec, status }) => ({
    name: metadata.name,
    labels: metadata.labels ?? {},
    taints: spec?.taints ?? [],
    allocatable: status?.allocatable ?? {},
  }));
}

/** The pools that are there; none where the kind is not installed. */
async function readPools(
  { client }: ClusterConnection,
  signal: AbortSignal,
): Promise<readonly (GpuPool & KubeObject)[]> {
  try {
    return (await client.list(resourceType<GpuPool & KubeObject>(gpuPools), { signal })).items;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** Nodes that no pool selects yet: two pools over one node would count its GPUs twice. */
function uncovered(
  nodes: readonly DiscoveredNode[],
  pools: readonly GpuPool[],
): { readonly free: readonly DiscoveredNode[]; readonly covered: ReadonlyMap<string, number> } {
  const covered = new Map<string, number>();
  const free = nodes.filter(({ labels }) => {
    const pool = pools.find(({ spec }) => matchesLabels(labels, spec.nodeSelector));
    if (pool === undefined) return true;
    covered.set(pool.metadata.name, (covered.get(pool.metadata.name) ?? 0) + 1);
    return false;
  });
  return { free, covered };
}

async function applyPool(
  { client }: ClusterConnection,
  pool: GpuPoolManifest,
  dryRun: boolean,
  signal: AbortSignal,
): Promise<void> {
  try {
    // Not forced: what a person or Pulumi has set in a pool is theirs, and the conflict says whose.
    await client.apply<KubeObject>(resourceType(gpuPools), pool, {
      fieldManager,
      force: false,
      dryRun,
      signal,
    });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new CommandError(
      "the cluster does not know the kind GpuPool; install the kinds first: llama-operator crds | kubectl apply --server-side --field-manager=helm -f -",
      { cause: error },
    );
  }
}

function nothingFound({ withoutGpu, skipped }: Discovery, server: string): CommandError {
  const seen =
    skipped.length > 0
      ? `none of its ${skipped.length} GPU nodes could be recognised.`
      : `none of its ${withoutGpu} nodes has nvidia.com/gpu; is the device plugin running?`;
  return new CommandError(
    `no GPU pool found in ${server}: ${seen} A pool at zero nodes is written by hand: see examples/gpu-pool-h100.yaml.`,
  );
}

function render(pools: readonly GpuPoolManifest[], output: DiscoverOptions["output"]): string {
  if (output !== "table") return structuredList(pools, output satisfies StructuredFormat);
  return table([
    ["NAME", "GPU", "PER NODE", "MACHINE", "CAPACITY", "NODE SELECTOR"],
    ...pools.map(({ metadata, spec }) => [
      metadata.name,
      spec.gpu.product,
      String(spec.gpu.perNode),
      spec.machineShape ?? "(not in the catalog)",
      spec.capacity ?? "onDemand",
      Object.entries(spec.nodeSelector)
        .map(([key, value]) => `${key}=${value}`)
        .join(","),
    ]),
  ]);
}
