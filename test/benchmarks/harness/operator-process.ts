// The operator as it ships: the bundled program, run by the pinned Node with the flags of the chart, watched through
// what it shows to everybody: its log, its metrics, /proc.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { LeaseTimes } from "../benchmark.ts";

const program = join(import.meta.dirname, "..", "..", "..", "dist", "llama-operator.mjs");

export interface OperatorOptions {
  readonly kubeconfig: string;
  /** Begins the identity, and so the user agent. */
  readonly name: string;
  readonly lease?: LeaseTimes;
  /** Writes a CPU profile there when it ends, for speedscope or Chrome's developer tools. */
  readonly profileFolder?: string | undefined;
}

interface LogLine {
  readonly message?: string;
  readonly level?: string;
  readonly server?: string;
  readonly port?: number;
  readonly identity?: string;
}

/** How many lines of its log an operator that failed is shown with. */
const tailLines = 5;

export class OperatorProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #startedAtMs = performance.now();
  readonly #seen = new Map<string, LogLine>();
  readonly #tail: string[] = [];
  readonly #ended: Promise<unknown>;

  private constructor(options: OperatorOptions) {
    const { kubeconfig, name, lease, profileFolder } = options;
    const profiling =
      profileFolder === undefined
        ? []
        : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${name}.cpuprofile`];
    const leaseFlags =
      lease === undefined
        ? []
        : [
            `--lease-duration=${lease.leaseDuration}`,
            `--renew-deadline=${lease.renewDeadline}`,
            `--retry-period=${lease.retryPeriod}`,
          ];
    this.#child = spawn(
      process.execPath,
      [
        ...shippedFlags(),
        ...profiling,
        program,
        "run",
        // The simulated pods are Ready at once and have no engine that could be asked.
        "--no-engine-reports",
        "--kubeconfig",
        kubeconfig,
        "--health-port=0",
        "--metrics-port=0",
        ...leaseFlags,
      ],
      { stdio: ["ignore", "inherit", "pipe"], env: { PATH: process.env["PATH"], POD_NAME: name } },
    );
    this.#ended = once(this.#child, "close");
    const { stderr } = this.#child;
    if (stderr !== null) createInterface({ input: stderr }).on("line", (line) => this.#note(line));
  }

  static start(options: OperatorOptions): OperatorProcess {
    return new OperatorProcess(options);
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error("the operator could not be started");
    return pid;
  }

  /** Since the process was started. */
  get elapsedMs(): number {
    return performance.now() - this.#startedAtMs;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits until its caches are filled: a standby is ready then. */
  async synced(signal: AbortSignal): Promise<void> {
    await this.#logged("caches synced", signal);
  }

  async leading(signal: AbortSignal): Promise<void> {
    await this.#logged("leading", signal);
  }

  /** What its requests carry in the audit log. */
  async identity(signal: AbortSignal): Promise<string> {
    const { identity } = await this.#logged("starting", signal);
    if (identity === undefined) throw new Error("the operator did not say who it is");
    return identity;
  }

  /** The value of a series, written as on the page: `workqueue_depth{name="x",controller="x"}`. */
  async metrics(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const { port } = await this.#logged("listening metrics", signal);
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal });
    const series = new Map<string, number>();
    for (const line of (await response.text()).split("\n")) {
      const space = line.lastIndexOf(" ");
      if (space > 0 && !line.startsWith("#")) series.set(line.slice(0, space), Number(line.slice(space + 1)));
    }
    return series;
  }

  /**
   * Waits until everything in the queue of LlamaDeployments has been reconciled, at least so many times in all.
   * @returns the time since the process was started, in milliseconds
   */
  async reconciled(count: number, signal: AbortSignal): Promise<number> {
    for (;;) {
      const series = await this.metrics(signal);
      if (reconciles(series) >= count && isIdle(series)) return this.elapsedMs;
      await sleep(50, undefined, { signal });
    }
  }

  /** Lets it be for so many seconds. */
  async idleFor(seconds: number, signal: AbortSignal): Promise<void> {
    await sleep(seconds * 1000, undefined, { signal });
  }

  /** Peak resident memory so far, in bytes, as the kernel counted it. */
  async peakResidentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kibibytes === undefined) throw new Error("the kernel does not say VmHWM");
    return Number(kibibytes) * 1024;
  }

  /** Processor time so far, in seconds. */
  async processorSeconds(): Promise<number> {
    const fields = (await readFile(`/proc/${this.pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
    // utime and stime, in ticks of 1/100 s on every Linux.
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Sends a signal and does not wait. */
  kill(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits for the process to end. */
  async ended(): Promise<void> {
    await this.#ended;
  }

  /** SIGTERM, and waits. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    this.#child.kill("SIGCONT");
    this.#child.kill("SIGTERM");
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.hasEnded) return;
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  #note(line: string): void {
    this.#tail.push(line);
    if (this.#tail.length > tailLines) this.#tail.shift();
    let parsed: LogLine;
    try {
      parsed = JSON.parse(line) as LogLine;
    } catch {
      return;
    }
    const { message = "", server } = parsed;
    const key = message === "listening" ? `listening ${server ?? ""}` : message;
    if (!this.#seen.has(key)) this.#seen.set(key, parsed);
  }

  async #logged(message: string, signal: AbortSignal): Promise<LogLine> {
    for (;;) {
      const line = this.#seen.get(message);
      if (line !== undefined) return line;
      if (this.hasEnded) throw new Error(`the operator ended:\n${this.#tail.join("\n")}`);
      await sleep(10, undefined, { signal });
    }
  }
}

/** The flags on the program's first line, with which the pinned Node runs it. */
function shippedFlags(): readonly string[] {
  const [firstLine = ""] = readFileSync(program, "utf8").split("\n", 1);
  return firstLine.split(" ").filter((word) => word.startsWith("--"));
}

const controller = "llamadeployment";

function reconciles(series: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [name, value] of series) {
    if (!name.startsWith("controller_runtime_reconcile_total{")) continue;
    if (name.includes(`"${controller}"`) && !name.includes('"error"')) sum += value;
  }
  return sum;
}

function isIdle(series: ReadonlyMap<string, number>): boolean {
  return [...series].every(
    ([name, value]) =>
      value === 0 ||
      !name.includes(`"${controller}"`) ||
      !/^(?:workqueue_depth|controller_runtime_active_workers)\{/.test(name),
  );
}
