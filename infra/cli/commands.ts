// `npm run infra -- …`: the commands that run both projects in order, and those that need no cluster at all.
import { Command, Option } from "commander";
import { join, resolve } from "node:path";
import { showBuildProgress } from "../../local/cluster/build/progress.ts";
import {
  CommandError,
  exitCodes,
  outputOption,
  structured,
  type StructuredFormat,
  type Terminal,
} from "@llama-operator/cli";
import { ConfigurationError } from "../config/problem.ts";
import { overlayOfStackFile, readPulumiStackFile } from "../config/pulumi-stack-file.ts";
import type { StackConfiguration } from "../config/stack-configuration.ts";
import { readStackFile, stackFilePath } from "../config/stack-file.ts";
import { describePlan, planForPrograms } from "../planning/describe.ts";
import { describeRefusals, planStack } from "../planning/plan-stack.ts";
import type { StackPlanned } from "../planning/plan-stack.ts";
import { isMade } from "../platform/cloud-platform.ts";
import { recordedPools } from "../platform/outputs.ts";
import { renderStack } from "../render/files.ts";
import type { GitOpsController } from "../render/files.ts";
import { writeFiles } from "../render/write.ts";
import { localCluster } from "./local-cluster.ts";
import type { ClusterFacts } from "../../local/cluster/options.ts";
import { withThrowAwayStacks } from "./first-preview.ts";
import { localEnvironment, ownEnvironment, projectFolder, pulumiRunner } from "./pulumi-cli.ts";
import type { Environment } from "./pulumi-cli.ts";
import { destroy, destroyWithoutCluster, preview, up } from "./sequence.ts";
import type { ConfiguredPools, ProjectName, PulumiRunner, RunOptions } from "./sequence.ts";
import { parseStackName } from "./stack-name.ts";
import type { StackName } from "./stack-name.ts";
import { makeStack, missingStacks } from "./stacks.ts";

interface StackOption {
  readonly stack: string;
}

interface ConfirmOption extends StackOption {
  readonly yes: boolean;
  readonly secretsProvider: string;
  readonly clusterGone: boolean;
}

export function infraProgram(terminal: Terminal): Command {
  const program = new Command("infra")
    .description("Puts the operator, its GPU pools and its models on a cluster, with Pulumi")
    .option("--debug", "show stack traces of errors")
    .addCommand(planCommand(terminal))
    .addCommand(stackCommand(terminal, "preview", "Show what up would do; makes no stack", previewStacks))
    .addCommand(
      withSecrets(
        confirmed(
          stackCommand(terminal, "up", "Bring the platform up, then what serves on it", upFromNothing),
        ),
      ),
    )
    .addCommand(
      confirmed(
        stackCommand(
          terminal,
          "destroy",
          "Preview the end of everything, then take it down in reverse order",
          destroyStacks,
        ).option(
          "--cluster-gone",
          "the cluster cannot be reached any more: forget what served on it, and take the platform down alone",
          false,
        ),
      ),
    )
    .addCommand(renderCommand(terminal));
  return program;
}

const withStack = (command: Command): Command =>
  command.requiredOption(
    "--stack <name>",
    "the stack, as name or organization/name: its configuration is infra/stacks/<name>.yaml",
  );

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

