// `npm run infra -- …`: the commands that run both projects in order, and those that need no cluster at all.
import { Command, Option } from "commander";
import { join } from "node:path";
import {
  CommandError,
  exitCodes,
  outputOption,
  structured,
  type StructuredFormat,
  type Terminal,
} from "@llama-operator/cli";
import { describePlan, planForPrograms } from "../planning/describe.ts";
import { renderStack } from "../render/files.ts";
import type { GitOpsController } from "../render/files.ts";
import { writeFiles } from "../render/write.ts";
import { planOf, readWholeStack, sayPlan } from "./read-stack.ts";
import { stackCommands } from "./stack-commands.ts";
import { parseStackName, withStack } from "./stack-name.ts";
import type { StackOption } from "./stack-name.ts";

export function infraProgram(terminal: Terminal): Command {
  const program = new Command("infra")
    .description("Puts the operator, its GPU pools and its models on a cluster, with Pulumi")
    .option("--debug", "show stack traces of errors")
    .addCommand(planCommand(terminal));
  for (const command of stackCommands(terminal)) program.addCommand(command);
  return program.addCommand(renderCommand(terminal));
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
