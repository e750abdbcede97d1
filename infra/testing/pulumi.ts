// The real Pulumi engine as tests run it: the local engine (infra/local-engine), with planned faults and, where a test
// wants clouds, doubles of their providers.
//
// Guarantees
// - Those of the local engine: nothing is downloaded, and all that is written lies in one folder of the caller.
// - The project's folder is only read: its stack files are copied.

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type EnginePrograms, engineEnvironment } from "../local-engine/environment.ts";
import { clusterVariable } from "./cloud-provider/api-server.ts";
import { CloudStore, cloudVariable } from "./cloud-provider/store.ts";
import { type EngineEvent, parseEventLog } from "./engine/events.ts";
import { setStackConfig, viewProject } from "../local-engine/project-view.ts";
import { countedCalls, type Fault, faultsVariable, planFault } from "./faults.ts";

export interface EngineOptions {
  /** The executables, as buildPulumi gives them. */
  readonly programs: EnginePrograms;
  /** An existing folder for everything that the engine writes; the caller removes it. */
  readonly homeDir: string;
  /** Added to the environment of every run. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The local cluster that stands for every managed cluster of a cloud; without it there are no clouds. */
  readonly clouds?: { readonly kubeconfigPath: string };
}

export interface RunOptions {
  /** Set in the stack's configuration, over its file, for this run and later ones: `project:key` and its value. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Further arguments of the CLI, such as `--policy-pack`. */
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Aborting kills the engine where it stands, as a lost machine would. */
  readonly signal?: AbortSignal;
}

export interface RunResult {
  /** Null where the engine was killed. */
  readonly exitCode: number | null;
  /** Standard output and standard error, as they came. */
  readonly output: string;
  readonly standardOutput: string;
  readonly events: readonly EngineEvent[];
}

/** A resource of an exported stack: what says whether options arrived. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly custom: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly parent?: string;
  readonly dependencies?: readonly string[];
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
  readonly aliases?: readonly string[];
  /** Seconds. */
  readonly customTimeouts?: { readonly create?: number; readonly update?: number; readonly delete?: number };
  readonly ignoreChanges?: readonly string[];
  readonly provider?: string;
  readonly initErrors?: readonly string[];
  /** The old one is deleted, and the new one not known to be made. */
  readonly pendingReplacement?: boolean;
}

export interface StackState {
  readonly deployment: {
    readonly resources?: readonly StateResource[];
    readonly pending_operations?: readonly { readonly type: string; readonly resource: StateResource }[];
  };
}