/** A command that needs Pulumi and a cluster. What is wrong with the configuration is said before either is asked. */
function stackCommand(
  terminal: Terminal,
  name: string,
  description: string,
  action: (workplace: Workplace) => Promise<void>,
): Command {
  return withStack(new Command(name))
    .description(description)
    .action(async (options: StackOption & Partial<ConfirmOption>) => {
      const stack = parseStackName(options.stack);
      const configuration = await readStack(stack);
      if (configuration === undefined) terminal.err.write(`${inEsc(stack)}; its preview plans the models\n`);
      else sayPlan(configuration, terminal);
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

function planCommand(terminal: Terminal): Command {
  return withStack(new Command("plan"))
    .description("Check the configuration and plan its models; needs neither Pulumi nor a cluster")
    .addOption(outputOption(["text", "json", "yaml"]))
    .action(async ({ stack, output }: StackOption & { readonly output: "text" | StructuredFormat }) => {
      const plan = planOf(await readWholeStack(parseStackName(stack)));
      terminal.out.write(output === "text" ? describePlan(plan) : structured(planForPrograms(plan), output));
    });
}

interface RenderOptions extends StackOption {
  readonly out: string;
  readonly for: GitOpsController["kind"];
  readonly repository?: string;
  readonly revision: string;
}

function renderCommand(terminal: Terminal): Command {
  return withStack(new Command("render"))
    .description("Write what serves as YAML for a GitOps controller; needs neither Pulumi nor a cluster")
    .requiredOption("--out <folder>", "folder to write to; made where it is not there")
    .addOption(new Option("--for <controller>", "the controller").choices(["flux", "argo"]).default("flux"))
    .option("--repository <url>", "for Argo CD: the Git repository that has this project's charts")
    .option("--revision <revision>", "for Argo CD: branch, tag or commit of it", "HEAD")
    .action(async (options: RenderOptions) => {
      const controller = controllerOf(options);
      const configuration = await readWholeStack(parseStackName(options.stack));
      if (configuration.secretChartValues === true) {
        throw new CommandError(
          "operator.values comes by Pulumi's configuration, which may be secret, and these files are not: write in infra/stacks what may be seen, and name Secrets for the rest",
        );
      }
      sayPlan(configuration, terminal);
      const { out } = options;
      const files = renderStack(configuration, controller);
      const left = await writeFiles(out, files);
      for (const { path } of files) terminal.out.write(`${join(out, path)}\n`);
      for (const path of left)
        terminal.err.write(`${join(out, path)} is of no object of the stack any more\n`);
    });
}

/** @throws CommandError where Argo CD would not know where the charts are */
function controllerOf({ for: kind, repository: url, revision }: RenderOptions): GitOpsController {
  if (kind === "flux") return { kind };
  if (url !== undefined) return { kind, repository: { url, revision } };
  throw new CommandError(
    "--repository: write the URL of the Git repository that has charts/llama-operator; an Application names it",
    { code: exitCodes.usage },
  );
}

/**
 * The configuration as it is known without Pulumi, secrets left out; undefined where values come from ESC environments,
 * which Pulumi alone resolves. The programs read and check all of it again.
 */
async function readStack({ name }: StackName): Promise<StackConfiguration | undefined> {
  const folder = projectFolder("serving");
  const own = await readPulumiStackFile(folder, name);
  if (own.environment !== undefined) return undefined;
  const overlay = overlayOfStackFile(own);
  const path = overlay.file === undefined ? stackFilePath(name) : resolve(folder, overlay.file);
  try {
    return await readStackFile(path, overlay);
  } catch (error) {
    const code = error instanceof ConfigurationError ? exitCodes.usage : exitCodes.error;
    throw new CommandError(error instanceof Error ? error.message : String(error), { code, cause: error });
  }
}

/** @throws CommandError where Pulumi alone knows all of it */
async function readWholeStack(stack: StackName): Promise<StackConfiguration> {
  const configuration = await readStack(stack);
  if (configuration !== undefined) return configuration;
  throw new CommandError(`${inEsc(stack)}: ask \`pulumi preview\` in infra/serving`);
}

const inEsc = ({ name }: StackName): string =>
  `infra/serving/Pulumi.${name}.yaml takes values of ESC environments, which Pulumi alone resolves`;

/** @throws CommandError where a model cannot run */
function planOf(configuration: StackConfiguration): StackPlanned {
  const plan = planStack(configuration);
  if (!plan.ok) throw new CommandError(describeRefusals(plan.refusals), { code: exitCodes.refused });
  return plan;
}

/** Says how each model will run. @throws CommandError where one cannot */
function sayPlan(configuration: StackConfiguration, terminal: Terminal): void {
  terminal.err.write(describePlan(planOf(configuration)));
}
