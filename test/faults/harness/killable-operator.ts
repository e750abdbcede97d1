// An operator of one world that can die at any moment and be started again. Death is the network's: from one moment on
// nothing of it reaches the API server, and no answer reaches it, as after kill -9; what is left of it in this process
// talks to nobody and is cleared away.
import { systemClock } from "../../../src/kube-runtime/clock.ts";
import { noMetrics } from "../../../src/kube-runtime/metrics.ts";
import { OperatorInProcess } from "../../benchmarks/harness/operator-in-process.ts";
import { startApiServerProxy, type ApiHandler, type ApiServerProxy } from "../../support/api-server-proxy.ts";
import type { Harness } from "./harness.ts";
import { oneWriteAtATime, whileAlive, WriteLog, type AfterCommit, type Write } from "./faults.ts";
import { confinedTo, type World } from "./world.ts";

/** `crash`: committed, and the operator is dead. `lost reply`: committed, and the operator never hears of it. */
export type FaultKind = "crash" | "lost reply";

export interface Fault {
  readonly kind: FaultKind;
  readonly labels: readonly string[];
}

export interface KillableOperatorOptions {
  readonly world: World;
  /** What happens to which writes, by their labels; each once. */
  readonly fault?: Fault | undefined;
  /** What else stands between this operator and the API server. */
  readonly around?: ((next: ApiHandler) => ApiHandler) | undefined;
}

interface Life {
  readonly proxy: ApiServerProxy;
  readonly operator: OperatorInProcess;
}

export class KillableOperator implements AsyncDisposable {
  readonly #harness: Harness;
  readonly #options: KillableOperatorOptions;
  readonly #log = new WriteLog();
  readonly #disposals: Promise<void>[] = [];
  #life: Promise<Life> | undefined;
  readonly #injected = new Set<string>();

  private constructor(harness: Harness, options: KillableOperatorOptions) {
    this.#harness = harness;
    this.#options = options;
  }

  static async start(harness: Harness, options: KillableOperatorOptions): Promise<KillableOperator> {
    const operator = new KillableOperator(harness, options);
    operator.#life = operator.#begin();
    await operator.#life;
    return operator;
  }

  /** What all its lives wrote. */
  get writes(): readonly Write[] {
    return this.#log.writes;
  }

  /** The labels of the fault at which it has happened. */
  get injected(): ReadonlySet<string> {
    return this.#injected;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const life = await this.#life;
    if (life !== undefined) this.#disposals.push(dispose(life));
    await Promise.all(this.#disposals);
  }

  async #begin(): Promise<Life> {
    const { cluster, upstream } = this.#harness;
    const { world, fault, around = (next) => next } = this.#options;
    let dead = false;
    const afterCommit: AfterCommit = (label, reply) => {
      if (fault?.labels.includes(label) !== true || this.#injected.has(label)) return reply;
      this.#injected.add(label);
      if (fault.kind === "crash") {
        dead = true;
        this.#disposals.push(this.#restart(proxy));
      }
      return "cut";
    };
    // Also between the queue of writes and the API server: what waited in it dies with the operator.
    const living = whileAlive(() => dead, upstream.forward);
    const writes = oneWriteAtATime(this.#log, afterCommit, living);
    const handler = whileAlive(() => dead, around(confinedTo(world, writes)));
    const proxy = await startApiServerProxy(cluster, handler);
    const operator = await OperatorInProcess.start({
      kubeconfig: proxy.kubeconfig,
      userAgent: `llama-operator/faults (${world.namespace})`,
      clock: systemClock,
      registry: noMetrics,
      workers: 4,
    });
    return { proxy, operator };
  }

  async #restart(proxy: ApiServerProxy): Promise<void> {
    const past = await this.#life;
    this.#life = this.#begin();
    await proxy.close();
    if (past !== undefined) await dispose(past);
    await this.#life;
  }
}

async function dispose({ proxy, operator }: Life): Promise<void> {
  await operator[Symbol.asyncDispose]();
  await proxy.close();
}
