// `llama-operator overheads`: what the cluster's engines were found to take, as the file that `run` and `plan` read.
import { Command } from "commander";
import type { MeasuredOverhead } from "@llama-operator/llama/api";
import { controllerRevisions, llamaDeployments } from "@llama-operator/operator/observed";
import { deploymentLabel } from "@llama-operator/operator/workloads";
import { withCluster, withClusterOptions } from "../cluster-connection.ts";
import type { ClusterOptions } from "../cluster-connection.ts";
import { outputOption, structured, table } from "../output.ts";
import type { StructuredFormat } from "../output.ts";
import type { Terminal } from "../terminal.ts";
import { collectOverheads } from "./collect.ts";

interface OverheadsOptions extends ClusterOptions {
  readonly output: "yaml" | "json" | "table";
}

export function overheadsCommand(terminal: Terminal): Command {
  const command = new Command("overheads")
    .description("Print what the cluster's engines take besides weights and KV cache, to plan with")
    .addOption(outputOption(["yaml", "json", "table"]));
  return withClusterOptions(command)
    .addHelpText(
      "after",
      `
One entry for each setting that some LlamaDeployment's status.plan.measured speaks of; of several the largest. Which
LlamaDeployments are left out, and why, is said on standard error.

Examples:
  llama-operator overheads > overheads.yaml
  llama-operator plan -f llama.yaml --measured-overheads overheads.yaml
  llama-operator overheads -o table`,
    )
    .action((options: OverheadsOptions) => printOverheads(options, terminal));
}

const requestTimeoutMs = 15_000;

async function printOverheads(options: OverheadsOptions, terminal: Terminal): Promise<void> {
  const { signal } = terminal;
  const { overheads, leftOut } = await withCluster(
    options,
    terminal,
    { requestTimeoutMs },
    async ({ client }) => {
      const [deployments, revisions] = await Promise.all([
        client.list(llamaDeployments, { signal }),
        client.list(controllerRevisions, { labelSelector: deploymentLabel, signal }),
      ]);
      return collectOverheads(deployments.items, revisions.items);
    },
  );
  for (const { deployment, because } of leftOut) {
    terminal.err.write(`${deployment} is left out: ${because}\n`);
  }
  terminal.out.write(
    options.output === "table"
      ? tableOf(overheads)
      : structured(overheads, options.output satisfies StructuredFormat),
  );
}

function tableOf(overheads: readonly MeasuredOverhead[]): string {
  return table([
    ["ENGINE", "GPU", "TP", "PP", "MODEL", "WEIGHTS", "SEQUENCES", "STEP", "OVERHEAD"],
    ...overheads.map((each) => [
      `${each.engine} ${each.version}`,
      each.gpu,
      String(each.tensor),
      String(each.pipeline),
      each.model,
      each.weights,
      String(each.maxNumSeqs),
      String(each.maxNumBatchedTokens),
      `${(each.overheadBytes / 2 ** 30).toFixed(2)} GiB`,
    ]),
  ]);
}
