// What the simulated kubelet runs: something with an exit, that can be asked to end and can be killed.
import type { EngineFaults } from "./faults.ts";

export interface ProcessExit {
  /** 137 and 143 are ends by SIGKILL and SIGTERM, as a container runtime reports them. */
  readonly exitCode: number;
  readonly oomKilled: boolean;
}

export interface SimulatedProcess {
  /** Never rejects. When it resolves, nothing of the process listens any more. */
  readonly exited: Promise<ProcessExit>;
  /** SIGTERM. */
  terminate(): void;
  /** SIGKILL. */
  kill(): void;
  /** Injects a fault into the running process: a crash or a hang. */
  inject(faults: EngineFaults): void;
}
