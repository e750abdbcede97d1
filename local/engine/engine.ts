// A stand-in for `vllm serve` 0.32 that needs no GPU: it refuses, loads, serves, drains and dies as the real
// one does, from its own command line, so that what the operator wrote there is what gets tested.
//
// Where it differs from vLLM 0.32:
// - No tokenizer and no weights: about four bytes a token, and the words of an answer are made up.
// - Time is that of a formula (latency.ts), divided by the speed-up. A crash is timed in real seconds.
// - No prefix cache hits, no speculative decoding, LoRA, tools, structured output, logprobs or stop strings.
// - Data parallel degrees above one and Ray are parsed and then ignored.
// - Log lines carry no timestamps, and pids are invented.
import { type ServeArguments, parseServeArguments } from "./command-line/argv.ts";
import { ArgparseExit } from "./command-line/argparse.ts";
import { type EngineConfig, resolveEngineConfig } from "./config.ts";
import type { Gpu } from "./memory/gpu.ts";
import type { EngineFaults } from "./faults.ts";
import type { EngineHostOptions } from "./host.ts";
import { gib, type KvCache, sizeKvCache } from "./memory/memory.ts";
import type { ProcessExit, SimulatedProcess } from "./process.ts";
import type { Seat } from "./rendezvous.ts";
import { Serving } from "./serving/serving.ts";
import { EngineStartError } from "./start-error.ts";

/** Imports and configuration before the first weight is read; then compilation, profile and graph capture. */
const importSeconds = 8;
const warmUpSeconds = 25;
/** torch.distributed's patience for ranks that have not joined, in real seconds. */
const rendezvousTimeoutSeconds = 600;
/** VLLM_WATCHDOG_TIME_S: how long the API server outlives a dead engine that is sent no request. */
const watchdogSeconds = 5;

/** Starts `vllm serve` with the given words after it. */
export function startEngine(argv: readonly string[], host: EngineHostOptions): SimulatedProcess {
  return new Engine(argv, host);
}

class Engine implements SimulatedProcess {
  readonly exited: Promise<ProcessExit>;
  readonly #host: EngineHostOptions;
  /** Aborted by whatever ends the process; the reason is its exit. */
  readonly #life = new AbortController();
  readonly #drain = Promise.withResolvers<void>();
  readonly #crash = Promise.withResolvers<void>();
  #terminating = false;
  #serving: Serving | undefined;
  #seat: Seat | undefined;
  #args: ServeArguments | undefined;

  constructor(argv: readonly string[], host: EngineHostOptions) {
    this.#host = host;
    this.exited = this.#main(argv);
  }

  kill(): void {
    this.#end({ exitCode: 137, oomKilled: false });
  }

