// A container that is a program of this machine: its image's entrypoint with its arguments, as a process with the pod's
// environment, volumes and address. It ends with its container, and with this process however that ends.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { EngineFaults } from "../../engine/faults.ts";
import type { Clock } from "../../engine/clock.ts";
import type { ProcessExit, SimulatedProcess } from "../../engine/process.ts";
import { expandVariables, type ReadData } from "../environment.ts";
import type { Container, Pod } from "../pod.ts";
import { keepFresh, type RequestToken } from "./account-token.ts";
import { namespacesVariable } from "./namespace-rules.ts";
import type { ProgramTable } from "./program-table.ts";
import { writeVolumes } from "./volumes.ts";

/** What programs of this machine need of it; the same for all pods. */
export interface ProgramHost {
  readonly table: ProgramTable;
  /** Volumes are folders in there. */
  readonly directory: string;
  /** As every container is told: KUBERNETES_SERVICE_HOST and _PORT. */
  readonly apiServer: { readonly host: string; readonly port: string };
  /** PATH of the programs; nothing else of this process's environment reaches them. */
  readonly searchPath: string;
  readonly requestToken: RequestToken;
}

export interface ProgramOptions {
  readonly host: ProgramHost;
  readonly entrypoint: readonly string[];
  readonly pod: Pod;
  readonly container: Container;
  readonly address: string;
  readonly nodeAddress: string | undefined;
  /** The container's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly faults: EngineFaults;
  readonly readData: ReadData;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

const preload = new URL("namespaces.ts", import.meta.url).href;
/** After standard input, output and error. */
const lifelineDescriptor = 3;
/** Where the tokens of this machine's own pod would be, if it is one. */
const secretsPath = "/var/run/secrets";

/**
 * Starts the program; its output goes to the log line by line.
 * @throws Error where a volume cannot be had or the program cannot be run
 */
export async function startProgram(options: ProgramOptions): Promise<SimulatedProcess> {
  const { host, entrypoint, pod, container, address, env, faults, clock, log } = options;
  if (container.command !== undefined) {
    throw new Error(`image ${container.image} has no other program than its entrypoint: leave out command`);
  }
  if (faults.outOfMemory === true) return ended({ exitCode: 137, oomKilled: true });
  if (faults.exitCode !== undefined) return ended({ exitCode: faults.exitCode, oomKilled: false });
  const directory = await newFolder(host.directory, pod, container);
  const exit = new AbortController();
  try {
    const { mounts, tokens } = await writeVolumes(container, directory, { ...host, ...options });
    const hidden = { [secretsPath]: join(directory, "no-secrets") };
    const [program = "", ...args] = [
      ...entrypoint,
      ...(container.args ?? []).map((word) => expandVariables(word, env)),
    ];
    const child = spawn(program, args, {
      cwd: "/",
      env: {
        PATH: host.searchPath,
        HOSTNAME: pod.spec?.hostname ?? pod.metadata.name,
        KUBERNETES_SERVICE_HOST: host.apiServer.host,
        KUBERNETES_SERVICE_PORT: host.apiServer.port,
        ...env,
        ...namespacesVariable({ address, mounts: { ...hidden, ...mounts }, lifeline: lifelineDescriptor }),
        NODE_OPTIONS: `${env["NODE_OPTIONS"] ?? ""} --import=${preload}`.trim(),
      },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    await once(child, "spawn");
    const rotating = tokens.map(async (file) =>
      keepFresh(file, pod, host.requestToken, clock, (error) => log(`kubelet: ${error}`), exit.signal),
    );
    const exited = exitOf(child, log).then(async (ending) => {
      exit.abort();
      await Promise.all(rotating);
      await rm(directory, { recursive: true, force: true });
      return ending;
    });
    return controlled(child, exited, faults, clock, exit.signal);
  } catch (error) {
    exit.abort();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/**
 * A folder that no other user may read, because tokens lie in it. It is the container's own over all its starts: a kubelet
 * that was killed has left the one of before.
 */
async function newFolder(parent: string, { metadata }: Pod, { name }: Container): Promise<string> {
  const folder = join(parent, `${metadata.uid}_${name}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Resolves when the process has ended and all that it wrote is in the log. */
async function exitOf(child: ChildProcess, log: (line: string) => void): Promise<ProcessExit> {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on("line", log);
  }
  const lifeline = child.stdio[lifelineDescriptor];
  if (lifeline !== null && lifeline !== undefined && "resume" in lifeline) {
    lifeline.on("error", () => undefined);
    lifeline.resume();
  }
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  const killed = signal === null ? 0 : 128 + constants.signals[signal];
  return { exitCode: code ?? killed, oomKilled: false };
}

function controlled(
  child: ChildProcess,
  exited: Promise<ProcessExit>,
  faults: EngineFaults,
  clock: Clock,
  hasExited: AbortSignal,
): SimulatedProcess {
  const inject = ({ hang, crashAfterSeconds }: EngineFaults): void => {
    // Its sockets stay and answer nothing, and SIGTERM waits with everything else.
    if (hang === true) child.kill("SIGSTOP");
    if (crashAfterSeconds === undefined) return;
    clock.sleep(crashAfterSeconds * 1000, hasExited).then(
      () => child.kill("SIGKILL"),
      () => undefined,
    );
  };
  inject(faults);
  return {
    exited,
    terminate: () => void child.kill("SIGTERM"),
    kill: () => void child.kill("SIGKILL"),
    inject,
  };
}

/** A start that a fault ended before the program did anything. */
function ended(exit: ProcessExit): SimulatedProcess {
  return {
    exited: Promise.resolve(exit),
    terminate: () => undefined,
    kill: () => undefined,
    inject: () => undefined,
  };
}
