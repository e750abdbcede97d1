// The last lines of a container's output: what a termination message falls back to, and on request a file.
import { appendFile } from "node:fs/promises";

/** Lines kept; a kubelet's termination message takes the last 80 lines or 2048 bytes, whichever is less. */
const maxLines = 500;
const maxMessageLines = 80;
const maxMessageBytes = 2048;

export class LogRing {
  readonly #lines: string[] = [];
  readonly #file: string | undefined;
  #pending = "";
  #writing: Promise<void> | undefined;

  /** @param file appended to as well, when given; its folder must exist */
  constructor(file: string | undefined) {
    this.#file = file;
  }

  append(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > maxLines) this.#lines.shift();
    if (this.#file === undefined) return;
    this.#pending += `${line}\n`;
    this.#writing ??= this.#write(this.#file);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Starts the output of the next start with an empty tail, as each container instance has its own log. */
  clear(): void {
    this.#lines.length = 0;
  }

  /** The tail that `FallbackToLogsOnError` reports. */
  tail(): string {
    const text = this.#lines.slice(-maxMessageLines).join("\n");
    const bytes = Buffer.from(text);
    return bytes.length <= maxMessageBytes ? text : bytes.subarray(-maxMessageBytes).toString("utf8");
  }

  /** Resolves when everything appended so far is in the file. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  /** A log that cannot be written is not worth an engine: the ring still has the lines. */
  async #write(file: string): Promise<void> {
    while (this.#pending !== "") {
      const text = this.#pending;
      this.#pending = "";
      await appendFile(file, text).catch(() => undefined);
    }
    this.#writing = undefined;
  }
}
