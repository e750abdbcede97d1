// The language runtime as the engine calls it: which packages a program needs, and run it; and run policy packs.

import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Readable } from "node:stream";

import type { ServerWritableStream } from "@grpc/grpc-js";
import type { ILanguageRuntimeServer } from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import type { RunPluginRequest, RunPluginResponse, RunRequest } from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";

import { type Answered, unary } from "../protocol/serve.ts";

/** A flag of Node: what a program, or a policy pack, is started with first. */
const leanSdk = `--import=${import.meta.resolve("./lean-sdk.ts")}`;

/** `cmd/run` exits so when the program has failed and has told the person why. */
const bailExitCode = 32;

export interface LanguageRuntime {
  readonly service: Answered<ILanguageRuntimeServer>;
  /** Ends the programs that still run. */
  stop(): void;
}

export function languageRuntime(engineAddress: string): LanguageRuntime {
  const running = new Set<ChildProcess>();
  const stop = () => {
    for (const child of running) child.kill("SIGKILL");
  };

  const track = (child: ChildProcess): ChildProcess => {
    running.add(child);
    child.once("exit", () => running.delete(child));
    return child;
  };

  return {
    stop,
    service: {
      handshake: unary(async () => new language.LanguageHandshakeResponse()),
      getRequiredPlugins: unary(async () => new language.GetRequiredPluginsResponse()),
      getRequiredPackages: unary(async () => new language.GetRequiredPackagesResponse()),
      getProgramDependencies: unary(async () => new language.GetProgramDependenciesResponse()),
      runtimeOptionsPrompts: unary(async () => new language.RuntimeOptionsResponse()),
      getPluginInfo: unary(async () => new plugin.PluginInfo()),
      about: unary(async () => {
        const about = new language.AboutResponse();
        about.setExecutable(process.execPath);
        about.setVersion(process.version);
        return about;
      }),
      cancel: unary(async () => {
        stop();
        return new empty.Empty();
      }),

      run: unary(async (request: RunRequest) => {
        const child = track(
          spawn(process.execPath, runArguments(request, engineAddress), {
            env: { ...process.env, ...runEnvironment(request) },
            // The engine reads this process's standard output for the port alone, and passes on what follows.
            stdio: ["ignore", "inherit", "inherit"],
          }),
        );
        const response = new language.RunResponse();
        const ended = await endOf(child);
        if (ended === bailExitCode) response.setBail(true);
        else if (ended !== 0) response.setError(`the program ended with ${ended}`);
        return response;
      }),

      runPlugin: (call) => {
        void runPolicyPack(call, track).then(
          () => call.end(),
          (error: unknown) => call.destroy(error instanceof Error ? error : new Error(String(error))),
        );
      },
    },
  };
}

type PluginCall = ServerWritableStream<RunPluginRequest, RunPluginResponse>;

/** Runs a policy pack, with its output and in the end its exit code as answers, until the engine gives up the call. */
async function runPolicyPack(call: PluginCall, track: (child: ChildProcess) => ChildProcess): Promise<void> {
  const { request } = call;
  if (request.getKind() !== "analyzer")
    throw new Error(`plugins of kind ${request.getKind()} are not run here`);
  const folder = request.getInfo()?.getProgramDirectory() ?? request.getPwd();
  const runner = createRequire(join(folder, "package.json")).resolve("@pulumi/pulumi/cmd/run-policy-pack");
  const child = spawn(process.execPath, [leanSdk, runner, ...request.getArgsList(), folder], {
    cwd: folder,
    env: Object.fromEntries(request.getEnvList().map((each) => splitOnce(each, "="))),
    stdio: ["ignore", "pipe", "pipe"],
  });
  track(child);
  call.on("cancelled", () => child.kill("SIGKILL"));
  const pass = (stream: Readable, answer: (data: Buffer) => RunPluginResponse) =>
    stream.on("data", (data: Buffer) => call.write(answer(data)));
  pass(child.stdout, (data) => new language.RunPluginResponse().setStdout(data));
  pass(child.stderr, (data) => new language.RunPluginResponse().setStderr(data));
  const ended = await endOf(child);
  call.write(new language.RunPluginResponse().setExitcode(typeof ended === "number" ? ended : 1));
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

const require = createRequire(import.meta.url);

/** The command line of Node for `cmd/run`: what goes before it, its flags, the program, the program's arguments. */
export function runArguments(request: RunRequest, engineAddress: string): readonly string[] {
  const flags: Readonly<Record<string, string | undefined>> = {
    monitor: request.getMonitorAddress(),
    engine: engineAddress,
    organization: request.getOrganization(),
    project: request.getProject(),
    "root-directory": request.getInfo()?.getRootDirectory(),
    stack: request.getStack(),
    pwd: request.getInfo()?.getProgramDirectory() ?? request.getPwd(),
    parallel: String(request.getParallel()),
  };
  const entryPoint = request.getInfo()?.getEntryPoint() ?? request.getProgram();
  return [
    leanSdk,
    require.resolve("@pulumi/pulumi/cmd/run"),
    ...Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
    ...(request.getDryrun() ? ["--dry-run"] : []),
    entryPoint === "" ? "." : entryPoint,
    ...request.getArgsList(),
  ];
}

/** The stack's configuration travels in the environment, where the SDK looks for it. */
export function runEnvironment(request: RunRequest): Readonly<Record<string, string>> {
  return {
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().getEntryList())),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    PULUMI_NODEJS_TYPESCRIPT: "false",
  };
}

/** The exit code, or the signal that has ended it. */
async function endOf(child: ChildProcess): Promise<number | string | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? signal));
  });
}
