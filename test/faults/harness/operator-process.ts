// The operator of one world as a process of its own, which SIGKILL ends in the turn in which the reply to a chosen write
// has been handed to it, and which is started again at once.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startApiServerProxy, type ApiServerProxy } from "../../support/api-server-proxy.ts";
import type { Harness } from "./harness.ts";
import { oneWriteAtATime, WriteLog, type AfterCommit, type Write } from "./faults.ts";
import { confinedTo, type World } from "./world.ts";

const operatorMain = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

export class KilledProcess implements AsyncDisposable {
  readonly #log = new WriteLog();
  readonly #labels: readonly string[];
  readonly #deaths: Promise<void>[] = [];
  #proxy: ApiServerProxy | undefined;
  #child: ChildProcess | undefined;
  #kills = 0;

  private constructor(labels: readonly string[]) {
    this.#labels = labels;
  }

  static async start(harness: Harness, world: World, killAt: readonly string[]): Promise<KilledProcess> {
    const operator = new KilledProcess(killAt);
    const afterCommit: AfterCommit = (label, reply) => {
      if (operator.#labels.includes(label)) setImmediate(() => operator.#deaths.push(operator.#kill()));
      return reply;
    };
    const writes = oneWriteAtATime(operator.#log, afterCommit, harness.upstream.forward);
    operator.#proxy = await startApiServerProxy(harness.cluster, confinedTo(world, writes));
    operator.#spawn();
    return operator;
  }

  get writes(): readonly Write[] {
    return this.#log.writes;
  }

  get kills(): number {
    return this.#kills;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#deaths);
    const child = this.#child;
    if (child !== undefined && child.exitCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    }
    await this.#proxy?.close();
  }

  #spawn(): void {
    const flags = ["--no-leader-elect", "--health-port=0", "--metrics-port=0", "--log-level=warn"];
    const kubeconfig = `--kubeconfig=${this.#proxy?.kubeconfig}`;
    this.#child = spawn(process.execPath, [operatorMain, "run", kubeconfig, ...flags], { stdio: "ignore" });
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const exited = once(child, "exit");
    if (child.kill("SIGKILL")) this.#kills += 1;
    await exited;
    this.#spawn();
  }
}
