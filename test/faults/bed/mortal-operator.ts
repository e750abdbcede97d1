// An operator of one world that can die at any moment and be started again. Death is the network's: from one moment on
// nothing of it reaches the API server, and no answer reaches it, as after kill -9; what is left of it in this process
// talks to nobody and is cleared away.
import { systemClock } from "../../../src/kube-runtime/clock.ts";
import { noMetrics } from "../../../src/kube-runtime/metrics.ts";
import { OperatorInProcess } from "../../benchmarks/bed/operator-in-process.ts";
import { startApiServerProxy, type ApiHandler, type ApiServerProxy } from "../../support/api-server-proxy.ts";
import type { Bed } from "./bed.ts";
import { oneWriteAtATime, whileAlive, WriteLog, type Strike, type Write } from "./faults.ts";
import { confinedTo, type World } from "./world.ts";

/** `crash`: committed, and the operator is dead. `lost reply`: committed, and the operator never hears of it. */
export type Stroke = "crash" | "lost reply";

export interface Fault {
  readonly stroke: Stroke;
  readonly labels: readonly string[];
}

export interface MortalOperatorOptions {
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

export class MortalOperator implements AsyncDisposable {
  readonly #bed: Bed;
  readonly #options: MortalOperatorOptions;
  readonly #log = new WriteLog();
  readonly #burials: Promise<void>[] = [];
  #life: Promise<Life> | undefined;
  readonly #struck = new Set<string>();

  private constructor(bed: Bed, options: MortalOperatorOptions) {
    this.#bed = bed;
    this.#options = options;
  }

  static async start(bed: Bed, options: MortalOperatorOptions): Promise<MortalOperator> {
    const operator = new MortalOperator(bed, options);
    operator.#life = operator.#begin();
    await operator.#life;
    return operator;
  }

  /** What all its lives wrote. */
  get writes(): readonly Write[] {
    return this.#log.writes;
  }

  /** The labels of the fault at which it has happened. */
  get struck(): ReadonlySet<string> {
    return this.#struck;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const life = await this.#life;
    if (life !== undefined) this.#burials.push(bury(life));
    await Promise.all(this.#burials);
  }

  async #begin(): Promise<Life> {
    const { cluster, upstream } = this.#bed;
    const { world, fault, around = (next) => next } = this.#options;
    let dead = false;
    const strike: Strike = (label, reply) => {
      if (fault?.labels.includes(label) !== true || this.#struck.has(label)) return reply;
      this.#struck.add(label);
      if (fault.stroke === "crash") {
        dead = true;
        this.#burials.push(this.#beBornAgain(proxy));
      }
      return "cut";
    };
    // Also between the queue of writes and the API server: what waited in it dies with the operator.
    const living = whileAlive(() => dead, upstream.forward);
    const writes = oneWriteAtATime(this.#log, strike, living);
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

  async #beBornAgain(proxy: ApiServerProxy): Promise<void> {
    const past = await this.#life;
    this.#life = this.#begin();
    await proxy.close();
    if (past !== undefined) await bury(past);
    await this.#life;
  }
}

async function bury({ proxy, operator }: Life): Promise<void> {
  await operator[Symbol.asyncDispose]();
  await proxy.close();
}
