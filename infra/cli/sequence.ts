// In which order the two projects are run. The platform comes first and goes last; everything that is to be destroyed
// is previewed before anything is, because a destroy ends at the first resource that is protected, wherever that is.

export type ProjectName = "platform" | "serving";

/** Runs Pulumi's CLI in a project's folder. */
export interface PulumiRunner {
  /** With its output on the terminal. @returns the exit code */
  show(project: ProjectName, args: readonly string[]): Promise<number>;
  /** With its output returned: all of it as it came, and what of it is for programs. */
  read(project: ProjectName, args: readonly string[]): Promise<PulumiAnswer>;
}

export interface PulumiAnswer {
  readonly exitCode: number;
  readonly output: string;
  readonly standardOutput: string;
}

export interface RunOptions {
  /** As Pulumi's CLI takes it. */
  readonly stack: string;
  /** The projects that have such a stack, where not both do. */
  readonly only?: readonly ProjectName[];
  /** Do not ask. */
  readonly yes: boolean;
  /** Says what comes next. */
  readonly announce: (text: string) => void;
}

/** A run of Pulumi that failed; Pulumi itself has said why. */
export class PulumiFailure extends Error {
  override readonly name = "PulumiFailure";
}

const upwards: readonly ProjectName[] = ["platform", "serving"];
const downwards: readonly ProjectName[] = upwards.toReversed();

/** Shows what `up` would do. */
export async function preview(pulumi: PulumiRunner, options: RunOptions): Promise<void> {
  await runAll(pulumi, options, upwards, ["preview"]);
}

/** Brings the platform up, then what serves; Pulumi previews and asks before each, unless told not to. */
export async function up(pulumi: PulumiRunner, options: RunOptions): Promise<void> {
  await runAll(pulumi, options, upwards, ["up", ...confirmation(options)]);
}

/** Previews the end of everything, then takes down what serves, then the platform. */
export async function destroy(pulumi: PulumiRunner, options: RunOptions): Promise<void> {
  await runAll(pulumi, options, downwards, ["destroy", "--preview-only"]);
  await runAll(pulumi, options, downwards, ["destroy", ...confirmation(options)]);
}

/**
 * Takes the platform down where its cluster cannot be reached any more: what served is forgotten instead of deleted, after
 * the platform has been previewed, because a protected pool there must stop it while everything is still known.
 */
export async function destroyWithoutCluster(pulumi: PulumiRunner, options: RunOptions): Promise<void> {
  await runAll(pulumi, options, ["platform"], ["destroy", "--preview-only"]);
  await runAll(
    pulumi,
    options,
    ["serving"],
    ["state", "delete", "--all", "--force", ...confirmation(options)],
  );
  await runAll(pulumi, options, ["platform"], ["destroy", ...confirmation(options)]);
}

const confirmation = ({ yes }: RunOptions): readonly string[] => (yes ? ["--yes"] : []);

async function runAll(
  pulumi: PulumiRunner,
  { stack, only = upwards, announce }: RunOptions,
  projects: readonly ProjectName[],
  args: readonly string[],
): Promise<void> {
  for (const project of projects.filter((each) => only.includes(each))) {
    announce(`pulumi ${args.join(" ")} --stack ${stack}  (${project})`);
    const exitCode = await pulumi.show(project, [...args, "--stack", stack]);
    if (exitCode !== 0) {
      throw new PulumiFailure(
        `pulumi ${args.join(" ")} failed in infra/${project}; what it said stands above`,
      );
    }
  }
}