  terminate(): void {
    if (this.#terminating) return;
    this.#terminating = true;
    const isHeadless = this.#args?.headless === true;
    // Until the API server runs, Python is interrupted; headless ranks exit at once whatever the timeout says.
    if (this.#serving === undefined) this.#end({ exitCode: isHeadless ? 0 : 130, oomKilled: false });
    else if (!this.#serving.isHung) this.#drain.resolve();
  }

  inject({ crashAfterSeconds, hang }: EngineFaults): void {
    if (crashAfterSeconds !== undefined) {
      this.#host.clock
        .sleep(crashAfterSeconds * 1000, this.#life.signal)
        .then(this.#crash.resolve, () => undefined);
    }
    if (hang === true) this.#serving?.hang();
  }

  #end(exit: ProcessExit): void {
    this.#life.abort(new ProcessEnd(exit));
  }

  async #main(argv: readonly string[]): Promise<ProcessExit> {
    try {
      return await this.#serve(argv);
    } catch (error) {
      if (this.#life.signal.reason instanceof ProcessEnd) return this.#life.signal.reason.exit;
      return this.#reportFailure(error);
    } finally {
      this.#life.abort(new ProcessEnd({ exitCode: 1, oomKilled: false }));
      this.#seat?.leave();
      await this.#serving?.destroy();
    }
  }

  #reportFailure(error: unknown): ProcessExit {
    if (error instanceof ArgparseExit) {
      for (const line of error.message.split("\n")) this.#host.log(line);
      return { exitCode: error.exitCode, oomKilled: false };
    }
    const lines =
      error instanceof EngineStartError
        ? error.lines
        : ["Traceback (most recent call last):", error instanceof Error ? error.message : String(error)];
    for (const line of lines) this.#host.log(line);
    return { exitCode: 1, oomKilled: false };
  }

  async #serve(argv: readonly string[]): Promise<ProcessExit> {
    const { faults, log, gpu } = this.#host;
    if (faults.exitCode !== undefined) {
      log(`simulated fault: exit code ${faults.exitCode} at start`);
      return { exitCode: faults.exitCode, oomKilled: false };
    }
    const args = parseServeArguments(argv);
    this.#args = args;
    log(`(APIServer pid=1) INFO [api_utils.py:347] vLLM server version 0.32.0, serving model ${args.model}`);
    await this.#simulated(importSeconds);
    const config = resolveEngineConfig(args, this.#host);
    if (gpu === undefined) throw new Error("unreachable: resolveEngineConfig refuses to run without a GPU");

    await this.#joinRanks(args);
    const cache = await this.#load(args, config, gpu);
    if (args.headless || args.nodeRank > 0) return await this.#runHeadless();
    const serving = new Serving(args, config, gpu, cache, this.#host, this.#life.signal);
    return await this.#runServer(serving, args.shutdownTimeoutSeconds);
  }

  /** Waits for `seconds` of the real engine's time. */
  #simulated(seconds: number): Promise<void> {
    return this.#host.clock.sleep((seconds * 1000) / this.#host.speedup, this.#life.signal);
  }

  /** In a multi-node replica, no rank reads a weight before every rank has found the leader. */
  async #joinRanks(args: ServeArguments): Promise<void> {
    if (args.nodeCount === 1) return;
    const { clock, log, resolve, rendezvous } = this.#host;
    const { masterAddress, masterPort, nodeRank, nodeCount } = args;
    log(
      `(EngineCore pid=116) INFO [parallel_state.py:1389] world_size=${args.tensorParallelSize * args.pipelineParallelSize} ` +
        `node_rank=${nodeRank} nnodes=${nodeCount} distributed_init_method=tcp://${masterAddress}:${masterPort} backend=nccl`,
    );
    const deadline = clock.now() + rendezvousTimeoutSeconds * 1000;
    let leader = resolve(masterAddress);
    while (leader === undefined) {
      if (clock.now() > deadline) {
        throw new EngineStartError([
          `torch.distributed.DistNetworkError: The client socket has failed to connect to any network address of ` +
            `(${masterAddress}, ${masterPort}). The IPv4 network addresses of (${masterAddress}, ${masterPort}) ` +
            "cannot be retrieved (gai error: -2 - Name or service not known).",
        ]);
      }
      await clock.sleep(100, this.#life.signal);
      leader = resolve(masterAddress);
    }
    const seat = rendezvous.join(`${leader}:${masterPort}`, nodeRank, nodeCount);
    this.#seat = seat;
    await this.#orEnd(
      Promise.race([
        seat.formed,
        clock.sleep(deadline - clock.now(), this.#life.signal).then(() => {
          throw new EngineStartError([
            `torch.distributed.DistStoreError: Timed out after ${rendezvousTimeoutSeconds + 1} seconds waiting ` +
              `for clients. Not all of ${nodeCount} clients joined.`,
          ]);
        }),
      ]),
    );
  }

  async #load(args: ServeArguments, config: EngineConfig, gpu: Gpu): Promise<KvCache> {
    const { faults, log, loadBytesPerSecond } = this.#host;
    const cache = sizeKvCache({ ...args, ...config, gpu });
    const firstRank = args.nodeRank * config.localWorldSize;
    const stageOf = (rank: number): number => Math.floor(rank / args.tensorParallelSize);
    const stages = Array.from({ length: config.localWorldSize }, (_, rank) => stageOf(firstRank + rank));
    const localBytes = stages.reduce((sum, stage) => sum + (cache.stages[stage]?.weightBytes ?? 0), 0);
    const loadSeconds = (localBytes / loadBytesPerSecond) * (faults.loadFactor ?? 1);
    const stage = cache.stages[stages[0] ?? 0];

    log(`(Worker pid=130) INFO [model_runner.py:388] Starting to load model ${args.model}...`);
    await this.#orLost(this.#simulated(loadSeconds / (faults.outOfMemory === true ? 2 : 1)));
    if (faults.outOfMemory === true) throw this.#abort({ exitCode: 137, oomKilled: true });
    log(
      `(Worker pid=130) INFO [model_runner.py:425] Model loading took ${gib(stage?.weightBytes ?? 0)} GiB memory ` +
        `and ${loadSeconds.toFixed(6)} seconds`,
    );
    this.#seat?.markLoaded();
    if (this.#seat !== undefined) await this.#orLost(this.#seat.loaded);
    await this.#orLost(this.#simulated(warmUpSeconds));
    log(
      `(Worker pid=130) INFO [gpu_worker.py:760] Available KV cache memory: ${gib(stage?.availableBytes ?? 0)} GiB`,
    );
    log(
      `(EngineCore pid=116) INFO [kv_cache_utils.py:2329] GPU KV cache size: ${grouped(cache.tokens)} tokens, ` +
        `Maximum concurrency for ${grouped(cache.maxModelLen)} tokens per request: ${cache.maxConcurrency.toFixed(2)}x`,
    );
    return cache;
  }

  async #runHeadless(): Promise<ProcessExit> {
    const rank = await this.#orEnd(this.#seat?.lost ?? new Promise<number>(() => undefined));
    this.#host.log(
      `(Worker pid=130) ERROR [multiproc_executor.py:316] Worker proc VllmWorker died unexpectedly ` +
        `(exit code: 1), shutting down executor. Lost the connection to node rank ${rank}.`,
    );
    return { exitCode: 1, oomKilled: false };
  }

  async #runServer(serving: Serving, shutdownTimeoutSeconds: number): Promise<ProcessExit> {
    this.#serving = serving;
    await this.#orEnd(serving.listen());
    this.inject(this.#host.faults);
    const ends: Promise<"drain" | "dead">[] = [
      this.#drain.promise.then(() => "drain" as const),
      this.#crash.promise.then(() => "dead" as const),
    ];
    if (this.#seat !== undefined) ends.push(this.#seat.lost.then(() => "dead" as const));
    const end = await this.#orEnd(Promise.race(ends));
    if (end === "drain") {
      await this.#orEnd(serving.drain(shutdownTimeoutSeconds));
      return { exitCode: 0, oomKilled: false };
    }
    await this.#orEnd(Promise.race([serving.die(), this.#simulated(watchdogSeconds)]));
    return { exitCode: 1, oomKilled: false };
  }

  /** Waits, unless the process ends first. */
  async #orEnd<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this.#life;
    signal.throwIfAborted();
    const ended = Promise.withResolvers<never>();
    const onAbort = (): void => ended.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([promise, ended.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Waits, unless the process ends or another rank is lost first. */
  #orLost<T>(promise: Promise<T>): Promise<T> {
    const lost = this.#seat?.lost.then((rank) => {
      throw new EngineStartError([
        `(Worker pid=130) ERROR [multiproc_executor.py:316] torch.distributed.DistBackendError: NCCL error: ` +
          `remote process exited or there was a network error (node rank ${rank}).`,
        "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore': 1}",
      ]);
    });
    return this.#orEnd(lost === undefined ? promise : Promise.race([promise, lost]));
  }

  #abort(exit: ProcessExit): unknown {
    this.#end(exit);
    return this.#life.signal.reason;
  }
}

/** Why the life signal was aborted. */
class ProcessEnd extends Error {
  readonly exit: ProcessExit;
  constructor(exit: ProcessExit) {
    super(`exit code ${exit.exitCode}`);
    this.name = "ProcessEnd";
    this.exit = exit;
  }
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
