// What containers run on: turns a container of a pod into a process, simulated or of this machine, and holds what all
// pods of the simulation share (time, speed, names, the rendezvous of ranks).
import { formatTime } from "@llama-operator/kube-runtime";
import { startEngine } from "../engine/engine.ts";
import { gpuOfNode } from "../engine/memory/gpu.ts";
import type { EngineFaults } from "../engine/faults.ts";
import type { Clock } from "../engine/clock.ts";
import type { ProcessExit, SimulatedProcess } from "../engine/process.ts";
import type { Rendezvous } from "../engine/rendezvous.ts";
import { programOf, type ReadData, resolveEnvironment } from "./environment.ts";
import type { FaultLedger } from "./faults.ts";
import { annotation, annotations, type Container, type Node, type Pod, positiveAnnotation } from "./pod.ts";
import { type ProgramHost, startProgram } from "./programs/program.ts";
import { entrypointOf } from "./programs/program-table.ts";

/** How fast the simulation goes; 1 is as in life. */
export interface Speed {
  /** Loading and start-up of engines. */
  readonly speedup: number;
  /** Prefill and decode. */
  readonly generationSpeedup: number;
  /** Probe delays and periods, restart delays, preStop, grace periods and the engine's own --shutdown-timeout. */
  readonly kubeletSpeedup: number;
}

export type RuntimeOptions = Speed & {
  readonly clock: Clock;
  readonly unixSeconds: () => number;
  readonly newId: () => string;
  readonly loadBytesPerSecond: number;
  readonly rendezvous: Rendezvous;
  readonly faults: FaultLedger;
  readonly readData: ReadData;
  readonly nodeOf: (pod: Pod) => Node | undefined;
  /** DNS as the pod sees it. */
  readonly resolve: (pod: Pod, name: string) => string | undefined;
  /** Without it every container is simulated. */
  readonly programs?: ProgramHost;
};

export class Runtime {
  readonly clock: Clock;
  readonly kubeletSpeedup: number;
  readonly newId: () => string;
  readonly #options: RuntimeOptions;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.kubeletSpeedup = options.kubeletSpeedup;
    this.newId = options.newId;
  }

  /** Now, as Kubernetes keeps it. */
  timestamp(): string {
    return formatTime(new Date(this.#options.unixSeconds() * 1000));
  }

  /** Faults that were set on a pod while it runs. */
  runningFaults(pod: Pod, names: readonly string[]): EngineFaults {
    return this.#options.faults.takeRunningFaults(pod, names);
  }

  /** How long the pod's init containers take, in real milliseconds. */
  initMilliseconds(pod: Pod): number {
    const bytes = Number(annotation(pod, annotations.initBytes) ?? 0);
    return ((bytes / this.#loadBytesPerSecond(pod)) * 1000) / this.#options.speedup;
  }

  /**
   * Starts the container's process.
   * @throws ContainerConfigError where its environment cannot be resolved, Error where a program cannot be started
   */
  async start(
    pod: Pod,
    container: Container,
    address: string,
    log: (line: string) => void,
  ): Promise<SimulatedProcess> {
    const { faults, readData, nodeOf, resolve, programs, clock } = this.#options;
    const node = nodeOf(pod);
    const nodeAddress = node?.status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
    const env = await resolveEnvironment(container, pod, { address: nodeAddress }, readData);
    const entrypoint = programs === undefined ? undefined : entrypointOf(container.image, programs.table);
    if (programs !== undefined && entrypoint !== undefined) {
      const injected = faults.takeEngineFaults(pod);
      const own = { host: programs, entrypoint, pod, container, address, nodeAddress, env };
      return startProgram({ ...own, faults: injected, readData, clock, log });
    }
    const program = programOf(container, env);
    if (program.kind === "other") return new IdleProcess();
    return startEngine(program.argv, {
      ...this.#options,
      address,
      env,
      gpu: gpuOfNode(node?.metadata.labels ?? {}),
      gpuCount: Number(container.resources?.limits?.["nvidia.com/gpu"] ?? 0),
      modelHint: annotation(pod, annotations.model),
      faults: faults.takeEngineFaults(pod),
      loadBytesPerSecond: this.#loadBytesPerSecond(pod),
      graceSpeedup: this.kubeletSpeedup,
      resolve: (name) => resolve(pod, name),
      log,
    });
  }

  #loadBytesPerSecond(pod: Pod): number {
    const node = this.#options.nodeOf(pod);
    const objects = node === undefined ? [pod] : [pod, node];
    return positiveAnnotation(objects, annotations.loadBytesPerSecond, this.#options.loadBytesPerSecond);
  }
}

/** An image that the simulation knows nothing of: it runs until it is told to stop. */
class IdleProcess implements SimulatedProcess {
  readonly #exit = Promise.withResolvers<ProcessExit>();
  readonly exited = this.#exit.promise;

  terminate(): void {
    this.#exit.resolve({ exitCode: 0, oomKilled: false });
  }
  kill(): void {
    this.#exit.resolve({ exitCode: 137, oomKilled: false });
  }
  inject(faults: EngineFaults): void {
    if (faults.crashAfterSeconds !== undefined) this.#exit.resolve({ exitCode: 1, oomKilled: false });
  }
}
