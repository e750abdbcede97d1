// `llama-operator plan`: what the operator would do with a LlamaDeployment, or why it would not, with or without a
// cluster; `--explain` shows every formula, `--compare` sets models side by side.
import { InvalidArgumentError } from "commander";
import { Command } from "commander";
import {
  type MeasuredOverhead,
  llamaDeployments,
  gpuPools,
  parseLlamaDeployment,
} from "@llama-operator/llama/api";
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
import { compareModels, compareView } from "./compare.ts";
import { deploymentOf, givenIntent, withIntentOptions } from "./intent.ts";
import type { IntentOptions } from "./intent.ts";
import { planItem } from "./item.ts";
import type { Asked, Item } from "./item.ts";
import { findPools } from "./pool-source.ts";
import type { PoolOptions, Pools } from "./pool-source.ts";
import { planView, refusalView } from "./view.ts";

interface PlanOptions extends PoolOptions, OverheadsOption, IntentOptions {
  readonly filename?: readonly string[];
  readonly explain: boolean;
  readonly compare?: true | readonly string[];
  readonly output: "table" | StructuredFormat;
}

export function planCommand(terminal: Terminal): Command {
  const command = new Command("plan")
    .description("Show how LlamaDeployments would run, or why they would not; needs no cluster")
    .option("-f, --filename <file...>", "manifests: files, folders, or - for standard input");
  withIntentOptions(command)
    .option("--compare [model...]", "set models side by side for one intent; without names 8B, 70B and 405B")
    .option("--explain", "show each formula with its numbers and its source", false)
    .option("--pools <file...>", "GpuPools to plan for, instead of the cluster's")
    .option("--machine-shape <name>", "plan for a pool of such machines, e.g. a3-highgpu-8g")
    .option("--gpu <product>", "plan for a pool of such GPUs, e.g. h100 or nvidia-h100-80gb")
    .option("--gpus-per-node <count>", "GPUs of one node of that pool", parseCount)
    .addOption(measuredOverheadsOption())
    .addOption(outputOption(["table", "json", "yaml"]));
  return withClusterOptions(command)
    .addHelpText(
      "after",
      `
What to plan is in files (-f), or said by --model and the flags after it. The pools are those of --pools and of the
manifests themselves; else --machine-shape or --gpu; else the cluster's; else eight H100 80 GB a node. Which it was is
said first.

Examples:
  llama-operator plan -f examples/llama-405b-fp8.yaml
  llama-operator plan --model llama-3.3-70b-instruct --gpu h100 --context 32K --concurrency 8
  llama-operator plan --model llama-3.1-405b-instruct --explain
  llama-operator plan --compare --context 32K --concurrency 16
  llama-operator plan -f llama.yaml --pools pools.yaml -o json | jq '.items[].result'
  helm template my-models | llama-operator plan -f -

Ends with ${exitCodes.refused} if any LlamaDeployment cannot run as written; a comparison, if nothing of it fits or a model is not known.`,
    )
    .action((options: PlanOptions) => runPlan(options, terminal));
}

async function runPlan(options: PlanOptions, terminal: Terminal): Promise<void> {
  const { filename, model, compare } = options;
  const given = [filename, model, compare].filter((each) => each !== undefined);
  if (given.length !== 1) {
    const what = given.length === 0 ? "nothing to plan" : "too much to plan at once";
    throw new CommandError(`${what}: give one of -f, --model and --compare`, { code: exitCodes.usage });
  }
  if (filename !== undefined) refuseIntent(options);
  if (compare !== undefined && options.explain) {
    throw new CommandError("--explain shows one plan: it goes with -f or --model, not with --compare", {
      code: exitCodes.usage,
    });
  }
  const measuredOverheads = await readMeasuredOverheads(options.measuredOverheads);
  const manifests = filename === undefined ? [] : await readManifests(filename, terminal);
  const asked =
    model === undefined
      ? readDeployments(manifests, filename)
      : [{ source: "flags", object: deploymentOf(options, model) }];
  const pools = await findPools(options, manifests, terminal);
  if (compare !== undefined) return printComparison(options, compare, pools, measuredOverheads, terminal);

  const items = asked.map((each) => planItem(each, pools.facts, measuredOverheads, options.explain));
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

/** A file says what it wants: flags that say it again are not dropped in silence. */
function refuseIntent(options: IntentOptions): void {
  const given = givenIntent(options);
  if (given.length === 0) return;
  const flags = given.map(({ flag }) => flag).join(", ");
  const fields = given.map(({ field }) => `spec.${field}`).join(", ");
  throw new CommandError(
    `${flags} beside -f: flags go with --model and --compare; in a file write ${fields}`,
    { code: exitCodes.usage },
  );
}

/** A comparison is an answer while something of it fits, and all that it names is known. */
function printComparison(
  options: PlanOptions,
  compare: true | readonly string[],
  pools: Pools,
  measuredOverheads: readonly MeasuredOverhead[],
  terminal: Terminal,
): void {
  const rows = compareModels(options, compare === true ? [] : compare, pools.facts, measuredOverheads);
  terminal.out.write(
    options.output === "table"
      ? `Pools (${pools.from}): ${pools.description}\n\n${compareView(rows)}`
      : structured(documentOf(rows, pools), options.output),
  );
  const unknown = rows.filter(({ result }) => result.kind === "refusal" && result.reason === "UnknownModel");
  const names = [...new Set(unknown.map(({ model }) => model))];
  if (names.length > 0) {
    throw new CommandError(`not in the catalog: ${names.join(", ")}`, { code: exitCodes.refused });
  }
  if (rows.every(({ result }) => result.kind === "refusal")) {
    throw new CommandError("nothing of this fits", { code: exitCodes.refused });
  }
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
  paths: readonly string[] | undefined,
): readonly Asked[] {
  if (paths === undefined) return [];
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
