// Runs the commands that the demo shows: kubectl of the cluster, and this project's own command line.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { DemoError } from "./wait.ts";

/** The repository's root: where `examples/` is and what the user's commands are relative to. */
export const repositoryRoot = join(import.meta.dirname, "..", "..");

export interface CommandOptions {
  readonly signal: AbortSignal;
  readonly input?: string;
}

export interface Outcome {
  /** The exit code, or the signal that ended it. */
  readonly status: number | string | null;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs a program and returns what it wrote to standard output.
 * @throws DemoError with its error output when it fails; the signal's reason.
 */
export async function run(command: readonly string[], options: CommandOptions): Promise<string> {
  const { status, out, err } = await attempt(command, options);
  if (status !== 0) throw new DemoError(`${command.join(" ")} failed (${status}): ${err.trim()}`);
  return out;
}

/** Runs a program that may well fail. @throws DemoError when it cannot be run; the signal's reason */
export async function attempt(command: readonly string[], options: CommandOptions): Promise<Outcome> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd: repositoryRoot,
    stdio: ["pipe", "pipe", "pipe"],
    signal: options.signal,
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  // A program that does not read its input closes it; its exit status says what it thought.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const status = await new Promise<number | string | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, killedBy) => resolve(code ?? killedBy));
  }).catch((cause: unknown) => {
    options.signal.throwIfAborted();
    throw new DemoError(`${command.join(" ")}: cannot be run`, { cause });
  });
  return { status, out, err };
}

/** This project's command line, run from its sources. */
export function llamaOperator(...args: readonly string[]): readonly string[] {
  return [process.execPath, join(repositoryRoot, "src", "cli", "main.ts"), ...args];
}
