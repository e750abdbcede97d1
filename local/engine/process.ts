// What the simulated kubelet runs: something with an exit, that can be asked to end and can be killed.
import type { EngineFaults } from "./host.ts";

/** Milliseconds and pauses; handed in, so that tests decide how time passes. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** @throws the signal's reason when aborted */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

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
  /** Lets a misfortune happen to the running process: a crash or a hang. */
  inject(faults: EngineFaults): void;
}
