// The operator of a simulation, over all its lives: it can be killed, told to stop, and made to die after any of its
// writes; its calls can be refused, and what it sees can come late. What it has written is kept over all lives.
import { silentLogger } from "@llama-operator/kube-runtime";
import { ApiError } from "@llama-operator/kube-runtime/client";
import type { TextRequest } from "@llama-operator/kube-runtime/http";
import {
  InMemoryKubeClient,
  type Call,
  type FakeClock,
  type InMemoryApiServer,
  type Write,
} from "@llama-operator/kube-runtime/testing";
import type { PlanningSources } from "../admission/review.ts";
import { startOperatorLife, type OperatorLife } from "./start-operator.ts";
import { WriteLog } from "./write-log.ts";

/** What engines answer at their metrics' path; undefined where they answer an error. */
export type MetricsPage = (request: TextRequest) => string | undefined;

export interface SimulatedOperatorOptions {
  readonly server: InMemoryApiServer;
  readonly clock: FakeClock;
  readonly random: () => number;
  /** Without it engines are not asked. */
  readonly metricsPage: MetricsPage | undefined;
}

interface Refusal {
  readonly matches: (call: Call) => boolean;
  readonly error: Error;
  left: number;
}

export class SimulatedOperator {
  readonly log = new WriteLog();
  readonly #options: SimulatedOperatorOptions;
  readonly #watchDelayMs = new Map<string, number>();
  readonly #refusals: Refusal[] = [];
  #life: OperatorLife | undefined;
  #client: InMemoryKubeClient | undefined;
  #calls = 0;
  #writes = 0;
  #crashAfter: number | undefined;

  constructor(options: SimulatedOperatorOptions) {
    this.#options = options;
  }

  /** Grows with each call of any life. */
  get calls(): number {
    return this.#calls;
  }

  get isRunning(): boolean {
    return this.#life !== undefined;
  }

  /** What the operator's webhook plans with. @throws where it does not run */
  get planning(): PlanningSources {
    if (this.#life === undefined) throw new Error("the operator does not run");
    return this.#life.planning;
  }

  /** @throws what ended the operator, where nobody asked for it */
  throwIfFailed(): void {
    const failure = this.#life?.failure;
    if (failure !== undefined) throw new Error("the operator ended by itself", { cause: failure });
  }

  start(): void {
    const { server, clock, random, metricsPage } = this.#options;
    const client = new InMemoryKubeClient({
      server,
      clock,
      watchDelayMs: (resource) => this.#watchDelayMs.get(resource) ?? 0,
      onWrite: (write) => this.#wrote(write, client),
    });
    client.intercept = (call) => this.#intercept(call);
    this.#client = client;
    this.#life = startOperatorLife({
      client,
      clock,
      random,
      logger: silentLogger,
      fetchText:
        metricsPage &&
        (async (request) => {
          const text = metricsPage(request);
          return text === undefined ? { status: 503, text: "" } : { status: 200, text };
        }),
    });
  }

  kill(): void {
    this.#life?.kill();
    this.#life = undefined;
  }

  /** Ends in order. */
  async stop(): Promise<void> {
    const life = this.#life;
    this.#life = undefined;
    await life?.stop();
  }

  crashAfterWrite(n: number): void {
    this.#crashAfter = this.#writes + n;
  }

  refuse(matches: (call: Call) => boolean, error: Error | undefined, times: number): void {
    const broken = new ApiError("simulated", { code: 500, reason: "InternalError" });
    this.#refusals.push({ matches, error: error ?? broken, left: times });
  }

  delayWatch(resource: string, ms: number): void {
    this.#watchDelayMs.set(resource, ms);
  }

  #intercept(call: Call): void {
    this.#calls += 1;
    const refusal = this.#refusals.find((each) => each.left > 0 && each.matches(call));
    if (refusal === undefined) return;
    refusal.left -= 1;
    throw refusal.error;
  }

  #wrote(write: Write, client: InMemoryKubeClient): Promise<void> | undefined {
    if (client !== this.#client || write.call.resource.startsWith("events")) return undefined;
    this.#writes += 1;
    this.log.note(write);
    if (this.#writes !== this.#crashAfter) return undefined;
    this.kill();
    // Nobody is left to hear of it.
    return new Promise(() => undefined);
  }
}
