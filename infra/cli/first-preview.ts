// The preview of a stack that is not there yet. It runs on a throw-away backend, a folder of this machine, so that it leaves
// no stack behind: not where the person's state lies, and no salt of its secrets in the checkout.
//
// Caveat: ESC environments are resolved by Pulumi Cloud alone. A stack that takes values of one is made first.
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isSecure, readPulumiStackFile, writePulumiStackFile } from "../config/pulumi-stack-file.ts";
import type { PulumiStackFile } from "../config/pulumi-stack-file.ts";
import { viewProject } from "../local-engine/project-view.ts";
import { type Environment, projectFolder, pulumiRunner } from "./pulumi-cli.ts";
import { PulumiFailure } from "./sequence.ts";
import type { ProjectName, PulumiRunner } from "./sequence.ts";
import type { StackName } from "./stack-name.ts";
import { makeStack } from "./stacks.ts";

export interface FirstPreview {
  /** Runs the projects whose stacks are there. */
  readonly pulumi: PulumiRunner;
  readonly stack: StackName;
  /** The projects that have no stack of this name. */
  readonly missing: readonly ProjectName[];
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

/** Gives `use` a runner that takes the missing stacks for made; all of it is gone afterwards. */
export async function withThrowAwayStacks(
  preview: FirstPreview,
  use: (pulumi: PulumiRunner) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "llama-operator-preview-"));
  try {
    await use(await throwAwayRunner(preview, folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function throwAwayRunner(
  { pulumi, stack, missing, environment, signal }: FirstPreview,
  folder: string,
): Promise<PulumiRunner> {
  const state = join(folder, "state");
  await mkdir(state);
  const passphrase = randomBytes(16).toString("hex");
  const made: Partial<Record<ProjectName, PulumiRunner>> = {};
  const make = async (project: ProjectName): Promise<PulumiRunner> => {
    const own = await readPulumiStackFile(projectFolder(project), stack.name);
    const view = await viewProject(projectFolder(project), folder);
    const keepsSecrets = isSecure(own.config);
    if (!keepsSecrets) await writePulumiStackFile(view, stack.name, withoutEncryption(own));
    const runner = pulumiRunner(
      {
        ...environment,
        PULUMI_BACKEND_URL: pathToFileURL(state).href,
        // Secrets that are written already have a passphrase or a key of the person's; else there is none to ask for.
        ...(keepsSecrets ? {} : { PULUMI_CONFIG_PASSPHRASE: passphrase }),
      },
      signal,
      () => view,
    );
    await makeStack(runner, project, { full: stack.name, name: stack.name }, own.secretsprovider);
    return inBackendWithoutOrganizations(runner, stack);
  };
  for (const project of missing) {
    const { environment: environments } = await readPulumiStackFile(projectFolder(project), stack.name);
    if (environments !== undefined) throw new PulumiFailure(needsCloud(project, stack));
    made[project] = await make(project);
  }
  // What serves asks the platform's stack for its outputs, on its own backend.
  if (made.serving !== undefined && made.platform === undefined) {
    await copyOutputs(pulumi, await make("platform"), stack, folder);
  }
  const of = (project: ProjectName): PulumiRunner => made[project] ?? pulumi;
  return {
    show: async (project, args) => of(project).show(project, args),
    read: async (project, args) => of(project).read(project, args),
  };
}

const needsCloud = (project: ProjectName, { full, name }: StackName): string =>
  `infra/${project}/Pulumi.${name}.yaml takes values of ESC environments, which Pulumi Cloud resolves for stacks that are there: make it first (cd infra/${project} && pulumi stack init ${full}), or run up, which previews before it asks`;

function withoutEncryption({ config }: PulumiStackFile): PulumiStackFile {
  return config === undefined ? {} : { config };
}

/** A backend of files knows no organization but its own. */
function inBackendWithoutOrganizations(pulumi: PulumiRunner, { full, name }: StackName): PulumiRunner {
  const named = (args: readonly string[]) => args.map((each) => (each === full ? name : each));
  return {
    show: async (project, args) => pulumi.show(project, named(args)),
    read: async (project, args) => pulumi.read(project, named(args)),
  };
}

/** Gives the throw-away platform stack the outputs of the one that is there. They may hold secrets: the folder is the person's alone. */
async function copyOutputs(
  from: PulumiRunner,
  to: PulumiRunner,
  { full, name }: StackName,
  folder: string,
): Promise<void> {
  const shown = await from.read("platform", ["stack", "output", "--json", "--show-secrets", "--stack", full]);
  if (shown.exitCode !== 0) throw new PulumiFailure(shown.output.trim());
  const type = "pulumi:pulumi:Stack";
  const project = "llama-platform";
  const stack = {
    urn: `urn:pulumi:${name}::${project}::${type}::${project}-${name}`,
    type,
    custom: false,
    outputs: JSON.parse(shown.standardOutput) as unknown,
  };
  const file = join(folder, "platform.json");
  await writeFile(file, JSON.stringify({ version: 3, deployment: { manifest: {}, resources: [stack] } }), {
    mode: 0o600,
  });
  const imported = await to.read("platform", ["stack", "import", "--file", file, "--stack", name]);
  if (imported.exitCode !== 0) throw new PulumiFailure(imported.output.trim());
}
