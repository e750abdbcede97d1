// A stack's configuration and its plan, as they are known before Pulumi is asked.
import { resolve } from "node:path";
import { CommandError, exitCodes, type Terminal } from "@llama-operator/cli";
import { ConfigurationError } from "../config/problem.ts";
import { overlayOfStackFile, readPulumiStackFile } from "../config/pulumi-stack-file.ts";
import type { StackConfiguration } from "../config/stack-configuration.ts";
import { readStackFile, stackFilePath } from "../config/stack-file.ts";
import { describePlan } from "../planning/describe.ts";
import { describeRefusals, planStack } from "../planning/plan-stack.ts";
import type { StackPlanned } from "../planning/plan-stack.ts";
import { projectFolder } from "./pulumi-cli.ts";
import type { StackName } from "./stack-name.ts";

/**
 * The configuration as it is known without Pulumi, secrets left out; undefined where values come from ESC environments,
 * which Pulumi alone resolves. The programs read and check all of it again.
 */
export async function readStack({ name }: StackName): Promise<StackConfiguration | undefined> {
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
export async function readWholeStack(stack: StackName): Promise<StackConfiguration> {
  const configuration = await readStack(stack);
  if (configuration !== undefined) return configuration;
  throw new CommandError(`${inEsc(stack)}: ask \`pulumi preview\` in infra/serving`);
}

export const inEsc = ({ name }: StackName): string =>
  `infra/serving/Pulumi.${name}.yaml takes values of ESC environments, which Pulumi alone resolves`;

/** @throws CommandError where a model cannot run */
export function planOf(configuration: StackConfiguration): StackPlanned {
  const plan = planStack(configuration);
  if (!plan.ok) throw new CommandError(describeRefusals(plan.refusals), { code: exitCodes.refused });
  return plan;
}

/** Says how each model will run. @throws CommandError where one cannot */
export function sayPlan(configuration: StackConfiguration, terminal: Terminal): void {
  terminal.err.write(describePlan(planOf(configuration)));
}
