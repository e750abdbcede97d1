// `llama-operator plan`: what the operator would do with a LlamaDeployment, or why it would not, without a cluster.
import { InvalidArgumentError } from "commander";
import { Command } from "commander";
import { llamaDeployments, gpuPools, parseLlamaDeployment } from "../../api/resources.ts";
import type { LlamaDeployment } from "../../api/resources.ts";
import { plan } from "../../planning/planner.ts";
import type { PlanResult } from "../../planning/plan.ts";
import { withClusterOptions } from "../cluster-connection.ts";
import { exitCodes } from "../exit-codes.ts";
import { CommandError } from "../failure.ts";
import { readManifests } from "../manifests.ts";
import type { Manifest } from "../manifests.ts";
import { measuredOverheadsOption, readMeasuredOverheads, type OverheadsOption } from "../overheads/file.ts";
import { outputOption, structured } from "../output.ts";
import type { StructuredFormat } from "../output.ts";
import { styler } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";
import { findPools } from "./pool-source.ts";
import type { PoolOptions, Pools } from "./pool-source.ts";
import { planView, refusalView } from "./view.ts";

interface PlanOptions extends PoolOptions, OverheadsOption {
  readonly filename: readonly string[];
  readonly output: "table" | StructuredFormat;
}

export function planCommand(terminal: Terminal): Command {
  const command = new Command("plan")
    .description("Show how LlamaDeployments would run, or why they would not; needs no cluster")
    .requiredOption("-f, --filename <file...>", "manifests: files, folders, or - for standard input")
    .option("--pools <file...>", "GpuPools to plan for, instead of the cluster's")
    .option("--machine-shape <name>", "plan for a pool of such machines, e.g. a3-highgpu-8g")
    .option("--gpu <product>", "plan for a pool of such GPUs, e.g. nvidia-h100-80gb")
    .option("--gpus-per-node <count>", "GPUs of one node of that pool", parseCount)
    .addOption(measuredOverheadsOption())
    .addOption(outputOption(["table", "json", "yaml"]));
  return withClusterOptions(command)
    .addHelpText(
      "after",
      `
The pools are those of --pools and of the manifests themselves; else --machine-shape or --gpu; else the cluster's;
else eight H100 80 GB a node. Which it was is said first.

Examples:
  llama-operator plan -f examples/llama-405b-fp8.yaml
  llama-operator plan -f examples/ --machine-shape p5.48xlarge
  llama-operator plan -f llama.yaml --pools pools.yaml -o json | jq '.items[].result'
  helm template my-models | llama-operator plan -f -

Ends with ${exitCodes.refused} if any LlamaDeployment cannot run as written.`,
    )
    .action((options: PlanOptions) => planFiles(options, terminal));
}

async function planFiles(options: PlanOptions, terminal: Terminal): Promise<void> {
  const measuredOverheads = await readMeasuredOverheads(options.measuredOverheads);
  const manifests = await readManifests(options.filename, terminal);
  const deployments = readDeployments(manifests, options.filename);
  const pools = await findPools(options, manifests, terminal);
  const items = deployments.map(({ source, object }) => {
    const { name, namespace = "default" } = object.metadata;
    const result = plan({ spec: object.spec, pools: pools.facts, measuredOverheads });
    return { source, namespace, name, result };
  });
  terminal.out.write(
    options.output === "table"
      ? tableOf(items, pools, terminal)
      : structured(documentOf(items, pools), options.output),
  );
  const refused = items.filter(({ result }) => result.kind === "refusal");
  if (refused.length > 0) {
    const names = refused.map(({ namespace, name }) => `${namespace}/${name}`).join(", ");
    throw new CommandError(`cannot run as written: ${names}`, { code: exitCodes.refused });
  }
}

interface Item {
  readonly source: string;
  readonly namespace: string;
  readonly name: string;
  readonly result: PlanResult;
}

function tableOf(items: readonly Item[], pools: Pools, terminal: Terminal): string {
  const style = styler(terminal.out, terminal.env);
  const views = items.map((item) =>
    item.result.kind === "plan" ? planView(item, item.result, style) : refusalView(item, item.result, style),
  );
  return [`Pools (${pools.from}): ${pools.description}\n`, ...views].join("\n");
}

/** What `-o json` and `-o yaml` print; fields are added, never changed. */
function documentOf(items: readonly Item[], pools: Pools): unknown {
  return {
    kind: "PlanList",
    pools: { from: pools.from, description: pools.description, names: pools.facts.map(({ name }) => name) },
    items,
  };
}

function readDeployments(
  manifests: readonly Manifest[],
  paths: readonly string[],
): readonly { readonly source: string; readonly object: LlamaDeployment }[] {
  const problems: string[] = [];
  const deployments = manifests.flatMap(({ source, kind, object }) => {
    if (kind !== llamaDeployments.kind) return [];
    const parsed = parseLlamaDeployment(object);
    if (parsed.ok) return [{ source, object: parsed.object }];
    for (const { path, message } of parsed.problems) {
      problems.push(`${source}: ${path === "" ? "" : `${path}: `}${message}`);
    }
    return [];
  });
  if (problems.length > 0) {
    throw new CommandError(`not valid, nothing was planned:\n  ${problems.join("\n  ")}`, {
      code: exitCodes.usage,
    });
  }
  if (deployments.length === 0) {
    throw new CommandError(
      `${paths.join(", ")}: no LlamaDeployment in it${manifests.some(({ kind }) => kind === gpuPools.kind) ? ", only GpuPools" : ""}`,
      { code: exitCodes.usage },
    );
  }
  return deployments;
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 16) {
    throw new InvalidArgumentError("a whole number from 1 to 16");
  }
  return value;
}
