// Which of the two projects have a stack of a name, and making those that have none: asked before each command, so that
// only `up` ever makes one, and what Pulumi says to a stack that is there (that it is locked, say) is not hidden.
import { PulumiFailure } from "./sequence.ts";
import type { ProjectName, PulumiRunner } from "./sequence.ts";
import type { StackName } from "./stack-name.ts";

const projects: readonly ProjectName[] = ["platform", "serving"];

/** The projects that have no stack of this name. @throws PulumiFailure in Pulumi's words where it does not say */
export async function missingStacks(pulumi: PulumiRunner, stack: StackName): Promise<readonly ProjectName[]> {
  const missing: ProjectName[] = [];
  for (const project of projects) {
    if (!(await stacksOf(pulumi, project, stack)).includes(stack.name)) missing.push(project);
  }
  return missing;
}

/** Names without their organization, which Pulumi leaves out where it is the person's own. */
async function stacksOf(
  pulumi: PulumiRunner,
  project: ProjectName,
  { organization }: StackName,
): Promise<readonly string[]> {
  const filter = organization === undefined ? [] : ["--organization", organization];
  const { exitCode, output, standardOutput } = await pulumi.read(project, [
    "stack",
    "ls",
    "--json",
    ...filter,
  ]);
  if (exitCode !== 0) throw new PulumiFailure(output.trim());
  const listed = JSON.parse(standardOutput) as readonly { readonly name: string }[];
  const names = listed.map(({ name }) => name.split("/"));
  return names
    .filter((parts) => organization !== undefined || parts.length === 1)
    .map((parts) => parts.at(-1) ?? "");
}

/** What encrypts the secrets of new stacks, as `pulumi stack init --secrets-provider` takes it; Pulumi's default when absent. */
export type SecretsProvider = string | undefined;

/** @throws PulumiFailure in Pulumi's words */
export async function makeStack(
  pulumi: PulumiRunner,
  project: ProjectName,
  stack: StackName,
  secretsProvider: SecretsProvider,
): Promise<void> {
  const secrets = secretsProvider === undefined ? [] : ["--secrets-provider", secretsProvider];
  const { exitCode, output } = await pulumi.read(project, [
    "stack",
    "init",
    stack.full,
    "--no-select",
    ...secrets,
  ]);
  if (exitCode !== 0) {
    throw new PulumiFailure(`the stack ${stack.full} of ${project} could not be made:\n${output.trim()}`);
  }
}
