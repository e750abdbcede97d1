// One container from its first start to the pod's end: starts, probes, restarts with growing delays, and stops.
// What it knows at any moment is its `status`, as a kubelet says it.
import type { EngineFaults } from "../engine/faults.ts";
import type { ProcessExit, SimulatedProcess } from "../engine/process.ts";
import type { LogRing } from "./log-ring.ts";
import { annotation, annotations, type Container, type ContainerStatus, type Pod } from "./pod.ts";
import { preStop } from "./pre-stop.ts";
import { type Probe, probeContainer } from "./probe.ts";
import type { Runtime } from "./runtime.ts";

/** Restart delays of a kubelet: none at first, then 10 s, doubling up to 5 min; forgotten after 10 min of running. */
const firstBackoffSeconds = 10;
const maxBackoffSeconds = 300;
const backoffResetSeconds = 600;
/** Real seconds between looks at what keeps a container from being created. */
const configRetrySeconds = 1;
/** What a kubelet gives a container at least, even when its grace period is used up. */
const minimumGraceSeconds = 2;

type State = NonNullable<ContainerStatus["state"]>;

export interface ContainerRunnerOptions {
  readonly container: Container;
  /** As it is now; annotations change. */
  readonly pod: () => Pod;
  readonly address: string;
  readonly runtime: Runtime;
  readonly log: LogRing;
  /** It ran before on a node that was lost and has come back. */
  readonly restarted: boolean;
  readonly onChange: () => void;
}

export class ContainerRunner {
  readonly #options: ContainerRunnerOptions;
  /** Aborted when the container is to end for good. */
  readonly #end = new AbortController();
  /** Aborted when the present process ends. */
  #instance = new AbortController();
  #process: SimulatedProcess | undefined;
  #state: State;
  #lastState: State = {};
  #restartCount: number;
  #containerId: string | undefined;
  #started = false;
  #ready = false;
  #startNumber = 0;
  #backoffSeconds = 0;

  constructor(options: ContainerRunnerOptions) {
    this.#options = options;
    const before = options
      .pod()
      .status?.containerStatuses?.find(({ name }) => name === options.container.name);
    const creating: State = { waiting: { reason: "ContainerCreating" } };
    this.#restartCount = (before?.restartCount ?? 0) + (options.restarted ? 1 : 0);
    this.#state = options.restarted ? creating : (before?.state ?? creating);
    if (!options.restarted) return;
    // What a kubelet says of a container whose end was not seen.
    const startedAt = before?.state?.running?.startedAt;
    const seen = startedAt === undefined ? {} : { startedAt };
    const finishedAt = options.runtime.timestamp();
    this.#lastState = { terminated: { exitCode: 255, reason: "Unknown", ...seen, finishedAt } };
  }

  get status(): ContainerStatus {
    const { name, image = "" } = this.#options.container;
    return {
      name,
      image,
      imageID: "",
      ...(this.#containerId === undefined ? {} : { containerID: this.#containerId }),
      ready: this.#ready,
      started: this.#started,
      restartCount: this.#restartCount,
      state: this.#state,
      lastState: this.#lastState,
    };
  }

  /** Starts and restarts by the pod's restart policy; resolves when the container will not run again. */
  async run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const process = await this.#create();
      if (process === undefined) return;
      if (signal.aborted) {
        process.kill();
        await process.exited;
        return;
      }
      const startedAt = this.#options.runtime.clock.now();
      const exit = await this.#watchOver(process);
      if (signal.aborted || !this.#restartsAfter(exit)) return;
      const ranSeconds = (this.#options.runtime.clock.now() - startedAt) / 1000;
      await this.#backOff(ranSeconds);
      this.#restartCount += 1;
    }
  }

  /** preStop, SIGTERM, and SIGKILL when the deadline (in the clock's milliseconds) has passed; it may move closer. */
  async stop(deadline: () => number): Promise<void> {
    this.#end.abort();
    await this.#stopProcess(deadline);
  }

  /** SIGKILL; nothing listens once it resolves. */
  async kill(): Promise<void> {
    this.#end.abort();
    this.#instance.abort();
    this.#process?.kill();
    await this.#process?.exited;
  }

  /** Injects faults into the running process. */
  inject(faults: EngineFaults): void {
    this.#process?.inject?.(faults);
  }

  #set(state: State, started = false, ready = false): void {
    this.#state = state;
    this.#started = started;
    this.#ready = ready;
    this.#options.onChange();
  }

