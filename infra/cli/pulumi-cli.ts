// Finds a Pulumi CLI and runs it: the one on PATH, or, for the local stack of a checkout, the one that local/tools
// builds, with the language host and the Kubernetes provider that stand for Pulumi's own.
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildPulumi } from "../../local/cluster/build/pulumi.ts";
import type { BuildEvent } from "../../local/cluster/build/build.ts";
import { engineEnvironment } from "../local-engine/environment.ts";
import { isExecutable } from "../platform/kubeconfig.ts";
import type { ProjectName, PulumiRunner } from "./sequence.ts";

export type Environment = Readonly<Record<string, string>>;

export class PulumiMissing extends Error {
  override readonly name = "PulumiMissing";
}

const isOnPath = async (env: Readonly<Record<string, string | undefined>>): Promise<boolean> =>
  isExecutable("pulumi", env);

/**
 * The environment in which Pulumi works on the local cluster: its state lies in `folder`, and ends with the cluster.
 * Without a CLI on PATH the checkout's own is built.
 */
export async function localEnvironment(
  folder: string,
  kubeconfig: string,
  env: NodeJS.ProcessEnv,
  onEvent: (event: BuildEvent) => void,
): Promise<Environment> {
  await mkdir(folder, { recursive: true });
  if (!(await isOnPath(env))) {
    const programs = await buildPulumi({ onEvent });
    return engineEnvironment({ programs, homeDir: folder, environment: { KUBECONFIG: kubeconfig } });
  }
  const state = join(folder, "state");
  await mkdir(state, { recursive: true });
  return {
    ...definedOf(env),
    KUBECONFIG: kubeconfig,
    PULUMI_BACKEND_URL: pathToFileURL(state).href,
    // Of the salt in Pulumi.local.yaml; the local stack holds no secret.
    PULUMI_CONFIG_PASSPHRASE: "local",
  };
}

/** The environment of a cluster that is there: the person's own Pulumi, with the state that it is logged in to. */
export async function ownEnvironment(env: NodeJS.ProcessEnv): Promise<Environment> {
  if (await isOnPath(env)) return definedOf(env);
  throw new PulumiMissing(
    "Pulumi's CLI is not on PATH: install it (https://www.pulumi.com/docs/install/) and log in to where the state shall lie",
  );
}

function definedOf(env: NodeJS.ProcessEnv): Environment {
  return Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

/** The folder of a project in this checkout. */
export const projectFolder = (project: ProjectName): string => join(import.meta.dirname, "..", project);

/**
 * Runs the CLI in the folders of the two projects, or of views of them. An aborted signal is passed on, and Pulumi ends what
 * it has begun.
 */
export function pulumiRunner(
  environment: Environment,
  signal: AbortSignal,
  folderOf: (project: ProjectName) => string = projectFolder,
): PulumiRunner {
  const run = async (project: ProjectName, args: readonly string[], shown: boolean) => {
    const child = spawn("pulumi", args, {
      cwd: folderOf(project),
      env: { ...environment, PULUMI_SKIP_UPDATE_CHECK: "1" },
      stdio: shown ? "inherit" : ["ignore", "pipe", "pipe"],
    });
    const output: string[] = [];
    const standardOutput: string[] = [];
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output.push(text);
      standardOutput.push(text);
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => output.push(text));
    const interrupt = () => child.kill("SIGINT");
    signal.addEventListener("abort", interrupt, { once: true });
    try {
      const exitCode = await new Promise<number>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code) => resolve(code ?? 1));
      });
      signal.throwIfAborted();
      return { exitCode, output: output.join(""), standardOutput: standardOutput.join("") };
    } finally {
      signal.removeEventListener("abort", interrupt);
    }
  };
  return {
    show: async (project, args) => (await run(project, args, true)).exitCode,
    read: async (project, args) => run(project, args, false),
  };
}
