// What the demo shows and how: headings, commands as a user would type them, and one region that is redrawn in
// place. Where there is no terminal, or CI is set, only what changed is printed, a line at a time.
import { styleText } from "node:util";

export interface ScreenOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface ScreenOptions {
  readonly output: ScreenOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

type Style = Parameters<typeof styleText>[0];

export class Screen {
  readonly #output: ScreenOutput;
  readonly #now: () => number;
  readonly #startedMs: number;
  readonly #coloured: boolean;
  /** Whether regions are redrawn in place. */
  readonly live: boolean;
  /** Lines of the region on screen now. */
  #region: readonly string[] = [];
  #openLine = false;

  constructor({ output, env, now }: ScreenOptions) {
    const terminal = output.isTTY === true && env["TERM"] !== "dumb";
    this.#output = output;
    this.#now = now;
    this.#startedMs = now();
    this.live = terminal && (env["CI"] ?? "") === "";
    this.#coloured = terminal && (env["NO_COLOR"] ?? "") === "";
  }

  /** Seconds since the demo began. */
  elapsedSeconds(): number {
    return (this.#now() - this.#startedMs) / 1000;
  }

  style(style: Style, text: string): string {
    return this.#coloured ? styleText(style, text, { validateStream: false }) : text;
  }

  /** A step, and how long the demo has run: `2/6  The cluster  (9.1 s)`. */
  heading(number: string, text: string): void {
    this.#settle();
    const elapsed = this.style("dim", `(${duration(this.elapsedSeconds())})`);
    this.#output.write(
      `\n${this.style(["bold", "cyan"], number)}  ${this.style("bold", text)}  ${elapsed}\n`,
    );
  }

  line(text = ""): void {
    this.#settle();
    this.#output.write(`${text === "" ? "" : `     ${text}`}\n`);
  }

  /** A command that the user could type now. */
  command(text: string): void {
    this.line(`${this.style("dim", "$")} ${text}`);
  }

  /** Part of a line that is being streamed; `endStream` ends it. */
  stream(text: string): void {
    if (!this.#openLine) this.#settle();
    this.#output.write(this.#openLine ? text : `     ${text}`);
    this.#openLine = true;
  }

  endStream(): void {
    if (!this.#openLine) return;
    this.#openLine = false;
    this.#output.write("\n");
  }

  /** Replaces the region by these lines; without a live terminal prints those that were not there before. */
  redraw(lines: readonly string[]): void {
    if (this.live) {
      const { columns = 0 } = this.#output;
      const width = (columns === 0 ? 80 : columns) - 6;
      const drawn = lines.map((line) => `     ${clip(line, width)}\n`).join("");
      this.#output.write(`${this.#up()}${drawn}`);
    } else {
      const before = new Set(this.#region);
      for (const line of lines) if (!before.has(line)) this.#output.write(`     ${line}\n`);
    }
    // A copy: the caller may go on adding to its list.
    this.#region = [...lines];
  }

  /** Removes the region. */
  clear(): void {
    if (this.live) this.#output.write(this.#up());
    this.#region = [];
  }

  #up(): string {
    return this.#region.length === 0 ? "" : `\u001b[${this.#region.length}A\r\u001b[J`;
  }

  /** Leaves the region where it is: what follows goes below it. */
  #settle(): void {
    this.#region = [];
    this.endStream();
  }
}

/** The first `width` characters as they are seen: escape sequences take none. */
function clip(line: string, width: number): string {
  let seen = 0;
  let result = "";
  // oxlint-disable-next-line no-control-regex -- escape sequences begin with a control character.
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith("\u001b")) {
      result += part;
      continue;
    }
    result += part.slice(0, Math.max(0, width - seen));
    seen += part.length;
  }
  return result;
}

/** `9.1 s`, `3 min 41 s`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
