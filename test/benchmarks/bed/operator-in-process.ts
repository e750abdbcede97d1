// The operator's controllers, caches and lease in this process, wired as src/cli/run.ts wires them, for what cannot be
// seen from outside or needs another clock.
import { makeOperator } from "../../../src/operator/operator.ts";
import type { KubeClient } from "../../../src/kube-runtime/client/client.ts";
import { loadClusterConfig } from "../../../src/kube-runtime/connection/config/config.ts";
import { KubeConnection } from "../../../src/kube-runtime/connection/http/connection.ts";
import {
  HttpKubeClient,
  type HttpClientOptions,
} from "../../../src/kube-runtime/connection/http/http-client.ts";
import type { ObjectRef } from "../../../src/kube-runtime/client/object.ts";
import { Cache } from "../../../src/kube-runtime/cache/cache.ts";
import type { Clock } from "../../../src/kube-runtime/clock.ts";
import type { Controller } from "../../../src/kube-runtime/controller/controller.ts";
import { getPage, type GetPage } from "../../../src/kube-runtime/http/get-page.ts";
import { EventRecorder } from "../../../src/kube-runtime/process/events.ts";
import { LeaseElector } from "../../../src/kube-runtime/process/lease.ts";
import { silentLogger } from "../../../src/kube-runtime/logger.ts";
import { Manager } from "../../../src/kube-runtime/process/manager.ts";
import { RuntimeMetrics, type MetricsRegistry } from "../../../src/kube-runtime/metrics.ts";
import { systemClock } from "../../../src/kube-runtime/clock.ts";

export interface InProcessOptions {
  readonly kubeconfig: string;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly registry: MetricsRegistry;
  readonly workers: number;
  /** Takes the lease of this name in the namespace `default`; none by default. */
  readonly lease?: string;
  /** The client to use instead of a plain one. */
  readonly newClient?: (connection: KubeConnection, options: HttpClientOptions) => KubeClient;
  /** How to ask engines for their metrics, instead of asking them. */
  readonly getPage?: GetPage;
}

export class OperatorInProcess implements AsyncDisposable {
  readonly #controllers: readonly Controller[];
  readonly #connection: KubeConnection;
  readonly #stop = new AbortController();
  readonly #run: Promise<unknown>;

  private constructor(
    controllers: readonly Controller[],
    connection: KubeConnection,
    run: (signal: AbortSignal) => Promise<void>,
  ) {
    this.#controllers = controllers;
    this.#connection = connection;
    // Kept as a value: whoever disposes of the operator hears of its failure.
    this.#run = run(this.#stop.signal).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  /** Starts, and returns once the caches are filled. */
  static async start(options: InProcessOptions): Promise<OperatorInProcess> {
    const { clock, registry, userAgent, workers } = options;
    const newClient = options.newClient ?? ((connection, more) => new HttpKubeClient(connection, more));
    const config = await loadClusterConfig({ kubeconfig: options.kubeconfig, env: {} });
    const connection = new KubeConnection(config, { userAgent, now: () => clock.monotonic() });
    const shared = {
      clock,
      random: Math.random,
      logger: silentLogger,
      metrics: new RuntimeMetrics(registry),
    };
    const elector =
      options.lease === undefined
        ? undefined
        : new LeaseElector({
            ...shared,
            client: new HttpKubeClient(connection, { lane: "lease", maxRetryWaitMs: 0 }),
            ref: { namespace: "default", name: options.lease },
            identity: userAgent,
            gauge: shared.metrics.leader(options.lease),
          });
    const client = newClient(connection, elector === undefined ? {} : { fence: elector.fence });
    const cache = new Cache({ ...shared, client });
    const recorder = new EventRecorder({
      ...shared,
      client,
      controller: "llama-operator.dev/benchmark",
      instance: userAgent,
    });
    let serial = 0;
    const newId = (): string => String((serial += 1));
    const { controllers: leading } = makeOperator({
      ...shared,
      client,
      cache,
      recorder,
      registry,
      getPage: options.getPage ?? getPage,
      measuredOverheads: [],
      newId,
      workers,
    });
    const manager = new Manager({
      cache,
      ...(elector === undefined ? {} : { elector }),
      recorder,
      leading,
      clock: systemClock,
      logger: silentLogger,
    });
    const operator = new OperatorInProcess(leading, connection, async (signal) => manager.run(signal));
    await cache.waitForSync(AbortSignal.timeout(60_000));
    return operator;
  }

  /** Puts an object into a controller's queue. */
  reconcile(controller: string, ref: ObjectRef): void {
    this.#controllers.find(({ name }) => name === controller)?.enqueue(ref);
  }

  /** Waits until no queue has anything left to do. */
  async idle(signal: AbortSignal): Promise<void> {
    const isBusy = ({ queue }: Controller): boolean => queue.depth + queue.processing > 0;
    while (this.#controllers.some(isBusy)) await systemClock.sleep(10, signal);
  }

  /** @throws what ended the operator, unless it was this */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("stopping"));
    const failure = await this.#run;
    await this.#connection.close();
    if (failure !== undefined) throw failure;
  }
}
