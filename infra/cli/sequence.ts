// In which order the two projects are run. The platform comes first and goes last, but for a run that only takes something
// away from it. Before it does anything, Pulumi's engine is asked what it would do to the pools; everything that is to be
// destroyed is previewed before anything is, because a destroy ends at the first resource that is protected, wherever
// that is.
import type { RecordedPools } from "../platform/outputs.ts";
import { orderOf } from "./order.ts";
import { describePoolSteps, poolSteps, replacementRefusal } from "../guards/engine-steps.ts";

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
  /** Absent where Pulumi alone resolves the configuration. */
  readonly configured?: ConfiguredPools;
  /** Says what comes next. */
  readonly announce: (text: string) => void;
  /** Says what is known. */
  readonly say: (text: string) => void;
}

/** What the stack's configuration says of its pools. */
export interface ConfiguredPools {
  readonly pools: RecordedPools;
  /** Pools that a change may replace. */
  readonly allowReplace: readonly string[];
  /** Whether a cloud makes them: others have no nodes that Pulumi could take. */
  readonly areMade: boolean;
}

/** A run of Pulumi that failed; Pulumi itself has said why. */
export class PulumiFailure extends Error {
  override readonly name = "PulumiFailure";
}

const upwards: readonly ProjectName[] = ["platform", "serving"];
const downwards: readonly ProjectName[] = upwards.toReversed();

/** Shows what `up` would do, as far as that is known before what comes first is done. */
export async function preview(pulumi: PulumiRunner, options: RunOptions): Promise<void> {
  const order = await orderOf(pulumi, options.stack, options.configured?.pools);
  if (order[0] === "platform") {
    await checkPools(pulumi, options);
    return runAll(pulumi, options, order, ["preview"]);
  }
  await runAll(pulumi, options, ["serving"], ["preview"]);
  options.say("the platform gives nodes up once nothing serves on them: up previews it then");
}

/**
 * Brings the platform up, then what serves, or the other way round where the platform only shrinks; Pulumi previews and
 * asks before each, unless told not to.
 */
export async function up(pulumi: PulumiRunner, options: RunOptions): Promise<void> {
  for (const project of await orderOf(pulumi, options.stack, options.configured?.pools)) {
    if (project === "platform") await checkPools(pulumi, options);
    await runAll(pulumi, options, [project], ["up", ...confirmation(options)]);
  }
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

/**
 * Asks the engine what it would do to the pools. @throws PulumiFailure where it would replace one that nobody has named.
 * A preview that fails says so itself in the run that follows.
 */
async function checkPools(
  pulumi: PulumiRunner,
  { stack, only = upwards, configured, say }: RunOptions,
): Promise<void> {
  if (configured?.areMade !== true || !only.includes("platform")) return;
  const { exitCode, standardOutput } = await pulumi.read("platform", ["preview", "--json", "--stack", stack]);
  if (exitCode !== 0) return;
  const steps = poolSteps(standardOutput);
  const refusal = replacementRefusal(steps, configured.allowReplace);
  if (refusal !== undefined) throw new PulumiFailure(refusal);
  for (const line of describePoolSteps(steps, configured.pools)) say(line);
}

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