  /** A process, or undefined when the container is ended before it could be created. */
  async #create(): Promise<SimulatedProcess | undefined> {
    const { container, pod, runtime, address, log } = this.#options;
    const { signal } = this.#end;
    while (!signal.aborted) {
      const pullError = annotation(pod(), annotations.imagePullError);
      try {
        if (pullError === undefined) {
          log.clear();
          const process = await runtime.start(pod(), container, address, (line) => log.append(line));
          this.#startNumber += 1;
          return process;
        }
        this.#wait("ImagePullBackOff", `Back-off pulling image "${container.image ?? ""}": ${pullError}`);
      } catch (error) {
        // A Secret that is missing, or an API server that did not answer: a kubelet tries both again.
        this.#wait("CreateContainerConfigError", error instanceof Error ? error.message : String(error));
      }
      await runtime.clock.sleep(configRetrySeconds * 1000, signal).catch(() => undefined);
    }
    return undefined;
  }

  #wait(reason: string, message: string): void {
    const { waiting } = this.#state;
    if (waiting?.reason === reason && waiting.message === message) return;
    this.#set({ waiting: { reason, message } });
  }

  async #watchOver(process: SimulatedProcess): Promise<ProcessExit> {
    const { container, address, runtime, log } = this.#options;
    const instance = new AbortController();
    this.#instance = instance;
    this.#process = process;
    // KWOK has said "running" already; a first start that agrees with it is no news.
    const startedAt = this.#startNumber === 1 ? this.#state.running?.startedAt : undefined;
    const running = { running: { startedAt: startedAt ?? runtime.timestamp() } };
    if (startedAt === undefined) {
      this.#containerId = `simulated://${runtime.newId()}`;
      this.#set(running);
    } else {
      this.#state = running;
    }
    const restart = Promise.withResolvers<Probe>();
    const probing = probeContainer(
      {
        container,
        address,
        clock: runtime.clock,
        speedup: runtime.kubeletSpeedup,
        onStarted: () => this.#set(running, true, false),
        onReady: (ready) => this.#set(running, true, ready),
        onUnhealthy: (probe) => restart.resolve(probe),
      },
      instance.signal,
    );
    const unhealthy = await Promise.race([restart.promise, process.exited.then(() => undefined)]);
    if (unhealthy !== undefined) {
      log.append(`kubelet: Container ${container.name} failed a probe, will be restarted`);
      await this.#stopProcess(this.#graceDeadline(unhealthy));
    }
    const exit = await process.exited;
    instance.abort();
    await probing;
    await log.flush();
    this.#process = undefined;
    const terminated = this.#terminated(exit, running.running.startedAt);
    this.#set({ terminated });
    this.#lastState = { terminated };
    return exit;
  }

  #graceDeadline(probe: Probe): () => number {
    const { runtime, pod } = this.#options;
    const seconds = probe.terminationGracePeriodSeconds ?? pod().spec?.terminationGracePeriodSeconds ?? 30;
    const deadline = runtime.clock.now() + (seconds * 1000) / runtime.kubeletSpeedup;
    return () => deadline;
  }

  async #stopProcess(deadline: () => number): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    const { clock, kubeletSpeedup } = this.#options.runtime;
    const ended = new AbortController();
    const exited = process.exited.then(() => ended.abort());
    // No probe may restart what is being stopped.
    this.#instance.abort();
    await preStop(this.#options, deadline, ended.signal);
    const last = clock.now() + (minimumGraceSeconds * 1000) / kubeletSpeedup;
    process.terminate();
    while (!ended.signal.aborted) {
      const leftMs = Math.max(deadline(), last) - clock.now();
      if (leftMs <= 0) process.kill();
      await clock.sleep(leftMs <= 0 ? 10 : Math.min(leftMs, 100), ended.signal).catch(() => undefined);
    }
    await exited;
  }

  #terminated(
    { exitCode, oomKilled }: ProcessExit,
    startedAt: string | undefined,
  ): NonNullable<State["terminated"]> {
    const { container, runtime, log } = this.#options;
    const message =
      exitCode !== 0 && container.terminationMessagePolicy === "FallbackToLogsOnError" ? log.tail() : "";
    return {
      exitCode,
      reason: oomKilled ? "OOMKilled" : exitCode === 0 ? "Completed" : "Error",
      ...(message === "" ? {} : { message }),
      ...(startedAt === undefined ? {} : { startedAt }),
      finishedAt: runtime.timestamp(),
      ...(this.#containerId === undefined ? {} : { containerID: this.#containerId }),
    };
  }

  #restartsAfter({ exitCode }: ProcessExit): boolean {
    const policy = this.#options.pod().spec?.restartPolicy ?? "Always";
    return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
  }

  async #backOff(ranSeconds: number): Promise<void> {
    const { container, pod, runtime } = this.#options;
    if (ranSeconds * runtime.kubeletSpeedup >= backoffResetSeconds) this.#backoffSeconds = 0;
    const seconds = this.#backoffSeconds;
    this.#backoffSeconds = Math.min(maxBackoffSeconds, seconds === 0 ? firstBackoffSeconds : seconds * 2);
    if (seconds === 0) return;
    const { namespace, name, uid } = pod().metadata;
    this.#wait(
      "CrashLoopBackOff",
      `back-off ${goDuration(seconds)} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`,
    );
    await runtime.clock
      .sleep((seconds * 1000) / runtime.kubeletSpeedup, this.#end.signal)
      .catch(() => undefined);
  }
}

/** As Go prints a duration of whole seconds: "40s", "1m20s", "5m0s". */
function goDuration(seconds: number): string {
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
