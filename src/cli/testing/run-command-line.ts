// Runs the command line as its tests do: arguments and input in, text and exit code out, nothing of the process touched.
import { buildProgram, runProgram } from "../program.ts";
import type { Terminal } from "../terminal.ts";

export interface Given {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly isTerminal?: boolean;
  readonly signal?: AbortSignal;
}

/** What was written, and the exit code. */
export async function runCommandLine(argv: readonly string[], given: Given = {}) {
  const written = { out: "", err: "" };
  const isTerminal = given.isTerminal ?? false;
  const terminal: Terminal = {
    out: { write: (text) => (written.out += text), isTerminal },
    err: { write: (text) => (written.err += text), isTerminal },
    env: given.env ?? {},
    now: () => 0,
    signal: given.signal ?? new AbortController().signal,
    readInput: async () => given.input ?? "",
  };
  const code = await runProgram(buildProgram(terminal), argv, terminal);
  return { code, ...written };
}
