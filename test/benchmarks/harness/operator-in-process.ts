// The operator in this process, put together as everywhere, for what cannot be seen from outside or needs another clock.
import { operatorConfig } from "../../../src/operator/config.ts";
import { composeOperator, type Operator } from "../../../src/operator/start.ts";
import type { KubeClient } from "../../../src/kube-runtime/client/client.ts";
import { loadClusterConfig } from "../../../src/kube-runtime/connection/config/config.ts";
import { KubeConnection } from "../../../src/kube-runtime/connection/http/connection.ts";
import {
  HttpKubeClient,
  type HttpClientOptions,
} from "../../../src/kube-runtime/connection/http/http-client.ts";
import type { ObjectRef } from "../../../src/kube-runtime/client/object.ts";
import type { Clock } from "../../../src/kube-runtime/clock.ts";
import type { Controller } from "../../../src/kube-runtime/controller/controller.ts";
import { fetchText, type FetchText } from "../../../src/kube-runtime/http/fetch-text.ts";
import { silentLogger } from "../../../src/kube-runtime/logger.ts";
import type { MetricsRegistry } from "../../../src/kube-runtime/metrics.ts";
import { systemClock } from "../../../src/kube-runtime/clock.ts";

export interface InProcessOptions {
  readonly kubeconfig: string;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly registry: MetricsRegistry;
  readonly workers: number;
  /** Takes the lease in the namespace `default`; without it this is the only operator. */
  readonly lease?: boolean;
  /** The client to use instead of a plain one. */
  readonly newClient?: (connection: KubeConnection, options: HttpClientOptions) => KubeClient;
  /** How to ask engines for their metrics, instead of asking them. */
  readonly fetchText?: FetchText;
  /** Default 120. */
  readonly cacheSyncTimeoutSeconds?: number;
}

export class OperatorInProcess implements AsyncDisposable {
  readonly #controllers: readonly Controller[];
  readonly #connection: KubeConnection;
  readonly #stop = new AbortController();
  readonly #run: Promise<unknown>;

  private constructor(operator: Operator, connection: KubeConnection) {
    this.#controllers = operator.controllers;
    this.#connection = connection;
    // Kept as a value: whoever disposes of the operator hears of its failure.
    this.#run = operator.run(this.#stop.signal).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  /** Starts, and returns once the caches are filled. */
  static async start(options: InProcessOptions): Promise<OperatorInProcess> {
    const { clock, registry, userAgent, workers, lease = false } = options;
    const newClient = options.newClient ?? ((connection, more) => new HttpKubeClient(connection, more));
    const cluster = await loadClusterConfig({ kubeconfig: options.kubeconfig, env: {} });
    const connection = new KubeConnection(cluster, { userAgent, now: () => clock.monotonic() });
    let serial = 0;
    const operator = composeOperator(
      operatorConfig.parse({ leaderElect: lease, healthPort: null, metricsPort: null, workers }),
      {
        newClient: (of) => newClient(connection, of),
        namespace: "default",
        identity: userAgent,
        replica: userAgent,
        clock,
        random: Math.random,
        newId: () => String((serial += 1)),
        logger: silentLogger,
        registry,
        fetchText: options.fetchText ?? fetchText,
        measuredOverheads: [],
        cacheSyncTimeoutSeconds: options.cacheSyncTimeoutSeconds,
      },
    );
    const running = new OperatorInProcess(operator, connection);
    await operator.cache.waitForSync(AbortSignal.timeout(60_000));
    return running;
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