/** The engine; `projectDir` is the folder of a Pulumi.yaml, and a stack is made when it is first named. */
export interface PulumiEngine {
  preview(projectDir: string, stack: string, options?: RunOptions): Promise<RunResult>;
  /** Without a preview of its own: ask for one first, as a person would. */
  up(projectDir: string, stack: string, options?: RunOptions): Promise<RunResult>;
  refresh(projectDir: string, stack: string, options?: RunOptions): Promise<RunResult>;
  /** Without a preview of its own. */
  destroy(projectDir: string, stack: string, options?: RunOptions): Promise<RunResult>;
  /** Takes a resource that is there into the stack: its type, name and id are arguments, and often `--provider`. */
  importResource(projectDir: string, stack: string, options?: RunOptions): Promise<RunResult>;
  /** Says what destroy would do, or why it would not. */
  previewDestroy(projectDir: string, stack: string, options?: RunOptions): Promise<RunResult>;
  /** Gives up the lock that a killed engine has left. */
  cancel(projectDir: string, stack: string, options?: RunOptions): Promise<RunResult>;
  stackExport(projectDir: string, stack: string): Promise<StackState>;
  /** Puts back what was exported, perhaps mended by hand. */
  stackImport(projectDir: string, stack: string, state: StackState): Promise<RunResult>;
  /** `pulumi config`, such as to set a secret. */
  config(projectDir: string, stack: string, args: readonly string[]): Promise<RunResult>;
  /** Drops everything out of the state, protected or not, and touches nothing else. */
  forget(projectDir: string, stack: string): Promise<RunResult>;
  /** The stack's outputs, secrets in clear. */
  stackOutputs(projectDir: string, stack: string): Promise<Readonly<Record<string, unknown>>>;
  /** Plans a fault of a provider double; counted from now on. */
  planFault(fault: Fault): Promise<void>;
  /** How many calls the planned faults have counted. */
  countedCalls(): Promise<number>;
  /** Forgets every planned fault. */
  clearFaults(): Promise<void>;
  /** What is in the clouds, what they were asked, and what of their accounts a test may set. */
  readonly clouds: CloudStore;
  /** What a shell needs to use the same CLI on the same state. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Names a Node language host to run programs with, instead of this checkout's: `npm run test:stock-host` sets it. */
const languageHostVariable = "LLAMA_OPERATOR_LANGUAGE_HOST";

/** A folder with that host alone, since others of Pulumi's programs lie beside it. */
async function stockLanguageHost(folder: string): Promise<readonly string[]> {
  const host = process.env[languageHostVariable];
  if (host === undefined) return [];
  await mkdir(folder, { recursive: true });
  await symlink(host, join(folder, "pulumi-language-nodejs"));
  return [folder];
}

const pluginsIn = (name: string) => join(import.meta.dirname, name);

export async function pulumiEngine(options: EngineOptions): Promise<PulumiEngine> {
  const folder = (name: string) => join(options.homeDir, name);
  const [views, logs, faults] = [folder("projects"), folder("logs"), folder("faults")];
  await Promise.all([views, logs].map(async (path) => mkdir(path, { recursive: true })));
  const cloudState = folder("clouds.json");
  const environment = await engineEnvironment({
    programs: options.programs,
    homeDir: options.homeDir,
    plugins: [
      ...(await stockLanguageHost(folder("language-host"))),
      ...(options.clouds === undefined
        ? []
        : [pluginsIn("cloud-provider"), pluginsIn("cloud-provider/login-plugins")]),
      pluginsIn("kubernetes-provider"),
    ],
    environment: {
      // Without it the CLI has no event log.
      PULUMI_DEBUG_COMMANDS: "1",
      [faultsVariable]: faults,
      ...(options.clouds === undefined
        ? {}
        : { [cloudVariable]: cloudState, [clusterVariable]: options.clouds.kubeconfigPath }),
      ...options.environment,
    },
  });

  const command = async (
    view: string,
    args: readonly string[],
    run: RunOptions = {},
  ): Promise<CommandResult> =>
    runCommand(options.programs.pulumi, [...args, "--non-interactive", "--color=never"], {
      cwd: view,
      env: { ...environment, ...run.environment },
      ...(run.signal === undefined ? {} : { signal: run.signal }),
    });

  const stacks = new Set<string>();
  const stackView = async (projectDir: string, stack: string, run: RunOptions = {}): Promise<string> => {
    const view = await viewProject(projectDir, views);
    if (run.config !== undefined) {
      await setStackConfig(view, stack, run.config);
    }
    const path = join(view, stack);
    if (!stacks.has(path)) {
      const made = await command(view, [
        "stack",
        "init",
        stack,
        "--secrets-provider=passphrase",
        "--no-select",
      ]);
      if (made.exitCode !== 0 && !made.output.includes("already exists")) {
        throw new Error(`the stack ${stack} could not be made:\n${made.output}`);
      }
      stacks.add(path);
    }
    return view;
  };

  const operation =
    (name: string, ...args: readonly string[]) =>
    async (projectDir: string, stack: string, run: RunOptions = {}): Promise<RunResult> => {
      const view = await stackView(projectDir, stack, run);
      const log = join(await mkdtemp(join(logs, `${name}-`)), "events.json");
      const result = await command(
        view,
        [name, `--stack=${stack}`, `--event-log=${log}`, ...args, ...(run.args ?? [])],
        run,
      );
      const events = parseEventLog(await readFile(log, "utf8").catch(() => ""));
      return { ...result, events };
    };

  /** A command without steps. */
  const plain = async (
    projectDir: string,
    stack: string,
    args: readonly string[],
    run?: RunOptions,
  ): Promise<RunResult> => {
    return { ...(await command(await stackView(projectDir, stack, run), args, run)), events: [] };
  };

  const answer = async (projectDir: string, stack: string, args: readonly string[]): Promise<unknown> => {
    const view = await stackView(projectDir, stack);
    const result = await command(view, [...args, `--stack=${stack}`]);
    if (result.exitCode !== 0) {
      throw new Error(`pulumi ${args.join(" ")}:\n${result.output}`);
    }
    return JSON.parse(result.standardOutput) as unknown;
  };

  return {
    preview: operation("preview"),
    up: operation("up", "--yes", "--skip-preview"),
    refresh: operation("refresh", "--yes", "--skip-preview"),
    destroy: operation("destroy", "--yes", "--skip-preview"),
    importResource: operation(
      "import",
      "--yes",
      "--skip-preview",
      "--generate-code=false",
      "--protect=false",
    ),
    cancel: async (projectDir, stack, run) => plain(projectDir, stack, ["cancel", stack, "--yes"], run),
    previewDestroy: operation("destroy", "--preview-only"),
    stackExport: async (projectDir, stack) =>
      (await answer(projectDir, stack, ["stack", "export"])) as StackState,
    stackImport: async (projectDir, stack, exported) => {
      const file = join(await mkdtemp(join(logs, "state-")), "state.json");
      await writeFile(file, JSON.stringify(exported));
      return plain(projectDir, stack, ["stack", "import", `--stack=${stack}`, `--file=${file}`]);
    },
    config: async (projectDir, stack, args) =>
      plain(projectDir, stack, ["config", ...args, `--stack=${stack}`]),
    forget: async (projectDir, stack) =>
      plain(projectDir, stack, ["state", "delete", "--all", "--force", "--yes", `--stack=${stack}`]),
    stackOutputs: async (projectDir, stack) =>
      (await answer(projectDir, stack, ["stack", "output", "--json", "--show-secrets"])) as Readonly<
        Record<string, unknown>
      >,
    planFault: async (fault) => planFault(faults, fault),
    countedCalls: async () => countedCalls(faults),
    clearFaults: async () => rm(faults, { recursive: true, force: true }),
    clouds: new CloudStore(cloudState),
    environment,
  };
}

interface CommandResult {
  readonly exitCode: number | null;
  readonly output: string;
  readonly standardOutput: string;
}

interface CommandOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

async function runCommand(
  program: string,
  args: readonly string[],
  { cwd, env, signal }: CommandOptions,
): Promise<CommandResult> {
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const output: string[] = [];
  const standardOutput: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.push(text);
    standardOutput.push(text);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => output.push(text));
  const kill = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  if (signal?.aborted === true) kill();
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
      // Plugins that outlive a killed engine for a moment hold its pipes open.
      child.once("exit", (code) => {
        if (signal?.aborted === true) resolve(code);
      });
    });
    return { exitCode, output: output.join(""), standardOutput: standardOutput.join("") };
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}
