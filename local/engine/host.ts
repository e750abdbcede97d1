// Everything around an engine's process: its pod, its node, its luck, and how fast time goes.
import type { Gpu } from "./memory/gpu.ts";
import type { Clock } from "./process.ts";
import type { Rendezvous } from "./rendezvous.ts";

/** Misfortunes of this start. */
export interface EngineFaults {
  /** Real seconds after readiness. */
  readonly crashAfterSeconds?: number;
  /** The process ends with this code before it does anything. */
  readonly exitCode?: number;
  /** Killed for memory while it loads. */
  readonly outOfMemory?: boolean;
  /** Comes up, then answers nothing any more. */
  readonly hang?: boolean;
  /** Loads this many times slower. */
  readonly loadFactor?: number;
}

export interface EngineHostOptions {
  /** The pod's address: what it listens on when --host leaves it open. */
  readonly address: string;
  readonly env: Readonly<Record<string, string>>;
  readonly gpu: Gpu | undefined;
  readonly gpuCount: number;
  readonly modelHint: string | undefined;
  readonly faults: EngineFaults;
  readonly loadBytesPerSecond: number;
  /** Loading and start-up are this many times faster than in life. */
  readonly speedup: number;
  /** The same for prefill and decode, apart, so that a demo can load in seconds and stream at a real pace. */
  readonly generationSpeedup: number;
  /** --shutdown-timeout passes this many times faster, as the kubelet's grace period does. */
  readonly graceSpeedup: number;
  readonly clock: Clock;
  readonly unixSeconds: () => number;
  readonly newId: () => string;
  /** DNS as this pod sees it; undefined while the name does not resolve. */
  readonly resolve: (name: string) => string | undefined;
  readonly rendezvous: Rendezvous;
  /** One line of stdout or stderr. */
  readonly log: (line: string) => void;
}
