// The commands that need Pulumi and a cluster: they run both projects in their order, on stacks that are there or are made.
import { Command } from "commander";
import { join } from "node:path";
import { showBuildProgress } from "../../local/cluster/build/progress.ts";
import type { ClusterFacts } from "../../local/cluster/options.ts";
import { CommandError, type Terminal } from "@llama-operator/cli";
import type { StackConfiguration } from "../config/stack-configuration.ts";
import { isMade } from "../platform/cloud-platform.ts";
import { recordedPools } from "../platform/outputs.ts";
import { withThrowAwayStacks } from "./first-preview.ts";
import { localCluster } from "./local-cluster.ts";
import { localEnvironment, ownEnvironment, pulumiRunner } from "./pulumi-cli.ts";
import type { Environment } from "./pulumi-cli.ts";
import { inEsc, readStack, sayPlan } from "./read-stack.ts";
import { destroy, destroyWithoutCluster, preview, up } from "./sequence.ts";
import type { ConfiguredPools, ProjectName, PulumiRunner, RunOptions } from "./sequence.ts";
import { parseStackName, withStack } from "./stack-name.ts";
import type { StackName, StackOption } from "./stack-name.ts";
import { makeStack, missingStacks } from "./stacks.ts";

interface RunFlags extends StackOption {
  readonly yes: boolean;
  readonly secretsProvider: string;
  readonly clusterGone: boolean;
}

/** `preview`, `up` and `destroy`. */
export function stackCommands(terminal: Terminal): readonly Command[] {
  const upCommand = stackCommand(
    terminal,
    "up",
    "Bring the platform up, then what serves on it",
    upFromNothing,
  );
  const destroyCommand = stackCommand(
    terminal,
    "destroy",
    "Preview the end of everything, then take it down in reverse order",
    destroyStacks,
  ).option(
    "--cluster-gone",
    "the cluster cannot be reached any more: forget what served on it, and take the platform down alone",
    false,
  );
  return [
    stackCommand(terminal, "preview", "Show what up would do; makes no stack", previewStacks),
    withSecrets(confirmed(upCommand)),
    confirmed(destroyCommand),
  ];
}

const withSecrets = (command: Command): Command =>
  command.option(
    "--secrets-provider <url>",
    "what encrypts the secrets of a stack that is made now, such as gcpkms://…, awskms://… or azurekeyvault://…; Pulumi's default when absent",
  );

const confirmed = (command: Command): Command => command.option("--yes", "do not ask", false);

/** What a command that needs Pulumi works with. */
interface Workplace {
  readonly pulumi: PulumiRunner;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  readonly stack: StackName;
  /** The projects that have no stack of this name yet. */
  readonly missing: readonly ProjectName[];
  readonly run: RunOptions;
  readonly secretsProvider: string | undefined;
  readonly clusterGone: boolean;
}

/**
 * A command that needs Pulumi and a cluster. What is wrong with the configuration is said before either is asked; what
 * cannot run is no reason against taking it down.
 */
function stackCommand(
  terminal: Terminal,
  name: "preview" | "up" | "destroy",
  description: string,
  action: (workplace: Workplace) => Promise<void>,
): Command {
  return withStack(new Command(name))
    .description(description)
    .action(async (options: StackOption & Partial<RunFlags>) => {
      const stack = parseStackName(options.stack);
      const configuration = await readStack(stack);
      if (configuration === undefined) terminal.err.write(`${inEsc(stack)}; its preview plans the models\n`);
      else if (name !== "destroy") sayPlan(configuration, terminal);
      const { clusterGone = false } = options;
      if (clusterGone && configuration?.platform.kind === "local") {
        throw new CommandError(
          "--cluster-gone: the state of a local stack ends with its cluster: there is nothing to take down",
        );
      }
      const { environment, cluster } = await workplace(configuration, terminal);
      const pulumi = pulumiRunner(environment, terminal.signal);
      await action({
        pulumi,
        environment,
        signal: terminal.signal,
        stack,
        missing: await missingStacks(pulumi, stack),
        run: {
          stack: stack.full,
          yes: options.yes ?? false,
          ...(configuration === undefined ? {} : { configured: poolsOf(configuration) }),
          announce: (text) => terminal.err.write(`\n$ ${text}\n`),
          say: (text) => terminal.err.write(`${text}\n`),
        },
        secretsProvider: options.secretsProvider,
        clusterGone,
      });
      if (cluster !== undefined) sayCluster(cluster, terminal);
    });
}

const poolsOf = ({ pools, allowReplace, platform }: StackConfiguration): ConfiguredPools => ({
  pools: recordedPools(pools),
  allowReplace,
  areMade: isMade(platform),
});

async function previewStacks(place: Workplace): Promise<void> {
  if (place.missing.length === 0) return preview(place.pulumi, place.run);
  return withThrowAwayStacks(place, async (pulumi) => preview(pulumi, place.run));
}

async function upFromNothing({ pulumi, stack, missing, run, secretsProvider }: Workplace): Promise<void> {
  for (const project of missing) await makeStack(pulumi, project, stack, secretsProvider);
  await up(pulumi, run);
}

async function destroyStacks({ pulumi, stack, missing, run, clusterGone }: Workplace): Promise<void> {
  const only = (["platform", "serving"] as const).filter((project) => !missing.includes(project));
  if (only.length === 0) {
    throw new CommandError(`nothing to take down: neither project has a stack ${stack.full}`);
  }
  await (clusterGone ? destroyWithoutCluster : destroy)(pulumi, { ...run, only });
}

async function workplace(
  configuration: StackConfiguration | undefined,
  terminal: Terminal,
): Promise<{
  readonly environment: Environment;
  readonly cluster?: ClusterFacts;
}> {
  if (configuration?.platform.kind !== "local") return { environment: await ownEnvironment(process.env) };
  const facts = await localCluster(configuration.platform.name, configuration, terminal);
  const progress = showBuildProgress({
    isTTY: terminal.err.isTerminal,
    write: (text) => terminal.err.write(text),
  });
  const environment = await localEnvironment(
    join(facts.stateDir, "pulumi"),
    facts.kubeconfigPath,
    process.env,
    progress,
  );
  return { environment, cluster: facts };
}

function sayCluster({ name, kubeconfigPath, proxyUrl }: ClusterFacts, terminal: Terminal): void {
  terminal.err.write(`\nexport KUBECONFIG=${kubeconfigPath}\n`);
  terminal.err.write(`export http_proxy=${proxyUrl}\n`);
  terminal.err.write(`stop the cluster: npm run -s llama-operator -- local down --name ${name}\n`);
}
