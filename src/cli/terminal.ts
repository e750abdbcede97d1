// What a command may touch of the process: its streams and environment, handed in, so that commands are functions
// that tests call with streams of their own.
import { styleText } from "node:util";

export interface Output {
  write(text: string): void;
  /** False for files and pipes: no colours, no redrawing. */
  readonly isTerminal: boolean;
}

export interface Terminal {
  /** Results alone: what `>` and `|` should carry. */
  readonly out: Output;
  /** Everything else: errors, notes, progress. */
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readInput(): Promise<string>;
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Styles text where `output` is a terminal and `NO_COLOR` (no-color.org) is not set; else leaves it as it is. */
export function styler(output: Output, env: Terminal["env"]): (style: Style, text: string) => string {
  const plain = !output.isTerminal || (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  return (style, text) => (plain ? text : styleText(style, text, { validateStream: false }));
}

/** The terminal of this process. Ctrl-C aborts its signal; a second one ends the process at once, as people expect. */
export function processTerminal(process: NodeJS.Process): Terminal {
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => stopping.abort(new InterruptedError(name)));
  }
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1);
  });
  return {
    out: { write: (text) => process.stdout.write(text), isTerminal: process.stdout.isTTY },
    err: { write: (text) => process.stderr.write(text), isTerminal: process.stderr.isTTY },
    env: process.env,
    now: Date.now,
    signal: stopping.signal,
    async readInput() {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
      return Buffer.concat(chunks).toString("utf8");
    },
  };
}

/** The reason with which the terminal's signal aborts. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
  readonly code: "SIGINT" | "SIGTERM";

  constructor(code: InterruptedError["code"]) {
    super(code === "SIGINT" ? "interrupted" : "asked to stop");
    this.code = code;
  }
}
