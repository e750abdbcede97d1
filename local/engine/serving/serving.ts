// An engine that has its weights: the scheduler that steps, the API server before it, and how the two end.
import { ApiServer } from "./api-server.ts";
import type { ServeArguments } from "../command-line/argv.ts";
import { cacheConfigLabels } from "./cache-config-labels.ts";
import type { EngineConfig } from "../config.ts";
import type { Gpu } from "../memory/gpu.ts";
import type { EngineHostOptions } from "../host.ts";
import { stepTime } from "./latency.ts";
import { type KvCache, kvBytesPerToken } from "../memory/memory.ts";
import { EngineMetrics } from "./metrics.ts";
import { Scheduler } from "./scheduler.ts";

/** How often a drain looks whether it is done. */
const drainPollMs = 10;

export class Serving {
  readonly #host: EngineHostOptions;
  readonly #args: ServeArguments;
  readonly #life: AbortSignal;
  readonly #scheduler: Scheduler;
  readonly #api: ApiServer;
  /** Aborted when the engine behind the API server stops stepping. */
  readonly #stepping = new AbortController();
  readonly #steps: Promise<void>;
  readonly #deadEngineMet = Promise.withResolvers<void>();
  #state: "serving" | "hung" | "dead" = "serving";

  /** @param life aborted with the process */
  constructor(
    args: ServeArguments,
    config: EngineConfig,
    gpu: Gpu,
    cache: KvCache,
    host: EngineHostOptions,
    life: AbortSignal,
  ) {
    this.#host = host;
    this.#args = args;
    this.#life = life;
    const tokenBytes = kvBytesPerToken({ ...args, ...config }, config.checkpoint.architecture.layers);
    const seconds = stepTime(config, cache, gpu, args.tensorParallelSize, tokenBytes);
    const metrics = new EngineMetrics({
      modelName: args.servedModelNames[0] ?? args.model,
      maxModelLen: cache.maxModelLen,
      cacheConfig: cacheConfigLabels(args, cache),
      gauges: () => this.#scheduler,
    });
    const limits = { ...config, usableBlocks: cache.blocks - 1 };
    const { generationSpeedup, clock } = host;
    this.#scheduler = new Scheduler(limits, seconds, generationSpeedup, clock, (step) =>
      metrics.recordStep(step),
    );
    this.#steps = this.#scheduler.run(AbortSignal.any([this.#stepping.signal, life]));
    this.#api = new ApiServer({
      served: { names: args.servedModelNames, maxModelLen: cache.maxModelLen },
      modelRoot: args.model,
      apiKeys: config.apiKeys,
      maxQueuedRequests: args.maxNumQueuedRequests,
      requestIdHeaders: args.enableRequestIdHeaders,
      scheduler: this.#scheduler,
      metrics,
      unixSeconds: host.unixSeconds,
      newId: host.newId,
      state: () => this.#state,
      onDeadEngine: () => this.#deadEngineMet.resolve(),
      log: host.log,
    });
  }

  get isHung(): boolean {
    return this.#state === "hung";
  }

  /** A server that listens on localhost alone is up, and cannot be reached from outside its pod. */
  async listen(): Promise<void> {
    const { address } = this.#host;
    const { host, port } = this.#args;
    const reachesPod = host === undefined || host === "0.0.0.0" || host === "::" || host === address;
    if (reachesPod) await this.#api.listen(address, port);
  }

  /** Answers nothing from now on. */
  hang(): void {
    this.#state = "hung";
    this.#stepping.abort();
  }

  /** The engine process dies under the API server; resolves when a request has met it, and the server gives up. */
  async die(): Promise<void> {
    this.#host.log("(EngineCore pid=116) ERROR [core.py:1512] EngineCore encountered a fatal error.");
    this.#host.log("(EngineCore pid=116) ERROR [core.py:1512] RuntimeError: Executor failed.");
    this.#state = "dead";
    this.#scheduler.abortAll("error");
    this.#stepping.abort();
    await this.#deadEngineMet.promise;
  }

  /** A timeout of 0 aborts what runs; otherwise that may finish in time, and what is new is aborted. */
  async drain(timeoutSeconds: number): Promise<void> {
    const { clock, graceSpeedup, log } = this.#host;
    const mode = timeoutSeconds === 0 ? "abort" : "drain";
    log(
      `(APIServer pid=1) INFO [launcher.py:270] [shutdown] API server: stopping engine client mode=${mode} ` +
        `timeout=${timeoutSeconds}s`,
    );
    this.#scheduler.close();
    const deadline = clock.now() + (timeoutSeconds * 1000) / graceSpeedup;
    while (this.#scheduler.unfinishedCount > 0 && clock.now() < deadline) {
      await clock.sleep(drainPollMs, this.#life);
    }
    this.#scheduler.abortAll("abort");
    log("(APIServer pid=1) INFO [launcher.py:299] [shutdown] API server: shutting down FastAPI HTTP server");
    await this.#api.close();
    this.#stepping.abort();
    await this.#steps;
  }

  /** Cuts every connection; nothing listens afterwards. */
  destroy(): Promise<void> {
    return this.#api.destroy();
  }
}
