// The Node side of the supervisor (local/tools/supervisor): starts it and talks to it over its socket. The
// processes of a cluster are the supervisor's, not this process's, so that nothing outlives it by mistake.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import type { BuiltPrograms } from "./build/build.ts";
import { LocalClusterError } from "./errors.ts";
import type { ClusterProcess, ProcessStatus } from "./options.ts";

/** Between SIGTERM and SIGKILL of one process. */
const graceSeconds = 5;

/** The exit status by which the supervisor says that another one holds the state folder. */
const exitInUse = 3;

/** What the kernel allows for the path of a socket, in bytes (unix(7)). */
const longestSocketPath = 107;

export interface SupervisorStatus {
  readonly addressBlock: string;
  readonly pid: number;
  readonly processes: readonly ProcessStatus[];
}

interface Answer extends Partial<SupervisorStatus> {
  readonly error?: string;
}

export class Supervisor {
  readonly #stateDir: string;
  /**
   * Aborted when the supervisor ends, with the reason: by itself, or because it was asked to.
   * Only for a supervisor that this process has started.
   */
  readonly ended: AbortSignal | undefined;

  private constructor(stateDir: string, ended?: AbortSignal) {
    this.#stateDir = stateDir;
    this.ended = ended;
  }

  /**
   * Starts a supervisor, which empties the state folder and claims it and a block of addresses.
   * @throws LocalClusterError InUse when a running cluster has the folder, StartFailed otherwise
   */
  static async start(
    programs: BuiltPrograms,
    stateDir: string,
    detached: boolean,
  ): Promise<{ readonly supervisor: Supervisor; readonly addressBlock: string; readonly pid: number }> {
    checkSocketPath(stateDir);
    const args = ["supervise", "--state", stateDir, "--grace", `${graceSeconds}s`];
    const child = spawn(join(programs.supervisor, "supervisor"), detached ? [...args, "--detached"] : args, {
      // A session of its own: a terminal's Ctrl-C and hang-up reach only this process, which then decides.
      detached: true,
      cwd: "/",
      // Attached, the pipe of standard input is what ties the two lives together.
      stdio: [detached ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const ready = await readyLine(child, stateDir);
    const ended = new AbortController();
    child.once("exit", (code, killedBy) => {
      void describeEnd(stateDir, code ?? killedBy).then((reason) => ended.abort(reason));
    });
    // Neither the process nor its pipes keep this one alive.
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) {
      if (stream !== null && "unref" in stream && typeof stream.unref === "function") {
        stream.unref();
      }
    }
    return { supervisor: new Supervisor(stateDir, ended.signal), ...ready };
  }

  /** Speaks to the supervisor of a state folder, started by this process or another. */
  static at(stateDir: string): Supervisor {
    return new Supervisor(stateDir);
  }

  /** @throws LocalClusterError NotRunning */
  async status(): Promise<SupervisorStatus> {
    const answer = await this.#ask({ operation: "status" });
    return {
      addressBlock: answer.addressBlock ?? "",
      pid: answer.pid ?? 0,
      processes: answer.processes ?? [],
    };
  }

  /** Runs a process; one that stopped may be started again under its name. */
  async startProcess(process: ClusterProcess): Promise<void> {
    await this.#ask({
      operation: "start",
      process: {
        name: process.name,
        command: process.command,
        environment: Object.entries(process.environment ?? {}).map(([name, value]) => `${name}=${value}`),
        directory: process.directory ?? "/",
      },
    });
  }

  /** Returns when the process has ended. */
  async stopProcess(name: string): Promise<void> {
    await this.#ask({ operation: "stop", name });
  }

  /** Stops every process and the supervisor itself; returns when all have ended. */
  async shutdown(keepState: boolean): Promise<void> {
    await this.#exchange({ operation: "shutdown", keepState });
  }

  async #ask(request: Readonly<Record<string, unknown>>): Promise<Answer> {
    const said = await this.#exchange(request);
    if (said === "") {
      throw new LocalClusterError("NotRunning", `the local cluster in ${this.#stateDir} has just stopped`);
    }
    const answer = JSON.parse(said) as Answer;
    if (answer.error !== undefined) {
      throw new LocalClusterError("CommandFailed", `local cluster: ${answer.error}`);
    }
    return answer;
  }

  async #exchange(request: Readonly<Record<string, unknown>>): Promise<string> {
    const socket = connect({ path: socketPath(this.#stateDir) });
    try {
      await once(socket, "connect");
      socket.write(`${JSON.stringify(request)}\n`);
      return await text(socket);
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && cause.code === "ECONNRESET") {
        return "";
      }
      throw new LocalClusterError("NotRunning", `no local cluster runs in ${this.#stateDir}`, { cause });
    } finally {
      socket.destroy();
    }
  }
}

function socketPath(stateDir: string): string {
  return join(stateDir, "supervisor.sock");
}

function checkSocketPath(stateDir: string): void {
  if (Buffer.byteLength(socketPath(stateDir)) > longestSocketPath) {
    throw new LocalClusterError(
      "InvalidOptions",
      `the state folder ${stateDir} has too long a path for a socket in it: choose one of at most ${longestSocketPath - "/supervisor.sock".length} bytes`,
    );
  }
}

async function readyLine(
  child: ChildProcess,
  stateDir: string,
): Promise<{ readonly addressBlock: string; readonly pid: number }> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) {
    throw new LocalClusterError("StartFailed", "the supervisor has no pipes");
  }
  return new Promise((resolve, reject) => {
    let said = "";
    let complaint = "";
    stdout.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      if (said.endsWith("\n")) {
        resolve(JSON.parse(said) as { readonly addressBlock: string; readonly pid: number });
      }
    });
    stderr.setEncoding("utf8").on("data", (chunk: string) => {
      complaint += chunk;
    });
    child.once("error", (cause) =>
      reject(
        new LocalClusterError("StartFailed", `the supervisor does not start: ${cause.message}`, { cause }),
      ),
    );
    child.once("close", (code) =>
      reject(
        code === exitInUse
          ? new LocalClusterError("InUse", `a local cluster is already running in ${stateDir}`)
          : new LocalClusterError("StartFailed", `the supervisor did not start: ${complaint.trim()}`),
      ),
    );
  });
}

/** Why a supervisor has ended, for the errors of what was waiting for something. */
async function describeEnd(stateDir: string, exit: number | string | null): Promise<LocalClusterError> {
  if (exit === 0) {
    return new LocalClusterError("NotRunning", "the local cluster has been stopped");
  }
  const reason = await readFile(join(stateDir, "failure"), "utf8").catch(
    () => `its supervisor ended (${exit})`,
  );
  return new LocalClusterError("StartFailed", `the local cluster has stopped: ${reason.trim()}`);
}
